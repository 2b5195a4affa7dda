"""What the simple model of the ledger is made of. All times are milliseconds since 1970."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.states import FINAL, AttemptOutcome, State

MINUTE: Final = 61_000
"""Google's minute, and a second because requests do not take equally long to arrive."""
LEASED: Final = frozenset({State.DISPATCHED, State.SENDING})


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
    """Scheduled: not before. Dispatched, sending: the end of the lease. Uncertain: the next look at it."""
    held: bool = False
    reason: str | None = None
    attempt: int = 0
    fence: int = 0
    failures: int = 0
    mailbox: str | None = None
    dispatched_at: int | None = None
    nonce: str | None = None
    worker: str | None = None
    look_at: int | None = None
    """When it is looked up among the sent mails."""
    begun: dict[int, int] = field(default_factory=dict)
    begun_by: tuple[int, str] | None = None
    outcomes: dict[int, AttemptOutcome] = field(default_factory=dict)
    called_off: str | None = None
    finished_at: int | None = None
    would_be: tuple[str, str] | None = None
    """How it would have ended, and why, were it not for a request whose outcome is unknown."""
    possible_duplicate: bool = False
    victims: frozenset[str] = frozenset()

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
        return any(said is AttemptOutcome.ACCEPTED for n, said in self.outcomes.items() if n <= self.attempt)

    @property
    def unknown(self) -> bool:
        """What became of one of its requests is unknown."""
        return AttemptOutcome.UNKNOWN in self.outcomes.values()


@dataclass
class Track:
    """A connection's lane: its limits, and whether its jobs may leave."""

    tenant: str
    mailbox: str
    units_per_minute: int
    in_flight: int
    verify: bool
    version: int = 0
    state: str = "suspended"
    code: str | None = None
    message: str | None = None

    @property
    def begins_per_minute(self) -> int:
        return self.units_per_minute // SEND_UNITS

    @property
    def interval(self) -> int:
        """Between two sends, at 98 % of what Google allows."""
        return math.ceil(60_000 * SEND_UNITS / (self.units_per_minute * 0.98))


@dataclass
class Mailbox:
    """The pace that the lanes of one mailbox share."""

    next: int = 0
    cooling: int = 0
    cooled_at: int = 0
    cool_reason: str | None = None
    probe: bool = False
    strikes: int = 0
    begins: dict[str, int] = field(default_factory=dict)

    def step(self, now: int, interval: int) -> None:
        """A job leaves. Lateness of less than an interval is made up for, rest is not."""
        self.next = (self.next if self.next > now - interval else now) + interval

    def cool(self, until: int, *, named: bool, begun_at: int, reason: str, now: int) -> None:
        """Wait. A back-off of our own counts only for requests begun since the present cool-down was set."""
        if (named or begun_at >= self.cooled_at) and until > self.cooling:
            self.cooling, self.cooled_at, self.cool_reason, self.probe = until, now, reason, True
            self.strikes += 0 if named else 1

    def works(self, now: int) -> None:
        """A mail was accepted: the probe has succeeded, unless there is to be another."""
        if self.cooling <= now:
            self.cooling, self.cooled_at, self.cool_reason, self.probe, self.strikes = 0, 0, None, False, 0

    def begun_within_a_minute(self, now: int) -> int:
        """How many; older ones are forgotten."""
        self.begins = {name: at for name, at in self.begins.items() if at > now - MINUTE}
        return len(self.begins)
