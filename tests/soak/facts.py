"""The words of a soak: who takes part, what is to be run, and what is known after it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from certmail_config.jobs.states import FINAL, State
from soak.judging import Late
from soak.week import Load, Week


@dataclass(frozen=True, slots=True)
class Tenants:
    """Their ids, by what happens to them.

    Attributes:
        calm: Google never fails them, and their connections stand for themselves: of them
            punctuality is measured.
        looked_up: Service accounts whose sent mails may be looked through.
        blind: Service accounts where a person has to look.
        linked: Accounts that consented, all by one project.
        many: Mailboxes that are there to be many, as calm as the first.
    """

    calm: tuple[str, ...]
    looked_up: tuple[str, ...]
    blind: tuple[str, ...]
    linked: tuple[str, ...]
    many: tuple[str, ...] = ()

    @property
    def few(self) -> tuple[str, ...]:
        """All but the many."""
        return self.calm + self.looked_up + self.blind + self.linked

    @property
    def left_alone(self) -> frozenset[str]:
        """Those whose punctuality counts."""
        return frozenset(self.calm + self.many)

    def of(self, n: int) -> str:
        """Whose the n-th reminder is; of the many, where there are any, nine of ten."""
        if self.many and n % 10:
            return self.many[(n - n // 10 - 1) % len(self.many)]
        turn = n // 10 if self.many else n
        return self.few[turn % len(self.few)]


def mailbox_of(tenant: str) -> str:
    """What a tenant sends from."""
    return f"reviews@{tenant}.example"


def named(count: int, many: int) -> Tenants:
    """So many tenants: of ten, four are left alone and two are of each other kind."""
    ids = [f"t{n:02}" for n in range(max(count, 5))]
    part = max(len(ids) // 5, 1)
    looked, blind, linked = (tuple(ids[n * part : (n + 1) * part]) for n in range(3))
    return Tenants(
        tuple(ids[3 * part :]), looked, blind, linked, tuple(f"m{n:05}" for n in range(many))
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run."""

    week: Week
    tenants: Tenants
    workers: int
    sqlite: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A reminder as it was last on record.

    Attributes:
        due: When it was to leave, or was enqueued.
        scheduled: Whether it had a time to leave at.
        accepted: When Gmail took it.
        attempts: How many requests there were.
    """

    tenant: str
    state: str
    possible_duplicate: bool
    decided: bool
    due: datetime
    scheduled: bool
    accepted: datetime | None
    attempts: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing becomes of it any more by itself."""
        return self.state in FINAL or (self.state == State.UNCERTAIN and self.decided)


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that was measured at one time of the week.

    Attributes:
        steady: The load, if it has been the same for as long as things are remembered.
        mailboxes: How many mailboxes have had something to send so far.
    """

    at: float
    load: Load
    steady: Load | None
    mailboxes: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Accounts:
    """What was enqueued, what is on record, and what arrived.

    Attributes:
        receipts: The tenant of each job.
        wanted: How many reminders were to be enqueued.
        copies: How often each job arrived.
        set_aside: Events that could not be recorded.
    """

    receipts: Mapping[str, str]
    wanted: int
    entries: Mapping[str, Entry]
    copies: Counter[str]
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak has given.

    Attributes:
        judged: The names of certmail's own processes that stay.
        mails: How late the mails were of which that counts, and that had no time to wait for.
        scheduled: The same of those that had one.
        wrong: What somebody was answered wrongly, or not at all.
        counts: What happened besides, in words.
        errors: Lines of certmail's logs that say error, by what they say.
    """

    samples: Sequence[Sample]
    judged: tuple[str, ...]
    mails: Sequence[Late]
    scheduled: Sequence[Late]
    accounts: Accounts
    wrong: Sequence[str]
    counts: Sequence[str]
    errors: Counter[str]
