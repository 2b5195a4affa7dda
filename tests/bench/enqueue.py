"""`make enqueue`: what it costs to enqueue, beside Celery's own `delay` in a loop.

By default it is 100,000 reminders by one `send_many`.

    make enqueue                        ENQUEUE="--jobs 20000" for fewer

Both put the same data into the same kind of server, which writes to disk before it answers.
certmail checks each reminder, seals it, knows duplicates and gives a receipt; `delay` does none of
that.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery

from certmail import Mailer, Receipt, Reminder
from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.stores.embedded import embedded_server
from support.servers import allocator


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast, and how much of the client's and of the server's CPU."""

    name: str
    jobs: int
    seconds: float
    client_cpu: float
    server_cpu: float

    def line(self) -> str:
        """One line for people."""
        return (
            f"{self.name:32} {self.jobs:>8,} in {self.seconds:6.2f} s: {self.jobs / self.seconds:>8,.0f}/s; "
            f"CPU per job {self.client_cpu / self.jobs * 1e6:4.0f} µs here, {self.server_cpu / self.jobs * 1e6:4.0f} µs in the server"
        )


def fields(n: int) -> dict[str, Any]:
    """One reviewer's reminder."""
    return {
        "tenant": "acme",
        "to": f"reviewer{n}@people.example",
        "name": f"Reviewer Number {n}",
        "campaign": "2026-q4",
        "campaign_name": "Quarterly access review",
        "due_at": "2099-12-11T17:00:00+01:00",
        "pending": n % 7 + 1,
        "completed": 3,
        "link": f"https://iga.example/reviews/{n}",
    }


def send_many(redis: Any, jobs: int) -> None:
    """The whole way: made, checked, sealed, enqueued, receipts with forecasts."""
    with Mailer(redis) as mailer:
        answers = mailer.send_many(Reminder(**fields(n)) for n in range(jobs))
        assert sum(isinstance(each, Receipt) and not each.duplicate for each in answers) == jobs


def send_each(redis: Any, jobs: int) -> None:
    """The same, one `send` after the other: each waits for the disk."""
    with Mailer(redis) as mailer:
        for n in range(jobs):
            mailer.send(Reminder(**fields(n)))


def delay(url: str) -> Callable[[Any, int], None]:
    """Celery as it comes."""
    app = Celery("bench", broker=url.replace("unix://", "redis+socket://"))
    app.conf.task_ignore_result = True

    @app.task(name="remind")  # type: ignore[untyped-decorator]  # Celery has no types
    def remind(**_: Any) -> None:
        """Never run here."""

    def loop(_: Any, jobs: int) -> None:
        for n in range(jobs):
            remind.delay(**fields(n))

    return loop


def measure(name: str, way: Callable[[Any, int], None], redis: Any, jobs: int) -> Rate:
    """Run one way once."""
    before, cpu, started = _server_cpu(redis), _cpu(), time.perf_counter()
    way(redis, jobs)
    return Rate(
        name, jobs, time.perf_counter() - started, _cpu() - cpu, _server_cpu(redis) - before
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _server_cpu(redis: Any) -> float:
    used = redis.info("cpu")
    return float(used["used_cpu_sys"] + used["used_cpu_user"])


@contextmanager
def place() -> Iterator[tuple[str, Any]]:
    """A fresh server with the tenant `acme`: its URL, and a client."""
    with (
        allocator.as_shipped(),
        tempfile.TemporaryDirectory() as folder,
        embedded_server(Path(folder)) as url,
        open_admin(Settings(data_dir=Path(folder), redis_url=url)) as admin,
    ):
        admin.add_tenant("acme")
        yield url, admin.redis


def main(arguments: list[str]) -> None:
    """Measure all three, each on a server of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument(
        "--delays", type=int, default=20_000, help="how many for the loops, which are slower"
    )
    given = parser.parse_args(arguments)
    rates = []

    for name, jobs in (
        ("certmail, one send_many", given.jobs),
        ("certmail, send in a loop", given.delays),
        ("Celery, delay in a loop", given.delays),
    ):
        with place() as (url, redis):
            ways = {"one": send_many, "send": send_each, "delay": delay(url)}
            way = next(way for word, way in ways.items() if f", {word}" in name)
            way(redis, 0)
            rates.append(measure(name, way, redis, jobs))
            # What it is for.
            print(rates[-1].line(), flush=True)  # noqa: T201

    ratio = rates[0].jobs / rates[0].seconds / (rates[2].jobs / rates[2].seconds)
    print(f"send_many is {ratio:.1f} times as fast as delay.")  # noqa: T201
    print(f"The server runs with {allocator.name()}.")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
