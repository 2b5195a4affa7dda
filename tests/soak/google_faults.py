"""Google's faults at a small rate, each for one mailbox that is not left alone."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any, Final

from chaos.retrying import BUSY
from soak.facts import Tenants, mailbox_of
from soak.system import System

SEND: Final = "/messages/send"
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "503": {"fault": "503"},
    "502 page": {"fault": "502_html"},
    "reset before": {"fault": "reset_before"},
    "reset after": {"fault": "reset_after"},
    "hang": {"fault": "hang_after", "seconds": 4},
    "slow": {"fault": "slow", "seconds": 2},
    "accepted late": {"fault": "accept_late", "seconds": 2},
    "token refused once": {"fault": "401_once"},
    "token dropped": {"fault": "drop_token"},
}
GENTLE: Final = ("slow", "token refused once", "token dropped")
"""Those that leave nothing in doubt: of accounts in one project, three in doubt stop all others."""


class GoogleFaults(threading.Thread):
    """A thread that orders one every so many seconds."""

    def __init__(
        self, system: System, tenants: Tenants, every: float, over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.ordered: Counter[str] = Counter()
        self.missed: list[str] = []
        self._system, self._tenants = system, tenants
        self._every, self._over = every, over
        self._random = random.Random(2)

    def run(self) -> None:
        sharp = self._tenants.looked_up + self._tenants.blind
        while not self._over.wait(self._random.uniform(0.5, 1.5) * self._every):
            tenant = self._random.choice(sharp + self._tenants.linked)
            if self._random.random() < 0.1:
                name, order, path = "no token", {"fault": "503"}, "/token"
            else:
                name = self._random.choice([*FAULTS] if tenant in sharp else GENTLE)
                order, path = FAULTS[name], SEND

            match = {"mailbox": mailbox_of(tenant), "path": path}
            try:
                self._system.place.control("POST", "/faults", {"match": match, **order})
            except BUSY as error:
                self.missed.append(f"{name}: {type(error).__name__}")
            else:
                self.ordered[name] += 1
