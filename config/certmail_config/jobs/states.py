"""The states of a job and the transitions between them, in one table.

The scripts and docs/ledger.md are checked against it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job is.

    The record never says "sent" or "delivered", since Gmail's 200 proves neither.
    """

    SCHEDULED = "scheduled"
    """Not before a time: `send_at` or a back-off. Nobody works on it; a crash changes nothing."""
    READY = "ready"
    """In its lane; leaves as soon as the lane has a slot.

    Nobody works on it; a crash changes nothing.
    """
    DISPATCHED = "dispatched"
    """Leased to a worker that prepares it; nothing was sent.

    On a crash the lease ends and it returns to its lane.
    """
    SENDING = "sending"
    """Write-ahead: the request may have left.

    On a crash the lease ends and it becomes `uncertain`.
    """
    UNCERTAIN = "uncertain"
    """Google's answer is unknown.

    Only a late settle, a verification, a rule or a person moves it.
    """
    ACCEPTED = "accepted"
    """Gmail took the message. Final."""
    FAILED = "failed"
    """It cannot be sent, for the reason on record. Final."""
    CANCELLED = "cancelled"
    """Called off before it was sent. Final."""
    SUPPRESSED = "suppressed"
    """No longer wanted: the review is complete, or its campaign was stopped. Final."""
    EXPIRED = "expired"
    """Its time passed while it waited. Final."""


_S = State
FINAL: Final = frozenset({_S.ACCEPTED, _S.FAILED, _S.CANCELLED, _S.SUPPRESSED, _S.EXPIRED})
UNFINISHED: Final = frozenset(_S) - FINAL
INITIAL: Final = frozenset({_S.SCHEDULED, _S.READY, _S.SUPPRESSED})

Move = tuple[State | None, State]
"""From a state, None for a job that is new, to another."""


def _moves(*pairs: tuple[State | None, tuple[State, ...]]) -> frozenset[Move]:
    return frozenset((before, after) for before, afters in pairs for after in afters)


_CLOSED_UNKNOWING: Final = (_S.EXPIRED, _S.CANCELLED, _S.SUPPRESSED, _S.FAILED)

TRANSITIONS: Final[dict[str, frozenset[Move]]] = {
    "enqueue": _moves((None, (_S.READY, _S.SCHEDULED, _S.SUPPRESSED))),
    "dispatch": _moves((_S.READY, (_S.DISPATCHED, _S.EXPIRED, _S.UNCERTAIN))),
    "claim": _moves((_S.DISPATCHED, (_S.READY,))),
    "begin": _moves(
        (
            _S.DISPATCHED,
            (_S.SENDING, _S.READY, _S.SCHEDULED, _S.SUPPRESSED, _S.EXPIRED, _S.UNCERTAIN),
        )
    ),
    "release": _moves(
        (
            _S.DISPATCHED,
            (_S.READY, _S.SCHEDULED, _S.FAILED, _S.SUPPRESSED, _S.EXPIRED, _S.UNCERTAIN),
        )
    ),
    "settle": _moves(
        (
            _S.SENDING,
            (
                *(_S.ACCEPTED, _S.FAILED, _S.READY, _S.SCHEDULED, _S.UNCERTAIN),
                *(_S.CANCELLED, _S.SUPPRESSED),
            ),
        ),
        (_S.UNCERTAIN, (_S.READY, _S.SCHEDULED, *FINAL)),
        *(
            (before, (_S.ACCEPTED,))
            for before in (_S.SCHEDULED, _S.READY, _S.DISPATCHED, *_CLOSED_UNKNOWING)
        ),
    ),
    "cancel": _moves(
        *(
            (before, (_S.CANCELLED, _S.UNCERTAIN))
            for before in (_S.SCHEDULED, _S.READY, _S.DISPATCHED)
        )
    ),
    "withdraw": _moves(
        *(
            (before, (_S.SUPPRESSED, _S.UNCERTAIN))
            for before in (_S.SCHEDULED, _S.READY, _S.DISPATCHED)
        )
    ),
    "reap": _moves(
        (_S.SCHEDULED, (_S.READY, _S.EXPIRED, _S.UNCERTAIN)),
        (_S.READY, (_S.EXPIRED, _S.UNCERTAIN)),
        (_S.DISPATCHED, (_S.READY, _S.FAILED, _S.UNCERTAIN)),
        (_S.SENDING, (_S.UNCERTAIN, _S.ACCEPTED)),
        (_S.UNCERTAIN, (_S.READY,)),
    ),
    "restore": frozenset(
        (before, after)
        for before in (None, *_S)
        for after in (_S.READY, _S.UNCERTAIN, *FINAL)
        if before is not after and not (before is None and after is _S.READY)
    ),
    "mend": _moves(
        *((before, (_S.FAILED, _S.UNCERTAIN)) for before in (_S.SCHEDULED, _S.READY, _S.DISPATCHED))
    ),
}
"""What each script may do to a job's state; whatever else it does leaves the state as it is.

A job never ends as `failed`, `expired`, `cancelled` or `suppressed` while what became of one of its
requests is unknown: it ends as `uncertain` then. `accepted` can follow anything by late news of a
request that did go out. A job that somebody has altered so that it cannot be read has no state:
whichever script comes by ends it as `failed`, or as `uncertain` if its request was under way.
"""

UPKEEP: Final = frozenset({"restore", "mend"})
"""Scripts that an operator runs through `certmail doctor --repair`.

All others are a reminder's own life.
"""

ALLOWED: Final[dict[State, frozenset[State]]] = {
    state: frozenset(
        after
        for name, moves in TRANSITIONS.items()
        if name not in UPKEEP
        for before, after in moves
        if before is state
    )
    for state in State
}
"""What may follow a state in a reminder's own life."""


class AttemptOutcome(StrEnum):
    """What is known of one HTTP request to Gmail."""

    ACCEPTED = "accepted"
    """Google answered 2xx."""
    NOT_SENT = "not_sent"
    """No byte left this machine."""
    REJECTED = "rejected"
    """Google answered and refused; nothing was sent."""
    UNKNOWN = "unknown"
    """The request may have left, and no answer says what became of it."""
