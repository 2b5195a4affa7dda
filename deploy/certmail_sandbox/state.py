"""Everything that the sandbox knows, in memory, in one object."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from certmail_sandbox.accounts.directory import Directory
from certmail_sandbox.accounts.tokens import Tokens
from certmail_sandbox.faults import Faults
from certmail_sandbox.mail.bounces import Bounces
from certmail_sandbox.mail.mailstore import MailStore
from certmail_sandbox.mail.resumable import Uploads
from certmail_sandbox.quotas.quotas import Quotas
from certmail_sandbox.request_log import Journal

SPREAD_SECONDS = 5.0  # Google says minutes, and of delegation up to 24 hours


class State:
    """Google's memory.

    `clock` gives seconds since the epoch; the control API may move them ahead, or let them stand
    still. Delays of faults run on real time all the same.

    Attributes:
        stands_at: What time it is while the clock stands; None while it goes.
        spread_seconds: After how long a change that a person makes in the consoles is known
            everywhere.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.late: set[asyncio.Task[None]] = set()
        self.reset()

    def now(self) -> float:
        """What time it is at Google."""
        return self._clock() + self.ahead if self.stands_at is None else self.stands_at

    @property
    def mail(self) -> MailStore:
        """What is in the mailboxes by now."""
        self.bounces.deliver(self._mail, self.now())
        return self._mail

    def replace_mail(self, mail: MailStore) -> None:
        """Put these messages into the mailboxes instead of those that are there."""
        self._mail = mail

    def reset(self) -> None:
        """Forget everything, mail that was to be accepted late included."""
        for task in self.late:
            task.cancel()

        self.ahead = 0.0
        self.stands_at: float | None = None
        self.directory = Directory()
        self.tokens = Tokens()
        self.quotas = Quotas()
        self._mail = MailStore()
        self.bounces = Bounces()
        self.faults = Faults()
        self.journal = Journal()
        self.uploads = Uploads()
        self.spread_seconds = SPREAD_SECONDS


STATE = web.AppKey("state", State)


def state_of(request: web.Request) -> State:
    """The memory of the sandbox that serves a request."""
    return request.app[STATE]
