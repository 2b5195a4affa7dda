"""Two processes that plan at once, of which one or the other is killed again and again."""

from __future__ import annotations

import base64
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from certmail_config.admin.admin import Admin
from support.processes.commands import commands
from support.processes.halt import Process


def start_planner(admin: Admin, log: Path, redis_url: str = "") -> Process:
    """A process that plans until it is killed; it is about to begin when this returns."""
    settings = admin.settings
    keys = ",".join(
        f"{name}:{base64.b64encode(value).decode()}" for name, value in settings.vault_keys
    )
    environment = os.environ | {
        "CERTMAIL_REDIS_URL": redis_url or str(settings.redis_url),
        "CERTMAIL_DATABASE_URL": str(settings.database_url),
        "CERTMAIL_DURABILITY": "none",
        "CERTMAIL_VAULT_KEYS": keys,
    }
    said, out = os.pipe()
    with log.open("ab") as writes, os.fdopen(said) as says:
        module = "support.processes.planner_process"
        process = commands().start((), environment, out, writes.fileno(), module=module)
        os.close(out)
        assert says.readline() == "planning\n", log.read_text()
    return process


class Planners:
    """They plan while the block runs; `killed` is how many were."""

    def __init__(self, admin: Admin, log: Path, seed: int) -> None:
        self._admin, self._log, self._over = admin, log, threading.Event()
        self._random = random.Random(seed)
        self._two: list[Process] = []
        self.killed = 0

    def _harass(self) -> None:
        while not self._over.wait(self._random.uniform(0.05, 0.6)):
            victim = self._two.pop(self._random.randrange(2))
            victim.kill()
            victim.wait()
            self.killed += 1
            self._two.append(start_planner(self._admin, self._log))

    @contextmanager
    def harassed(self) -> Iterator[None]:
        """Kill one of them again and again while the block runs; then end both."""
        self._two = [start_planner(self._admin, self._log), start_planner(self._admin, self._log)]
        thread = threading.Thread(target=self._harass)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            for each in self._two:
                each.kill()
                each.wait()
