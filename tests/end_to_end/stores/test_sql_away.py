"""The database is away under load, and workers are restarted meanwhile.

Sends go on, and all is recorded afterwards.

`SQL_AWAY=600 pytest tests/end_to_end/stores/test_sql_away.py` keeps it away for ten minutes.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for
from support.processes.halt import Process

AWAY_SECONDS: Final = float(os.environ.get("SQL_AWAY", "18"))
"""Longer than whoever needs it waits for a lock of SQLite's, at least."""
NOWHERE: Final = "postgresql+psycopg://certmail@127.0.0.1:9/certmail"


def enqueue(deployment: Deployment, count: int, name: str, tenant: str = "acme") -> list[str]:
    return deployment.send(campaign(count, tenant=tenant, campaign=name))


def arrived(deployment: Deployment, jobs: list[str]) -> bool:
    return set(jobs) <= set(deployment.copies())


def lane(deployment: Deployment, connection: str) -> str:
    found: Any = deployment.admin.redis.hget(redis_keys.LANE_INFO + connection, "state")
    return str(found.decode())


def end(worker: Process) -> None:
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


@pytest.mark.timeout(AWAY_SECONDS + 240)
def test_sends_go_on_for_as_long_as_the_database_is_locked_through_restarts_of_all_workers(
    tmp_path: Path,
) -> None:
    settings = {**QUICK, "CERTMAIL_CONFIRM_SECONDS": "2", "CERTMAIL_CARE_SECONDS": "1"}
    with new_deployment(tmp_path, **settings) as deployment:
        deployment.link()
        broken = deployment.link("broken")
        workers = [deployment.worker() for _ in range(2)]
        wait_for("two workers", lambda: deployment.workers() == 2)
        jobs = enqueue(deployment, 5, "before")
        deployment.wait_recorded(jobs, {"accepted"})

        with closing(
            sqlite3.connect(tmp_path / "certmail.sqlite", isolation_level=None)
        ) as database:
            database.execute("BEGIN EXCLUSIVE")
            until = time.monotonic() + AWAY_SECONDS
            match = {"path": "/token", "mailbox": "reviews@broken.example"}
            gone = {"status": 400, "headers": {}, "body": {"error": "invalid_grant"}}
            deployment.control("POST", "/faults", {"match": match, "fault": gone, "times": None})
            stopped = enqueue(deployment, 3, "stopped", "broken")

            n = 0
            while n < 2 or time.monotonic() < until:
                n += 1
                now = enqueue(deployment, 10, f"away {n}")
                wait_for(
                    f"the mails of round {n}",
                    lambda now=now: arrived(deployment, now),  # type: ignore[misc]
                    60,
                )
                jobs += now
                deployment.worker()
                end(workers.pop(0))
                workers.append(deployment.worker())
                wait_for("it is there", lambda: deployment.workers() >= 2)
                time.sleep(min(15.0, max(0.0, until - time.monotonic())))  # load comes in waves

            wait_for(
                "what delivery found out stops the lane",
                lambda: lane(deployment, broken) == "suspended",
            )
            assert deployment.admin.connection(broken).state == "active", (
                "SQL cannot know of it yet"
            )

            database.execute("ROLLBACK")

        deployment.wait_recorded(jobs, {"accepted"})
        wait_for("SQL knows", lambda: deployment.admin.connection(broken).state == "attention")
        assert lane(deployment, broken) == "suspended"
        assert {deployment.status(job)["state"] for job in stopped} == {"ready"}
        assert deployment.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(180)
def test_a_worker_starts_without_a_database_and_sends(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        first = deployment.worker()
        wait_for("a worker", lambda: deployment.workers() == 1)
        jobs = enqueue(deployment, 3, "before")
        deployment.wait_recorded(jobs, {"accepted"})
        end(first)
        second = deployment.worker(CERTMAIL_DATABASE_URL=NOWHERE)
        later = enqueue(deployment, 5, "away")
        wait_for("mails", lambda: arrived(deployment, later))
        assert "starts_without_database" in (tmp_path / "worker.log").read_text()

        end(second)
        deployment.worker()
        deployment.wait_recorded(jobs + later, {"accepted"})
        assert deployment.copies() == dict.fromkeys(jobs + later, 1)
