"""`make recording`: what it costs to record a delivered mail, in the recorder alone.

The events of delivered mails are put into Redis as the ledger would, once all at once, as after an
outage, and once at the pace of one Cloud project, where they had been enqueued, and that recorded,
before. One recorder reads them into an empty database, on SQLite and on PostgreSQL. What others do,
the databases' own servers among them, is not counted.

    make recording                      RECORDING="--mails 500" for fewer
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event

from bench.mail_events import Entry, entries, put
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.stores.connect import connect, connect_gathering
from certmail_config.stores.embedded import embedded_server
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.recording.consistency import check
from certmail_worker.recording.recorder import record
from support.servers.postgres import postgres

PACE: Final = 196.0
"""Mails a second: what Google grants one Cloud project."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What recording so many mails took."""

    mails: int
    cpu: float
    statements: int
    commands: int
    trips: int

    def line(self, name: str) -> str:
        """One line for people."""
        of = {
            "statements": self.statements,
            "Redis commands": self.commands,
            "round trips": self.trips,
        }
        counts = ", ".join(f"{count / self.mails:.2f} {what}" for what, count in of.items())
        return f"{name:36} {self.cpu / self.mails * 1e6:6.0f} µs of CPU a mail; {counts}"


def feed(url: str, portions: list[list[Entry]], pace: float) -> None:
    """In a process of its own: put so many portions a second."""
    redis, begun = connect(url), time.monotonic()
    for n, portion in enumerate(portions):
        time.sleep(max(0.0, begun + n / pace - time.monotonic()))
        put(redis, portion)


async def record_all(admin: Admin, url: str, feeder: BaseProcess | None = None) -> None:
    """Run the recorder until it has recorded all there is, and all that a feeder puts there."""
    async with connect_gathering(url) as redis:
        done, newest = asyncio.Event(), ""

        async def look() -> None:
            nonlocal newest
            if not newest and (feeder is None or not feeder.is_alive()):
                newest = str((await redis.xinfo_stream(redis_keys.EVENTS))["last-generated-id"])
            if newest and newest in str(await redis.get(redis_keys.RECORDED)):
                done.set()

        recording = asyncio.create_task(
            record(redis, Directory(redis, admin.vault), admin.engine, look)
        )
        ended = asyncio.create_task(done.wait())
        await asyncio.wait({recording, ended}, return_when=asyncio.FIRST_COMPLETED)
        assert done.is_set(), recording.exception()
        recording.cancel()
        with suppress(asyncio.CancelledError):
            await recording


def measure(database: str | None, mails: int, pace: float | None) -> Cost:
    """Record so many mails in a place of its own; without a pace, all lie there at once."""
    with place(database) as (admin, url):
        portions, feeder = entries(admin, mails), None
        if pace is None:
            for portion in portions:
                put(admin.redis, portion)
        else:
            put(admin.redis, portions[0])
            asyncio.run(record_all(admin, url))
            feeder = multiprocessing.get_context("spawn").Process(
                target=feed, args=(url, portions[1:], pace)
            )
            feeder.start()

        with _statements(admin.engine) as statements:
            before, began = _counts(admin.redis), time.process_time()
            asyncio.run(record_all(admin, url, feeder))
            cpu, after = time.process_time() - began, _counts(admin.redis)

    commands, trips = (then - now for now, then in zip(before, after, strict=True))
    if feeder is not None:  # its own are not the recorder's
        puts = [len(portion) for portion in portions[1:]]
        commands, trips = commands - sum(puts), trips - len(puts)
    return Cost(mails, cpu, len(statements), commands, trips)


def _counts(redis: Any) -> tuple[int, int]:
    stats = redis.info("stats")
    return stats["total_commands_processed"], stats["total_reads_processed"]


@contextmanager
def _statements(engine: Engine) -> Iterator[list[str]]:
    heard: list[str] = []

    def note(_db: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield heard
    event.remove(engine, "before_cursor_execute", note)


@contextmanager
def place(database: str | None) -> Iterator[tuple[Admin, str]]:
    """Fresh stores: the file of SQLite's, or the database with this URL."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(Path(folder)) as url:
        settings = Settings(
            data_dir=Path(folder),
            redis_url=url,
            database_url=database,
            vault_keys=(("k", os.urandom(32)),),
        )
        with open_admin(settings) as admin:
            assert check(admin.redis, admin.engine)
            yield admin, url


def main(arguments: list[str]) -> None:
    """Measure both databases, each time on fresh stores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)

    with postgres() as server:
        server.execute("CREATE DATABASE pattern")
        engine = open_database(server.url("pattern"))
        upgrade(engine)
        engine.dispose()

        for (name, pace), database in product(
            (("all at once", None), (f"{PACE:g} a second", PACE)), ("SQLite", "PostgreSQL")
        ):
            costs = []
            for turn in range(given.rounds):
                url = None
                if database == "PostgreSQL":
                    copy = f"{'paced' if pace else 'once'}{turn}"
                    server.execute(f"CREATE DATABASE {copy} TEMPLATE pattern")
                    url = server.url(copy)
                costs.append(measure(url, given.mails, pace))
            middle = sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]
            # What it is for.
            print(middle.line(f"{database}, {name}"), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
