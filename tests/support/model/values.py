"""What the simple model of the ledger is made of: jobs and lanes.

All times are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, overload

from certmail_config.jobs.states import FINAL, AttemptOutcome, State

LEASED: Final = frozenset({State.DISPATCHED, State.SENDING})
DAY: Final = 86_400_000


@overload
def ms(seconds: float) -> int: ...
@overload
def ms(seconds: None) -> None: ...
@overload
def ms(seconds: float | None) -> int | None: ...
def ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


@dataclass
class Entry:
    """A job. Which index it is in, and with which score, follows from it."""

    id: str
    tenant: str
    connection: str
    campaign: str
    dedupe: str
    priority: int
    enqueued_at: int
    expires_at: int
    keep: int
    state: State
    at: int | None = None
    """Scheduled: not before.

    Dispatched, sending: the end of the lease. Uncertain: the next look at it.
    """
    held: bool = False
    reason: str | None = None
    attempt: int = 0
    fence: int = 0
    failures: int = 0
    mailbox: str | None = None
    """That, and the project, for which it was leased last."""
    project: str | None = None
    day: int | None = None
    """The slot of the day in which it has its place; None if it has none."""
    steps: tuple[float, float] | None = None
    """Leased: how far it moved its mailbox's next time, and its project's."""
    dispatched_at: int | None = None
    nonce: str | None = None
    worker: str | None = None
    look_at: int | None = None
    """When it is looked up among the sent mails."""
    begun: dict[int, int] = field(default_factory=dict)
    begun_by: tuple[int, str] | None = None
    resend: int | None = None
    """How long after the lease it is sent once more, should its worker be lost; None to hold it."""
    outcomes: dict[int, AttemptOutcome] = field(default_factory=dict)
    called_off: str | None = None
    called_off_as: State | None = None
    wants: str = ""
    """Of one that a campaign planned: until when it may leave, and for whom."""
    finished_at: int | None = None
    would_be: tuple[str, str] | None = None
    """How it would have ended, and why, were it not for a request whose outcome is unknown."""
    possible_duplicate: bool = False
    victims: frozenset[str] = frozenset()
    uncounted: bool = False
    """Whether it counts no more among what its tenant has."""

    @property
    def unfinished(self) -> bool:
        """Final jobs are not, nor those that were closed as uncertain because nobody decided."""
        return self.state not in FINAL and self.finished_at is None

    @property
    def due(self) -> int | None:
        """When somebody must look at it next."""
        if not self.unfinished:
            return None
        if self.state is State.READY:
            return self.expires_at
        assert self.at is not None, self
        return min(self.at, self.expires_at) if self.state is State.SCHEDULED else self.at

    @property
    def ringing(self) -> bool:
        return self.state is State.DISPATCHED and self.nonce is None

    @property
    def turn(self) -> tuple[int, int, str]:
        """Its place in its lane: priority, then age."""
        return self.priority, self.enqueued_at, self.id

    @property
    def accepted(self) -> bool:
        """One of its requests is known to have been accepted."""
        return any(
            said is AttemptOutcome.ACCEPTED
            for n, said in self.outcomes.items()
            if n <= self.attempt
        )

    @property
    def unknown(self) -> bool:
        """What became of one of its requests is unknown."""
        return AttemptOutcome.UNKNOWN in self.outcomes.values()


@dataclass
class Track:
    """A connection's lane: its limits, and whether its jobs may leave."""

    tenant: str
    mailbox: str
    project: str
    units_per_minute: int
    in_flight: int
    verify: bool
    per_day: int
    project_units_per_minute: int
    project_units_per_day: int
    warm_up_days: int
    version: int = 0
    state: str = "suspended"
    code: str | None = None
    message: str | None = None
    sends_since: int = 0
    """When its first job was leased for the mailbox that it has."""
    leased_at: int = 0
    """When its last one was."""

    def warmth(self, now: int) -> float:
        """The share of its pace and of its day that a new mailbox uses: a little more each day."""
        days = (now - self.sends_since) // DAY if self.sends_since else 0
        return min(1, (days + 1) / (self.warm_up_days + 1)) if self.warm_up_days else 1

    def day_limit(self, now: int) -> int:
        """How many messages the mailbox may send in a day."""
        return max(1, int(self.per_day * self.warmth(now)))
