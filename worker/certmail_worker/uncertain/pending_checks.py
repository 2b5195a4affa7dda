"""A job of unknown outcome: when to look for it, and what it means to find it or not. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from certmail_config.admin.settling.unknown_attempts import unknown_attempts
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Call, Settlement, settle
from certmail_worker.uncertain.sent_folder import Sent

CONFIRM_SECONDS: Final = 10.0
"""The time between the two looks that both find nothing."""
GIVE_UP_SECONDS: Final = 600.0
"""For how much longer than VERIFY_SECONDS it is tried where looking itself fails."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """A job with attempts of unknown outcome; times are seconds on the ledger's clock.

    `attempts` are those of unknown outcome, the newest last; `begun_at` is when the first of them
    began, `doubted_at` since when it is unknown what became of the last; `looked` says that it was
    looked for in vain once, late enough to count.
    """

    job: JobId
    tenant: str
    connection: ConnectionId
    mailbox: str
    attempts: tuple[int, ...]
    begun_at: float
    doubted_at: float
    looked: bool


def read_unsure(job: JobId, fields: Mapping[bytes, bytes]) -> Unsure | None:
    """Read a job's hash; None if it is gone, or nothing of it is unknown.

    Raises KeyError, ValueError for what is no job's.
    """
    value = {name.decode(): text.decode() for name, text in fields.items()}
    if "attempt" not in value or "mailbox" not in value or "doubted_at" not in value:
        return None

    unknown = unknown_attempts(value)
    if not unknown:
        return None

    return Unsure(
        job,
        value.get("tenant", ""),
        ConnectionId(value["connection"]),
        value["mailbox"],
        unknown,
        begun_at=min(int(value[f"begun:{n}"]) for n in unknown) / 1000,
        doubted_at=int(value["doubted_at"]) / 1000,
        looked=value.get("looked") == "1",
    )


def next_look(age: float, verify: float, *, failed: bool) -> float | None:
    """In how many seconds to look again, `age` seconds after the outcome became unknown.

    Soon at first, then when absence counts. None: it is given up, since looking failed for too
    long.
    """
    if failed and age > verify + GIVE_UP_SECONDS:
        return None
    if age < verify:
        return min(max(2.0, age * 2), 60.0, max(verify - age, 0.5))
    return CONFIRM_SECONDS


def found(item: Unsure, sent: Sent) -> Call[State | None]:
    """The settlement of a job that was found: it went out.

    Which of several attempts brought it cannot be told; the newest is taken.
    """
    detail = {
        "outcome": AttemptOutcome.ACCEPTED,
        "ended_at": datetime.fromtimestamp(sent.at, UTC).isoformat(timespec="milliseconds"),
        "gmail_id": sent.message,
        "gmail_thread_id": sent.thread,
        "verified": True,
    }

    return settle(
        item.job,
        item.attempts[-1],
        Settlement(
            AttemptOutcome.ACCEPTED,
            State.ACCEPTED,
            "verified: its answer was lost, but Gmail lists it among the sent mails",
        ),
        detail=json.dumps(detail),
    )


def absent(item: Unsure) -> list[Call[State | None]]:
    """The settlements of a job that never went out: of each attempt, the newest last.

    It is sent again.
    """
    reason = "verified: its answer was lost, and Gmail does not list it among the sent mails"
    settlement = Settlement(AttemptOutcome.NOT_SENT, State.READY, reason)
    detail = json.dumps({"outcome": settlement.outcome, "verified": True})
    return [settle(item.job, attempt, settlement, detail=detail) for attempt in item.attempts]
