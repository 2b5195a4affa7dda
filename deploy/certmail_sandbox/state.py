"""Everything that the sandbox knows, in memory, in one object."""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from certmail_sandbox.directory import Directory
from certmail_sandbox.faults import Faults
from certmail_sandbox.journal import Journal
from certmail_sandbox.mailstore import MailStore
from certmail_sandbox.quotas import Quotas
from certmail_sandbox.resumable import Uploads
from certmail_sandbox.tokens import Tokens


class State:
    """Google's memory.

    Args:
        now: The clock, in seconds since the epoch. Delays of faults run on real time all the same.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.late: set[asyncio.Task[None]] = set()
        self.reset()

    def reset(self) -> None:
        """Forgets everything, mail that was to be accepted late included."""
        for task in self.late:
            task.cancel()
        self.directory = Directory()
        self.tokens = Tokens()
        self.quotas = Quotas()
        self.mail = MailStore()
        self.faults = Faults()
        self.journal = Journal()
        self.uploads = Uploads()


STATE = web.AppKey("state", State)


def state_of(request: web.Request) -> State:
    return request.app[STATE]
