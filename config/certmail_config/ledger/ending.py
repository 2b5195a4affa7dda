"""The calls that end a reminder, or move it on, without a delivery.

What does so is its time, its worker's end, or a person.

Times as in intake.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import State
from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, load
from certmail_config.ledger.values import Cancellation, CancelledPage, Reaped, Stop

POISON_REAPS = 5
"""A job that stopped this many different workers ends as failed."""


def reap(limit: int, *, clock: float | None = None) -> Call[Reaped]:
    """Move on every job whose time has come, at most `limit` of them."""

    def read(answer: list[Any]) -> Reaped:
        if answer[0] == b"stopped":
            return Reaped(0, (), Stop(answer[1].decode()))
        words = [word.decode() for word in answer[1:]]
        triples = zip(words[0::3], words[1::3], words[2::3], strict=True)
        moved = ((JobId(id_), State(a) if a else None, State(b)) for id_, a, b in triples)
        return Reaped(int(answer[0]), tuple(moved))

    return Call(load("reap"), (limit, POISON_REAPS, ms(clock)), read)


# The job contract's own word.
def close(id: JobId, reason: str, *, clock: float | None = None) -> Call[bool]:  # noqa: A002
    """End an uncertain job as what it is; False where it is not uncertain, or unknown."""
    return Call(load("close"), (id, reason, ms(clock)), lambda answer: answer[0] == b"closed")


def cancel(id: JobId, reason: str, *, clock: float | None = None) -> Call[Cancellation]:  # noqa: A002
    """Call one reminder off."""
    return Call(
        load("cancel"), (id, reason, ms(clock)), lambda answer: Cancellation(answer[0].decode())
    )


def withdraw(id: JobId, reason: str, *, clock: float | None = None) -> Call[State | None]:  # noqa: A002
    """Let a reminder that a campaign planned end as suppressed, before it begins.

    Gives the state that it is in then: SENDING where its request is under way, the one in which it
    had ended before, or None for a job that is not known: it will not be enqueued any more.
    """

    def read(answer: list[Any]) -> State | None:
        word, *rest = (each.decode() for each in answer)
        if word == "already_final":
            return State(rest[0])
        return _WITHDRAWN[word]

    return Call(load("withdraw"), (id, reason, ms(clock)), read)


_WITHDRAWN: Final[dict[str, State | None]] = {
    "suppressed": State.SUPPRESSED,
    "already_sending": State.SENDING,
    "uncertain": State.UNCERTAIN,
    "unknown": None,
}


def forget(jobs: Sequence[JobId], keep_seconds: float) -> Call[int]:
    """Keep reminders that have ended for so long from now, and no longer.

    It is for some dozens, of which the record says how they ended. Gives how many of them Redis
    knows to have ended; the others stay. It is Redis's own clock that counts.
    """
    return Call(load("forget"), (ms(keep_seconds), *jobs), int)


def cancel_matching(
    cursor: int,
    *,
    tenant: str,
    campaign: str = "",
    connection: str = "",
    reason: str,
    look_at: int = 500,
    clock: float | None = None,
) -> Call[CancelledPage]:
    """Call off some of a tenant's unfinished reminders.

    To be called again with the cursor that it gives, until that is 0.
    """

    def read(answer: list[Any]) -> CancelledPage:
        return CancelledPage(*(int(number) for number in answer))

    args = (cursor, look_at, tenant, campaign, connection, reason, ms(clock))
    return Call(load("cancel_matching"), args, read)
