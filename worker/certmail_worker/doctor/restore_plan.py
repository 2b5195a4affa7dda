"""Repairing a Redis that is older than the record: nothing that left may leave again.

What SQL knows is settled. What could have left between SQL's last event and the server's end is
held as `uncertain`, and looked up or settled by a person like any other. Reminders that were
enqueued since the copy was made and had not left are lost, and named.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from certmail_config.ledger.upkeep import KnownAttempt, KnownJob
from certmail_worker.recording.rows import REPORTED

LOST: Final = (
    "lost: Redis was restored from a copy that is older than this reminder; enqueue it again"
)
UNDER_WAY: Final = "restored: its request was under way when Redis ended; whether Gmail took the message is unknown"
COULD_HAVE_LEFT: Final = (
    "restored: it could have left after the last event on record, before Redis ended"
)


UNKNOWN: Final = "unknown"
"""The result of a step whose job nobody knew any more."""


class StepKind(StrEnum):
    """What a step does."""

    SETTLE = "settle"
    """The record knows how it ended."""
    HOLD = "hold"
    """A copy may be out."""
    KEEP = "keep"
    """It waits, as before; attempts made since the copy are counted."""
    LOSE = "lose"
    """Its content is gone, and it had not left."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A delivery as the record knows it."""

    job: JobId
    state: State
    reason: str
    attempts: tuple[KnownAttempt, ...]
    known: KnownJob | None
    decided: bool = False
    """Somebody has decided that its outcome stays unknown."""


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """What is done about one job.

    `closed`: it is uncertain, and nobody is to be asked any more.
    """

    kind: StepKind
    job: JobId
    to: State
    reason: str
    attempts: tuple[KnownAttempt, ...] = ()
    known: KnownJob | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """All that a repair would do.

    It holds for this run of the server, and while the record stands at `cursor`.

    `survived` is the last recorded event that the server still has; `looked_up` are those of the
    held that are looked for among the sent mails.
    """

    run: str
    cursor: str
    survived: str
    since: datetime | None
    until: datetime
    steps: tuple[RestoreStep, ...] = field(default=())
    looked_up: frozenset[JobId] = frozenset()

    def of(self, kind: StepKind) -> list[JobId]:
        """The jobs of one kind of step."""
        return [step.job for step in self.steps if step.kind is kind]


def decide(recorded: Recorded, *, in_redis: bool) -> RestoreStep | None:
    """What to do about a job whose record is newer than the copy; None if nothing."""
    attempts = tuple(
        KnownAttempt(each.n, each.begun_at, each.outcome or AttemptOutcome.UNKNOWN, each.detail)
        for each in recorded.attempts
    )
    known = None if in_redis else recorded.known
    state, reason = recorded.state, recorded.reason

    if state in FINAL:
        return RestoreStep(StepKind.SETTLE, recorded.job, state, reason, attempts, known)
    if state is State.UNCERTAIN:
        return RestoreStep(
            StepKind.HOLD, recorded.job, state, reason, attempts, known, closed=recorded.decided
        )
    if state is State.SENDING:
        return RestoreStep(StepKind.HOLD, recorded.job, State.UNCERTAIN, UNDER_WAY, attempts, known)
    if not in_redis and any(each.outcome == AttemptOutcome.UNKNOWN for each in attempts):
        return RestoreStep(StepKind.HOLD, recorded.job, State.UNCERTAIN, reason, attempts, known)
    if not in_redis:
        return RestoreStep(StepKind.LOSE, recorded.job, State.FAILED, LOST, attempts, known)
    if attempts:
        return RestoreStep(StepKind.KEEP, recorded.job, State.READY, reason, attempts)
    return None


def hold(job: JobId, step: RestoreStep | None) -> RestoreStep:
    """Hold a job that could have left, whatever else was to be done about it."""
    if step is None:
        return RestoreStep(StepKind.HOLD, job, State.UNCERTAIN, COULD_HAVE_LEFT)
    return replace(step, kind=StepKind.HOLD, to=State.UNCERTAIN, reason=COULD_HAVE_LEFT)


