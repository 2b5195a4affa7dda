"""Google's limits, enforced over windows that slide.

Only what is let through counts: a request refused for its quota uses up nothing, so a client that waits long
enough after the *accepted* ones is always served. A request that is let through and then refused for its content
(a bad address) has used its units, but is no message of the day.
"""

from collections import deque
from dataclasses import dataclass, field

from certmail_sandbox import gmail_errors
from certmail_sandbox.directory import project_number

MINUTE_SECONDS = 60.0
DAY_SECONDS = 86_400.0


@dataclass(slots=True)
class Limits:
    """Google's documented numbers for projects made since 2026-05-01 (google.md §1.1, §1.2); in flight is reported.

    Attributes:
        units_per_minute: Quota units per mailbox and project.
        project_units_per_minute: Quota units per project.
        messages_per_day: Messages per mailbox in a rolling 24 h.
        in_flight: Requests of one mailbox at the same time.
    """

    units_per_minute: int = 6_000
    project_units_per_minute: int = 1_200_000
    messages_per_day: int = 2_000
    in_flight: int = 10


@dataclass(slots=True)
class SlidingWindow:
    """Amounts of the last `seconds`, each leaving exactly that long after it came."""

    seconds: float
    total: int = 0
    entries: deque[tuple[float, int]] = field(default_factory=deque)

    def used(self, now: float) -> int:
        while self.entries and self.entries[0][0] <= now - self.seconds:
            self.total -= self.entries.popleft()[1]
        return self.total

    def add(self, now: float, amount: int) -> None:
        self.entries.append((now, amount))
        self.total += amount

    def next_free(self) -> float | None:
        """When the oldest entry leaves; None while the window is empty."""
        return self.entries[0][0] + self.seconds if self.entries else None


class Quotas:
    """What every mailbox and project has used."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.in_flight: dict[str, int] = {}
        self._user: dict[tuple[str, str], SlidingWindow] = {}
        self._project: dict[str, SlidingWindow] = {}
        self._day: dict[str, SlidingWindow] = {}

    def charge(self, mailbox: str, project: str, units: int, now: float, *, sends: bool) -> None:
        """Lets a request through and counts its units, or counts nothing and raises Google's refusal."""
        limits = self.limits
        user = self._user.setdefault((mailbox, project), SlidingWindow(MINUTE_SECONDS))
        whole = self._project.setdefault(project, SlidingWindow(MINUTE_SECONDS))
        if user.used(now) + units > limits.units_per_minute:
            raise gmail_errors.over_units(project_number(project), limits.units_per_minute, per_user=True)
        if whole.used(now) + units > limits.project_units_per_minute:
            raise gmail_errors.over_units(
                project_number(project), limits.project_units_per_minute, per_user=False
            )
        if sends:
            self._check_day(mailbox, now)
        user.add(now, units)
        whole.add(now, units)

    def _check_day(self, mailbox: str, now: float) -> None:
        day = self._day.setdefault(mailbox, SlidingWindow(DAY_SECONDS))
        if day.used(now) >= self.limits.messages_per_day:
            raise gmail_errors.user_rate_limit(day.next_free() or now + DAY_SECONDS, " (Mail sending)")

    def count_message(self, mailbox: str, now: float) -> None:
        self._day.setdefault(mailbox, SlidingWindow(DAY_SECONDS)).add(now, 1)

    def enter(self, mailbox: str) -> None:
        """Begins a request of a mailbox; every enter that does not raise is followed by one leave."""
        running = self.in_flight.get(mailbox, 0)
        if running >= self.limits.in_flight:
            raise gmail_errors.too_many_concurrent()
        self.in_flight[mailbox] = running + 1

    def leave(self, mailbox: str) -> None:
        left = self.in_flight.get(mailbox, 0) - 1
        if left > 0:
            self.in_flight[mailbox] = left
        else:
            self.in_flight.pop(mailbox, None)
