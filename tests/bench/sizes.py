"""`make sizes`: what a tenant, a reminder that waits and one that has ended take in Redis and in SQL.

Tenants with a connection each are made, and their reminders enqueued by a Mailer, delivered by the
ledger's own scripts and recorded by the recorder, in fresh stores: a Valkey and a PostgreSQL. Then a
worker and a gateway are started as an operator does, and the most memory that they took is read.

    make sizes                      SIZES="--reminders 2000 --tenants 20" for fewer
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Final

from redis import Redis
from sqlalchemy import text

from bench.recording import place, record_all
from certmail import Mailer, Receipt
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Claimed,
    Settlement,
    advertise,
    begin,
    claim,
    dispatch,
    run,
    run_many,
    settle,
)
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.recording.consistency import run_id
from support.deployment.deployment import Deployment, campaign, new_deployment, wait_for
from support.servers.postgres import postgres

AT_ONCE: Final = 200
DETAIL: Final = (
    '{"outcome": "accepted", "ended_at": "2099-11-25T10:00:00.150+00:00", "http_status": 200, '
    '"gmail_id": "1923b5e7c4a7b539", "gmail_thread_id": "1923b5e7c4a7b539", "latency_ms": 150, '
    '"key_id": "0123456789abcdef0123456789abcdef01234567", "connection_version": 2}'
)
"""What a worker says of an answer of Google's."""
UNITS: Final = 10_000_000
"""A minute: so that nothing waits for a mailbox."""
KIB: Final = 1024
MAILS: Final = 2_000
"""So many a worker sends, to see what memory that takes."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of each; the last two are the most that a process took."""

    redis_a_tenant: float
    redis_waiting: float
    redis_event: float
    redis_ended: float
    sql_a_tenant: float
    sql_a_delivery: float
    worker: float
    gateway: float

    def lines(self) -> Iterator[str]:
        """For people."""
        names = {
            "redis_a_tenant": "Redis: a tenant with a connection",
            "redis_waiting": "Redis: a reminder that waits, recorded",
            "redis_event": "Redis: its event, until it is recorded",
            "redis_ended": "Redis: a reminder that has ended",
            "sql_a_tenant": "SQL: a tenant with a connection",
            "sql_a_delivery": "SQL: a delivery, its attempt and its events",
            "worker": "a worker, after some thousand mails",
            "gateway": "a gateway that was started",
        }
        for each in fields(self):
            value = getattr(self, each.name)
            said = f"{value / KIB**2:,.0f} MiB" if value > KIB**2 else f"{value / KIB:,.1f} KiB"
            yield f"{names[each.name]:46}{said:>10}"


def measure(tenants: int, reminders: int) -> Sizes:
    """Measure in stores of its own."""
    with postgres() as server:
        server.execute("CREATE DATABASE sizes")
        engine = open_database(server.url("sizes"))
        upgrade(engine)
        engine.dispose()
        with place(server.url("sizes")) as (admin, url):
            stores = _Stores(admin)
            admin.redis.set(redis_keys.CHECKED_RUN, run_id(admin.redis))
            empty = stores.now()
            _add_tenants(admin, tenants)
            few = stores.now()

            _enqueue(admin, tenants, reminders)
            enqueued = stores.now()
            asyncio.run(record_all(admin, url))
            waiting = stores.now()

            _deliver(admin.redis, reminders)
            asyncio.run(record_all(admin, url))
            ended = stores.now()

    worker, gateway = _processes(min(reminders, MAILS))
    return Sizes(
        redis_a_tenant=(few[0] - empty[0]) / tenants,
        redis_waiting=(waiting[0] - few[0]) / reminders,
        redis_event=(enqueued[0] - waiting[0]) / reminders,
        redis_ended=(ended[0] - few[0]) / reminders,
        sql_a_tenant=(few[1] - empty[1]) / tenants,
        sql_a_delivery=(ended[1] - few[1]) / reminders,
        worker=worker,
        gateway=gateway,
    )


class _Stores:
    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def now(self) -> tuple[int, int]:
        """Bytes in use of Redis, and of the database with its indexes."""
        gc.collect()
        with self._admin.engine.connect() as db:
            size = db.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return int(self._admin.redis.info("memory")["used_memory"]), int(size)


def _add_tenants(admin: Admin, count: int) -> None:
    for n in range(count):
        admin.add_tenant(f"t{n}")
        made = admin.add_customer_owned_app(
            f"t{n}",
            "default",
            service_account=f"certmail@iam-project-{n}.iam.gserviceaccount.com",
            mailbox=f"reviews@t{n}.example",
            limits=GoogleLimits(units_per_minute=UNITS, in_flight=100, per_day=100_000_000),
            valid_days=30,
        )
        admin.save(made.working(key_id=f"key of t{n}"))


def _enqueue(admin: Admin, tenants: int, count: int) -> None:
    """As an upstream application does, with the fields of a usual reminder."""
    with Mailer(admin.redis) as mailer:
        for answer in mailer.send_many(
            {
                "tenant": f"t{n % tenants}",
                "to": f"reviewer{n}@t{n % tenants}.example",
                "name": f"Reviewer Number {n}",
                "campaign": "2026-q4",
                "campaign_name": "Quarterly access review, finance",
                "pending": 12,
                "completed": 3,
                "link": f"https://iga.example/certifications/2026-q4/reviewers/{n}",
            }
            for n in range(count)
        ):
            assert isinstance(answer, Receipt), answer


def _deliver(redis: Redis, count: int) -> None:
    """Bring all to their end, many at once, as a worker does."""
    accepted = Settlement(AttemptOutcome.ACCEPTED, State.ACCEPTED, "")
    left = count
    while left:
        run(redis, advertise("w", 1000, seconds=3600))
        rung = run(redis, dispatch(AT_ONCE, unanswered=AT_ONCE)).jobs
        if not rung:
            sleep(0.05)
            continue
        calls = [claim(job, worker="w", nonce="n", lease_seconds=45) for job in rung]
        answers, _ = run_many(redis, calls)
        claimed = [each.job for each in answers if isinstance(each, Claimed)]
        run_many(redis, [begin(job, lease_seconds=45) for job in claimed])
        run_many(redis, [settle(job.id, 1, accepted, detail=DETAIL) for job in claimed])
        left -= len(claimed)


def _processes(mails: int) -> tuple[float, float]:
    """The memory that a worker and a gateway took at most, each a process as an operator starts it."""
    with TemporaryDirectory() as folder, new_deployment(Path(folder)) as deployment:
        deployment.control("PUT", "/limits", {"units_per_minute": 2 * UNITS, "in_flight": 200})
        deployment.link(units=UNITS, in_flight=100)
        with _started(deployment, "worker") as worker, _started(deployment, "gateway") as gateway:
            wait_for("the worker", lambda: deployment.workers() == 1)
            assert gateway.stdout is not None
            assert gateway.stdout.readline(), "it says where it listens"
            deployment.wait_recorded(deployment.send(campaign(mails)), {"accepted"})
            return _memory(worker.pid), _memory(gateway.pid)


@contextmanager
def _started(deployment: Deployment, command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "certmail_worker", command],
        env=deployment.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.terminate()
    process.wait(60)


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    [kib] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return float(kib * KIB)


def main(arguments: list[str]) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="bench.sizes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--reminders", type=int, default=10_000)
    given = parser.parse_args(arguments)

    for line in measure(given.tenants, given.reminders).lines():
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
