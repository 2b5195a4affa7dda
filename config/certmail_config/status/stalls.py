"""What stands still among the keeper's services.

They note when they last got on; this decides from their notes which one does not.

Asked by the gateway's /readyz, by `certmail doctor`, and by every worker, which says it in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from certmail_config.base import redis_keys

STANDSTILL_SECONDS: Final = 60.0
"""How long a service may go without getting on before it counts as standing still.

Those that rest for longer say so in their notes.
"""
RUNG: Final = "rung"
"""In the place of a service: since when doorbells have been rung that no worker answers."""
NOBODY: Final = "doorbells"
CLOCK: Final = "clock:"
"""What stands before a worker's name in a note on its machine's clock.

The note says by how many seconds that clock is ahead of Google's, where it is too far.
"""
WAITS: Final = "waits"
"""How many mailboxes and projects wait for a time, "3|1", as the caretaker last counted."""

SERVICES: Final[Mapping[str, str]] = {
    "pacer": "no reminder is let leave",
    "reaper": "what is due, has expired, or was held by a lost worker stays as it is",
    "verifier": "mails whose answer was lost are not looked up",
    "recorder": "what happens waits in Redis, and at 85 % of CERTMAIL_EVENTS_MAX nothing more is taken in",
    "caretaker": "connections are not looked after, and Redis does not learn of what is changed in the database",
    "retention": "nothing is forgotten in its time",
    "planner": "campaigns are not planned: what was planned before leaves, and no more",
    "sampler": "metrics show what waited when it last counted",
    "webhooks": "no webhook is sent; what is to be told waits in the database",
}
"""Those that a keeper runs, and what it means that one stands still."""
_ANSWER: Final = "Look into the workers' logs, then restart them; see that nothing else reads Celery's queue in their place."


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a service: when it last got on, and why its last try failed.

    It says, too, until when it is expected to get on again. Times are seconds since 1970.
    """

    service: str
    at: float
    until: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What Redis shows.

    `behind`: events wait for the recorder; `capacity`: deliveries that live workers hold at once.

    `rung_at` is when the first doorbell was rung that nobody has answered since; `ringing` how many
    wait now. `skews` are the workers whose clock is off, and by how many seconds it is ahead;
    `waits` how many mailboxes and projects wait for a time.
    """

    now: float
    notes: tuple[Note, ...]
    behind: bool
    workers: int
    capacity: int
    ringing: int = 0
    rung_at: float | None = None
    skews: tuple[tuple[str, int], ...] = ()
    waits: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Standstill:
    """What stands still, since when, what that means, and what to do."""

    service: str
    since: datetime
    message: str
    remedy: str


def ask(pipe: Any) -> None:
    """Put the questions into a pipeline, synchronous or not; its answers are read by `read`."""
    pipe.time()
    pipe.hgetall(redis_keys.PROGRESS)
    pipe.xrevrange(redis_keys.EVENTS, count=1)
    pipe.get(redis_keys.RECORDED)
    pipe.zrange(redis_keys.WORKERS, 0, -1, withscores=True)
    pipe.hgetall(redis_keys.CAPACITY)
    pipe.scard(redis_keys.RINGING)


def read(answers: Sequence[Any]) -> Seen:
    """Read the answers to `ask`."""
    (seconds, micros), fields, newest, recorded, advertised, capacity, ringing = answers
    now = seconds + micros / 1e6
    alive = [worker for worker, until in advertised if until > now * 1000]
    noted = {_text(name): _text(value) for name, value in fields.items()}
    rung = noted.get(RUNG, "")

    return Seen(
        now=now,
        notes=tuple(note for service in SERVICES if (note := _note(service, noted)) is not None),
        behind=bool(newest) and newest[0][0] != recorded,
        workers=len(alive),
        capacity=sum(max(0, _whole(_text(capacity.get(worker, b"")))) for worker in alive),
        ringing=int(ringing),
        rung_at=_seconds(rung),
        skews=tuple(
            (worker.decode(), skew)
            for worker in alive
            if (skew := _whole(noted.get(CLOCK + worker.decode(errors="replace"), "")))
        ),
        waits=_pair(noted.get(WAITS, "")),
    )


def standstills(seen: Seen, late: float = 0.0) -> list[Standstill]:
    """What stands still, and for `late` seconds longer than it takes to say so; pure.

    Without a worker nothing is expected.
    """
    if not seen.workers:
        return []

    found = [_standstill(note) for note in seen.notes if seen.now - late > note.until]
    found += [_skewed(worker, ahead, seen.now) for worker, ahead in seen.skews]
    if not seen.behind:
        found = [each for each in found if each.service != "recorder"]

    if (
        seen.rung_at is not None
        and seen.ringing
        and seen.now - seen.rung_at > STANDSTILL_SECONDS + late
    ):
        since = _moment(seen.rung_at)
        message = (
            f"Workers advertise room for {seen.capacity:,} deliveries, but have answered no doorbell since {_shown(since)}: "
            "no reminder leaves."
        )
        found.append(Standstill(NOBODY, since, message, _ANSWER))

    return found


def _skewed(worker: str, ahead: int, now: float) -> Standstill:
    off = f"{abs(ahead) / 60:.0f} minutes {'ahead of' if ahead > 0 else 'behind'}"
    message = (
        f"The clock of the worker {worker} is {off} Google's: Google refuses what is signed by it."
    )
    return Standstill(
        "clock", _moment(now), message, "Set it right; time synchronisation keeps it so."
    )


def _standstill(note: Note) -> Standstill:
    since = _moment(note.at)
    message = f"The {note.service} has not got on since {_shown(since)}: {SERVICES[note.service]}."
    if not note.why:
        remedy = "Look into the workers' logs; restart them if they say nothing of it."
        return Standstill(note.service, since, message, remedy)
    message = f"{message} It fails with {note.why}"
    remedy = "Mend what it names: it is tried again each second. The workers' logs say more (service_failed)."
    return Standstill(note.service, since, message, remedy)


def _note(service: str, noted: Mapping[str, str]) -> Note | None:
    first, _, second = noted.get(service, "").partition("|")
    at, until = _seconds(first), _seconds(second)
    if at is None or until is None:
        return None
    return Note(service, at, until, noted.get(f"{service}:why", ""))


def _seconds(ms: str) -> float | None:
    """A time as the scripts write it; None for anything else, or what lies beyond the calendar."""
    return int(ms) / 1000 if ms.isascii() and ms.isdigit() and len(ms) <= 14 else None


def _whole(text: str) -> int:
    """Seconds, forwards or backwards; 0 for anything else."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else 0


def _pair(text: str) -> tuple[int, int]:
    first, _, second = text.partition("|")
    return _whole(first), _whole(second)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _text(value: bytes) -> str:
    return value[:500].decode(errors="replace")
