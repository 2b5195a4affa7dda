"""Two recorders at once, killed at random while thousands of deliveries run.

Every event is recorded once, in both databases.

RECORDED_DELIVERIES=50000 (`make records`) is the long form; RECORDER_SEED makes the same again.
"""

from __future__ import annotations

import base64
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from sqlalchemy import func, select

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_worker.recording.consistency import check
from certmail_worker.recording.writer import read_cursor
from support.data.refold import in_tables, refold
from support.deployment.deployment import wait_for
from support.machine.bulk import BulkLoad
from support.processes.commands import commands
from support.processes.halt import Process

DELIVERIES: Final = int(os.environ.get("RECORDED_DELIVERIES", "1000"))
SEED: Final = int(os.environ.get("RECORDER_SEED", "0")) or random.randrange(1, 1_000_000)
CLASH: Final = "another_recorder"
PORTION: Final = max(DELIVERIES // 10, 250)


class Recorders:
    """Two processes that record, of which one or the other is killed again and again, at random."""

    def __init__(self, admin: Admin, log: Path, seed: int) -> None:
        settings = admin.settings
        keys_of_vault = ",".join(f"{name}:{value}" for name, value in _written(settings))
        self._environment = os.environ | {
            "CERTMAIL_REDIS_URL": str(settings.redis_url),
            "CERTMAIL_DATABASE_URL": str(settings.database_url),
            "CERTMAIL_VAULT_KEYS": keys_of_vault,
        }

        self._log, self._random, self._over = log, random.Random(seed), threading.Event()
        self._two: list[Process] = []
        self.killed = 0

    def _start(self) -> Process:
        said, out = os.pipe()
        with self._log.open("ab") as log, os.fdopen(said) as says:
            module = "support.processes.recorder_process"
            process = commands().start((), self._environment, out, log.fileno(), module=module)
            os.close(out)
            assert says.readline() == "recording\n", self._log.read_text()

        return process

    def _harass(self) -> None:
        while not self._over.wait(self._random.uniform(0.05, 0.8)):
            victim = self._two.pop(self._random.randrange(2))
            victim.kill()
            victim.wait()
            self.killed += 1
            self._two.append(self._start())

    @contextmanager
    def harassed(self) -> Iterator[None]:
        """While the block runs they are killed; afterwards two go on unharmed."""
        self._two = [self._start(), self._start()]
        thread = threading.Thread(target=self._harass)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def end(self) -> None:
        for each in self._two:
            each.kill()
            each.wait()


def _written(settings: Settings) -> list[tuple[str, str]]:
    return [(name, base64.b64encode(value).decode()) for name, value in settings.vault_keys]


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        vault_keys=(("k1", os.urandom(32)),),
    )
    with open_admin(settings) as made:
        assert check(made.redis, made.engine)
        yield made


@pytest.mark.timeout(180 + DELIVERIES / 20)
def test_every_event_is_recorded_once_whoever_is_killed(
    admin: Admin, tmp_path: Path, record_property: Any
) -> None:
    load = BulkLoad(admin, SEED)
    log = tmp_path / "recorder.log"
    recorders = Recorders(admin, log, SEED)
    begun = time.monotonic()

    with ExitStack() as stack:
        stack.callback(recorders.end)

        with recorders.harassed():
            while len(load.jobs) < DELIVERIES:
                load.enqueue(
                    min(PORTION, DELIVERIES - len(load.jobs)), f"campaign {len(load.jobs)}"
                )
                for _ in range(5):
                    load.step()
            # On a busy machine one takes seconds to start; on a fast one both seldom meet.
            while recorders.killed <= 2 or CLASH not in log.read_text():
                load.enqueue(10, f"campaign {len(load.jobs)}")
                load.step()
            load.finish()

        newest = load.newest_event()
        wait_for(
            "all to be recorded", lambda: read_cursor(admin.engine) == newest, 60 + DELIVERIES / 100
        )

    took = time.monotonic() - begun
    added = ever_added(admin.redis)

    with admin.db() as db:
        recorded = db.execute(select(func.count()).select_from(tables.events)).scalar_one()
        assert recorded == added, f"seed {SEED}"
        kept, told = in_tables(db), refold(db)

    assert kept.deliveries == told.deliveries, f"seed {SEED}"
    assert kept.attempts == told.attempts, f"seed {SEED}"
    assert {job: row["state"] for job, row in kept.deliveries.items()} == load.states(), (
        f"seed {SEED}"
    )

    clashes = log.read_text().count(CLASH)
    assert clashes, "both recorded at once"

    record_property(
        "said",
        f"{admin.engine.dialect.name}: {len(load.jobs):,} deliveries, {added:,} events, each recorded "
        f"once by two recorders, of which one was killed {recorders.killed} times; "
        f"{clashes} times both had the same batch; {took:.0f} s; seed {SEED}",
    )


def ever_added(redis: Redis) -> int:
    """How many events there ever were, trimmed ones included: the server itself counts them."""
    info: Any = redis.xinfo_stream(redis_keys.EVENTS)
    return int(info["entries-added"])
