"""The upstream application of a storm.

It enqueues reminders all the while, and sends again whatever it has no receipt for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from certmail import Mailer, Reminder
from certmail_config.base.errors import ReminderRejected, StoresUnreachable
from certmail_config.stores.connect import connect

STEPS_A_SECOND: Final = 2.0
AGAIN_SECONDS: Final = 0.2
LATER_SECONDS: Final = 3.0


class Upstream(threading.Thread):
    """A thread that enqueues reminders for tenants in turn, evenly over so many seconds.

    Every seventh is to be sent a little later.
    """

    def __init__(
        self, redis_url: str, reminders: int, tenants: Sequence[str], seconds: float
    ) -> None:
        super().__init__(daemon=True)
        self.receipts: dict[str, str] = {}
        """The tenant of each job."""
        self.refused = 0
        """How often the server was not there, and the same was sent again."""
        self.wrong: list[str] = []
        """What no outage explains."""
        self._redis_url = redis_url
        self._reminders = reminders
        self._tenants = tenants
        self._seconds = seconds

    def run(self) -> None:
        began, done = time.monotonic(), 0
        with connect(self._redis_url) as redis:
            mailer = Mailer(redis)
            while done < self._reminders:
                passed = time.monotonic() - began
                due = min(self._reminders, int(self._reminders * passed / self._seconds))
                self._send(mailer, [self._reminder(n) for n in range(done, due)])
                done = due
                time.sleep(1 / STEPS_A_SECOND)

    def _reminder(self, n: int) -> Reminder:
        later = datetime.now(UTC) + timedelta(seconds=LATER_SECONDS) if n % 7 == 3 else None
        tenant = self._tenants[n % len(self._tenants)]
        return Reminder(
            tenant=tenant,
            to=f"reviewer{n}@people.example",
            campaign="storm",
            send_at=later,
            priority=n % 3,
        )

    def _send(self, mailer: Mailer, batch: list[Reminder]) -> None:
        while batch:
            try:
                answers = list(mailer.send_many(batch))
            except StoresUnreachable:
                self.refused += 1
                time.sleep(AGAIN_SECONDS)
                continue

            for reminder, answer in zip(batch, answers, strict=True):
                if isinstance(answer, ReminderRejected):
                    self.wrong.append(f"{reminder.to} was rejected: {answer.message}")
                elif answer.id in self.receipts:
                    self.wrong.append(f"{reminder.to} was given the job of another: {answer.id}")
                else:
                    self.receipts[answer.id] = reminder.tenant

            return
