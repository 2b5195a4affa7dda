"""Google's limits, enforced over windows that slide.

Only what is let through counts: a request refused for its quota uses up nothing, so a client that
waits long enough after the *accepted* ones is always served. A request that is let through and then
refused for its content (a bad address) has used its units, but is no message of the day.
"""

from __future__ import annotations

from certmail_sandbox.accounts.directory import project_number
from certmail_sandbox.quotas.limits import Limits
from certmail_sandbox.quotas.sending_limits import SendingLimits
from certmail_sandbox.quotas.windows import DAY_SECONDS, MINUTE_SECONDS, PacificDay, SlidingWindow
from certmail_sandbox.wire import gmail_errors


class Quotas:
    """What every mailbox and project has used of Google's limits."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.sending = SendingLimits()
        self.in_flight: dict[str, int] = {}
        self._user: dict[tuple[str, str], SlidingWindow] = {}
        self._project: dict[str, SlidingWindow] = {}
        self._project_day: dict[str, PacificDay] = {}
        self._up: dict[str, SlidingWindow] = {}
        self._down: dict[str, SlidingWindow] = {}

    def charge(
        self, mailbox: str, project: str, units: int, now: float, *, sends: bool, size: int
    ) -> None:
        """Count a request and its bytes against the limits.

        Raises ApiError, Google's refusal, and then counts nothing.
        """
        limits = self.limits
        user = self._user.setdefault((mailbox, project), SlidingWindow(MINUTE_SECONDS))
        whole = self._project.setdefault(project, SlidingWindow(MINUTE_SECONDS))
        day = self._project_day.setdefault(project, PacificDay())

        number = project_number(project)
        if user.used(now) + units > limits.units_per_minute:
            raise gmail_errors.over_units(number, limits.units_per_minute, per_user=True)
        if whole.used(now) + units > limits.project_units_per_minute:
            raise gmail_errors.over_units(number, limits.project_units_per_minute, per_user=False)
        if day.used(now) + units > limits.project_units_per_day:
            raise gmail_errors.daily_limit_exceeded(number)

        self._check_bandwidth(mailbox, size, now)
        if sends:
            self.sending.check_messages(limits, mailbox, now)

        for window in (user, whole, day):
            window.add(now, units)
        self._up.setdefault(mailbox, SlidingWindow(DAY_SECONDS)).add(now, size)

    def _check_bandwidth(self, mailbox: str, size: int, now: float) -> None:
        up = self._up.setdefault(mailbox, SlidingWindow(DAY_SECONDS))
        down = self._down.setdefault(mailbox, SlidingWindow(DAY_SECONDS))
        if up.used(now) + size > self.limits.upload_bytes_per_day:
            raise gmail_errors.user_rate_limit(up.next_free() or now + DAY_SECONDS)
        if down.used(now) >= self.limits.download_bytes_per_day:
            raise gmail_errors.user_rate_limit(down.next_free() or now + DAY_SECONDS)

    def count_download(self, mailbox: str, size: int, now: float) -> None:
        """Count bytes that a mailbox got from Google."""
        self._down.setdefault(mailbox, SlidingWindow(DAY_SECONDS)).add(now, size)

    def enter(self, mailbox: str) -> None:
        """Begin a request of a mailbox; every enter that does not raise is followed by one leave.

        Raises ApiError if the mailbox has as many in flight as Google takes (google.md §1.3).
        """
        running = self.in_flight.get(mailbox, 0)
        if running >= self.limits.in_flight:
            raise gmail_errors.too_many_concurrent()
        self.in_flight[mailbox] = running + 1

    def leave(self, mailbox: str) -> None:
        """End a request of a mailbox."""
        left = self.in_flight.get(mailbox, 0) - 1
        if left > 0:
            self.in_flight[mailbox] = left
        else:
            self.in_flight.pop(mailbox, None)