def lane_order(priority: int, enqueued_ms: float) -> float:
    """A job's place in its lane: by priority, then by age; as the ledger's scripts have it."""
    return priority * 1e13 + enqueued_ms


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job that waits in the restored server.

    Its place in the lane's order, from when it may leave, and until when.
    """

    job: JobId
    order: float
    from_: datetime
    until: datetime


def could_have_left(
    lane: Iterable[WaitingJob],
    *,
    since: datetime | None,
    until: datetime,
    per_minute: float,
    in_flight: int,
    held_before: int = 0,
) -> list[JobId]:
    """The jobs of a lane that its mailbox's limits let leave in this time.

    These are the first of them, in the lane's order.

    Those whose time had passed before could not, and those whose time came only later neither.
    Without `since` any could. `held_before` of them an interrupted repair has held already.
    """
    candidates = sorted(
        (each for each in lane if each.from_ <= until and (since is None or each.until > since)),
        key=lambda each: (each.order, each.job),
    )
    if since is None:
        return [each.job for each in candidates]

    minutes = max((until - since) / timedelta(minutes=1), 0.0)
    # Whatever expired within the time made room for the next.
    expiring = sum(each.until <= until for each in candidates)
    maximum = max(int(minutes * per_minute) + in_flight + 1 + expiring - held_before, 0)

    return [each.job for each in candidates[:maximum]]


def attempt_detail(row: dict[str, Any]) -> str:
    """An attempt's detail, as the worker that made it would have put it into the ledger."""
    ended, composed = row["ended_at"], row["composed_at"]
    value = {
        "outcome": row["outcome"],
        "ended_at": ended.astimezone(UTC).isoformat(timespec="milliseconds") if ended else None,
        **{name: row[name] for name in REPORTED},
        "composed_at": composed.astimezone(UTC).isoformat() if composed else None,
    }

    return json.dumps({name: item for name, item in value.items() if item is not None})


def plan_lines(plan: RestorePlan) -> Sequence[str]:
    """What the plan would do, a line each."""
    since = plan.since.isoformat(timespec="seconds") if plan.since else "the beginning"
    found = Counter(str(step.kind) for step in plan.steps if not step.closed)
    until = plan.until.isoformat(timespec="seconds")
    window = (
        f"What could have left between {since} and {until} is held "
        "(--stopped-at makes that time shorter)."
    )
    return [*_counted(found, len(plan.looked_up)), window]


def jobs_by_result(plan: RestorePlan, states: Sequence[State | None]) -> dict[str, list[JobId]]:
    """The jobs by what was done in fact.

    `states` are those that the jobs of the plan's steps are in now.
    """
    done: dict[str, list[JobId]] = {kind: [] for kind in StepKind} | {UNKNOWN: []}
    for step, state in zip(plan.steps, states, strict=True):
        done[_done(step, state)].append(step.job)
    return done


def done_lines(done: Mapping[str, Sequence[JobId]], plan: RestorePlan) -> Sequence[str]:
    """What was done, a line each."""
    held = [job for job in done[StepKind.HOLD] if job in plan.looked_up]
    lines = _counted({kind: len(jobs) for kind, jobs in done.items()}, len(held))
    if unknown := done[UNKNOWN]:
        lines.append(
            f"{len(unknown)} had been forgotten meanwhile, and nothing was done: {', '.join(unknown)}"
        )
    return lines


def _done(step: RestoreStep, state: State | None) -> str:
    if state is None:
        return UNKNOWN
    if state is State.UNCERTAIN:
        return StepKind.SETTLE if step.closed else StepKind.HOLD
    if state not in FINAL:
        return StepKind.KEEP
    if step.known and state is State.FAILED and step.kind is not StepKind.SETTLE:
        return StepKind.LOSE
    return StepKind.SETTLE


def _counted(found: Mapping[str, int], looked_up: int) -> list[str]:
    lines = [f"{count} {_WORDS[kind]}" for kind in StepKind if (count := found.get(kind, 0))]
    if held := found.get(StepKind.HOLD, 0):
        lines.append(_who_decides(held, looked_up))
    return lines


def _who_decides(held: int, looked_up: int) -> str:
    by_hand = "for a person to settle (`certmail uncertain list`, then `settle`)"
    if not looked_up:
        return f"Those that are held are {by_hand}"
    rest = f"; the other {held - looked_up} are {by_hand}" if held > looked_up else ""
    return f"{looked_up} of those that are held are looked up among the sent mails{rest}"


_WORDS: Final = {
    StepKind.SETTLE: "end as the record says",
    StepKind.HOLD: "are held as uncertain: a copy may be out",
    StepKind.KEEP: "wait as before; what was tried since the copy is counted",
    StepKind.LOSE: "are lost: enqueued since the copy was made and not sent",
}
