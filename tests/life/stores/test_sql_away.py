"""The database is away under load, and workers are restarted meanwhile.

Sends go on, and all is recorded afterwards.

`SQL_AWAY=600 pytest tests/life/stores/test_sql_away.py` keeps it away for ten minutes.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for

AWAY_SECONDS: Final = float(os.environ.get("SQL_AWAY", "18"))
"""Longer than whoever needs it waits for a lock of SQLite's, at least."""
NOWHERE: Final = "postgresql+psycopg://certmail@127.0.0.1:9/certmail"


def enqueue(place: Deployment, count: int, name: str, tenant: str = "acme") -> list[str]:
    return place.send(campaign(count, tenant=tenant, campaign=name))


def arrived(place: Deployment, jobs: list[str]) -> bool:
    return set(jobs) <= set(place.copies())


def lane(place: Deployment, connection: str) -> str:
    found: Any = place.admin.redis.hget(redis_keys.LANE_INFO + connection, "state")
    return str(found.decode())


def end(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


@pytest.mark.timeout(AWAY_SECONDS + 240)
def test_sends_go_on_for_as_long_as_the_database_is_locked_through_restarts_of_all_workers(
    tmp_path: Path,
) -> None:
    settings = {**QUICK, "CERTMAIL_CONFIRM_SECONDS": "2", "CERTMAIL_CARE_SECONDS": "1"}
    with deployment(tmp_path, **settings) as place:
        place.link()
        broken = place.link("broken")
        workers = [place.worker() for _ in range(2)]
        wait_for("two workers", lambda: place.workers() == 2)
        jobs = enqueue(place, 5, "before")
        place.wait_recorded(jobs, {"accepted"})

        with closing(
            sqlite3.connect(tmp_path / "certmail.sqlite", isolation_level=None)
        ) as database:
            database.execute("BEGIN EXCLUSIVE")
            until = time.monotonic() + AWAY_SECONDS
            match = {"path": "/token", "mailbox": "reviews@broken.example"}
            gone = {"status": 400, "headers": {}, "body": {"error": "invalid_grant"}}
            place.control("POST", "/faults", {"match": match, "fault": gone, "times": None})
            stopped = enqueue(place, 3, "stopped", "broken")
            n = 0

            while n < 2 or time.monotonic() < until:
                n += 1
                now = enqueue(place, 10, f"away {n}")
                wait_for(f"the mails of round {n}", lambda now=now: arrived(place, now), 60)  # type: ignore[misc]
                jobs += now
                place.worker()
                end(workers.pop(0))
                workers.append(place.worker())
                wait_for("it is there", lambda: place.workers() >= 2)
                time.sleep(min(15.0, max(0.0, until - time.monotonic())))  # load comes in waves

            wait_for(
                "what delivery found out stops the lane", lambda: lane(place, broken) == "suspended"
            )
            assert place.admin.connection(broken).state == "active", "SQL cannot know of it yet"
            database.execute("ROLLBACK")

        place.wait_recorded(jobs, {"accepted"})
        wait_for("SQL knows", lambda: place.admin.connection(broken).state == "attention")
        assert lane(place, broken) == "suspended"
        assert {place.status(job)["state"] for job in stopped} == {"ready"}
        assert place.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(180)
def test_a_worker_starts_without_a_database_and_sends(tmp_path: Path) -> None:
    with deployment(tmp_path, **QUICK) as place:
        place.link()
        first = place.worker()
        wait_for("a worker", lambda: place.workers() == 1)
        jobs = enqueue(place, 3, "before")
        place.wait_recorded(jobs, {"accepted"})
        end(first)
        second = place.worker(CERTMAIL_DATABASE_URL=NOWHERE)
        later = enqueue(place, 5, "away")
        wait_for("mails", lambda: arrived(place, later))
        assert "Sending goes on without it" in (tmp_path / "worker.log").read_text()
        end(second)
        place.worker()
        place.wait_recorded(jobs + later, {"accepted"})
        assert place.copies() == dict.fromkeys(jobs + later, 1)
