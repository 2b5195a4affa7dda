"""The states of a job, and which may follow which.

```mermaid
stateDiagram-v2
    [*] --> scheduled
    [*] --> ready
    [*] --> suppressed
    scheduled --> ready: due
    ready --> dispatched: leased by the pacer
    dispatched --> ready: returned, lease ended
    dispatched --> scheduled: waits
    dispatched --> sending: begin, the write-ahead record
    sending --> accepted
    sending --> ready: not sent, or refused for now
    sending --> scheduled: back-off
    sending --> uncertain: answer lost, lease ended
    uncertain --> accepted: late settle
    uncertain --> ready: a rule or a person
    dispatched --> failed
    sending --> failed
    uncertain --> failed: late settle
    scheduled --> expired
    ready --> expired
    dispatched --> expired
    dispatched --> suppressed
    scheduled --> cancelled
    ready --> cancelled
    dispatched --> cancelled
```
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job is; the record never says "sent" or "delivered", since Gmail's 200 proves neither."""

    SCHEDULED = "scheduled"
    """Not before a time: `send_at` or a back-off. Nobody works on it; a crash changes nothing."""
    READY = "ready"
    """In its lane; leaves as soon as the lane has a slot. Nobody works on it; a crash changes nothing."""
    DISPATCHED = "dispatched"
    """Leased to a worker that prepares it; nothing was sent. On a crash the lease ends and it returns to its lane."""
    SENDING = "sending"
    """Write-ahead: the request may have left. On a crash the lease ends and it becomes `uncertain`."""
    UNCERTAIN = "uncertain"
    """Google's answer is unknown. Only a late settle, a verification, a rule or a person moves it."""
    ACCEPTED = "accepted"
    """Gmail took the message. Final."""
    FAILED = "failed"
    """It cannot be sent, for the reason on record. Final."""
    CANCELLED = "cancelled"
    """Called off before it was sent. Final."""
    SUPPRESSED = "suppressed"
    """No longer wanted: the review is complete. Final."""
    EXPIRED = "expired"
    """Its time passed while it waited. Final."""


_S = State
FINAL: Final = frozenset({_S.ACCEPTED, _S.FAILED, _S.CANCELLED, _S.SUPPRESSED, _S.EXPIRED})
UNFINISHED: Final = frozenset(_S) - FINAL
INITIAL: Final = frozenset({_S.SCHEDULED, _S.READY, _S.SUPPRESSED})

ALLOWED: Final[dict[State, frozenset[State]]] = {
    _S.SCHEDULED: frozenset({_S.READY, _S.EXPIRED, _S.CANCELLED, _S.ACCEPTED}),
    _S.READY: frozenset({_S.DISPATCHED, _S.EXPIRED, _S.CANCELLED, _S.ACCEPTED}),
    _S.DISPATCHED: frozenset(
        {_S.READY, _S.SCHEDULED, _S.SENDING, _S.FAILED, _S.SUPPRESSED, _S.EXPIRED, _S.CANCELLED, _S.ACCEPTED}
    ),
    _S.SENDING: frozenset({_S.ACCEPTED, _S.FAILED, _S.READY, _S.SCHEDULED, _S.UNCERTAIN}),
    _S.UNCERTAIN: frozenset({_S.ACCEPTED, _S.FAILED, _S.READY, _S.SCHEDULED, _S.UNCERTAIN}),
    **{state: frozenset() for state in FINAL},
}
"""`accepted` can follow a waiting state only by a late settle of an earlier attempt, which cancels the resend."""


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
