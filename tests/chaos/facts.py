"""What is read after a storm.

What arrived, what was asked, where each job is by ledger and by SQL, and what had happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

LEAVE_IN_DOUBT: Final = frozenset(
    {"reset_before", "reset_after", "hang_after", "accept_late", "502_html", "503"}
)
"""The faults after which nobody can know whether the message was taken.

A verbatim answer is one of them if it is a 5xx.
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job is, by the ledger or by the record."""

    state: str
    held: bool = False
    possible_duplicate: bool = False
    outcomes: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request as it is on record. Times are seconds; `worker` is its process."""

    job: str
    n: int
    worker: str
    begun: float
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send, as the sandbox noted it.

    It has no job where it did not come to reading the message.
    """

    at: float
    mailbox: str
    job: str | None = None
    status: int | str | None = 200
    fault: str | None = None

    @property
    def was_answered(self) -> bool:
        """Whether whoever asked was told something, and at once."""
        return isinstance(self.status, int) and self.fault != "slow"

    @property
    def leaves_in_doubt(self) -> bool:
        """Whether what became of it cannot be known outside."""
        verbatim = self.fault == "verbatim" and isinstance(self.status, int) and self.status >= 500
        return verbatim or self.fault in LEAVE_IN_DOUBT


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that happened to certmail's processes or stores, from when to when.

    `worker` is the process that it happened to.
    """

    kind: str
    began: float
    ended: float
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What was read after the storm.

    `receipts` gives the mailbox of each job, `garbage` the jobs that garbage made, `looked_up` the
    jobs whose customers allow a look among the sent mails; `patience` is how long a request may
    take from its begin until its answer is known and recorded.
    """

    receipts: Mapping[str, str]
    garbage: frozenset[str] = frozenset()
    looked_up: frozenset[str] = frozenset()
    copies: Sequence[str] = ()
    ledger: Mapping[str, Standing] = field(default_factory=dict)
    record: Mapping[str, Standing] = field(default_factory=dict)
    attempts: Sequence[Attempt] = ()
    requests: Sequence[Request] = ()
    troubles: Sequence[Trouble] = ()
    doctor: Sequence[Mapping[str, str]] = ()
    delays: Sequence[float] = ()
    """Of each accepted job of a receipt, from its time to Gmail's answer, seconds."""
    patience: float = 0.0
