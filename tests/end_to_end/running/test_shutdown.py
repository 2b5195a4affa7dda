"""Workers that are asked to stop while many requests are under way.

What was sent is settled, and nothing is sent again.
"""

from __future__ import annotations

import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from certmail import Mailer
from certmail_config.base import redis_keys
from support.deployment.deployment import (
    BUSY_SECONDS,
    Deployment,
    campaign,
    new_deployment,
    wait_for,
)
from support.processes.halt import Process

MANY = 200
"""So many a worker holds at once, if nothing else is set."""
HANGING = 20
HASTY = {  # whoever is stopped at once is noticed within seconds
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": "6",
    "CERTMAIL_SEND_WINDOW_SECONDS": "2",
    "CERTMAIL_LEASE_SECONDS": "12",
}
UNITS = 10_000_000


def crowded(deployment: Deployment) -> None:
    """A mailbox that may do whatever a worker can."""
    deployment.control(
        "PUT",
        "/limits",
        {"units_per_minute": UNITS, "project_units_per_minute": UNITS, "in_flight": 2 * MANY},
    )
    deployment.link(units=UNITS, in_flight=2 * MANY)
    deployment.admin.change_limits("acme/default", {"project_units_per_minute": UNITS})


def under_way(deployment: Deployment, fault: str) -> int:
    return sum(item["fault"] == fault for item in deployment.sends())


def have_arrived(deployment: Deployment, count: int) -> bool:
    return len(deployment.messages()) >= count


@pytest.mark.timeout(240)
def test_all_requests_that_a_full_worker_has_under_way_are_settled_before_it_ends(
    tmp_path: Path,
) -> None:
    with new_deployment(tmp_path, CERTMAIL_CONCURRENCY=str(MANY)) as deployment:
        crowded(deployment)
        worker = deployment.worker()
        wait_for("a worker", lambda: deployment.workers() == 1)
        deployment.fault("slow", times=None, seconds=10)
        jobs = deployment.send(campaign(MANY + 50))
        wait_for("all that it holds", lambda: under_way(deployment, "slow") >= MANY)
        worker.send_signal(signal.SIGTERM)

        assert worker.wait(BUSY_SECONDS) == 0

        sent = set(deployment.copies())
        with Mailer(deployment.admin.redis) as mailer:
            views = {job: mailer.status(job) for job in jobs}
        recorded_later = {job: view.state for job, view in views.items() if view}
        assert recorded_later.keys() == set(jobs)
        assert {job for job in jobs if recorded_later[job] == "accepted"} == sent
        assert set(recorded_later.values()) <= {"accepted", "ready", "dispatched"}
        assert deployment.admin.redis.scard(redis_keys.LEASED) == len(
            [job for job in jobs if recorded_later[job] == "dispatched"]
        )

        deployment.control("DELETE", "/faults")
        deployment.worker()
        deployment.wait_recorded(jobs, {"accepted"})
        assert deployment.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(240)
def test_a_rolling_restart_of_all_workers_under_load_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    with new_deployment(tmp_path) as deployment:
        deployment.control("PUT", "/limits", {"units_per_minute": 60_000})
        deployment.link(units=60_000, in_flight=10)
        workers = [deployment.worker() for _ in range(2)]
        wait_for("two workers", lambda: deployment.workers() == 2)
        jobs: list[str] = []

        for n, old in enumerate(workers):
            enough = len(jobs) + 20
            jobs += deployment.send(campaign(75, campaign=f"q{n}"))
            wait_for(f"{enough} mails", partial(have_arrived, deployment, enough))
            deployment.worker()
            wait_for("its successor", lambda: deployment.workers() == 3)
            old.send_signal(signal.SIGTERM)
            assert old.wait(BUSY_SECONDS) == 0

            wait_for("its leave", lambda: deployment.workers() == 2)

        states = deployment.wait_recorded(jobs, {"accepted", "uncertain", "failed"})
        assert set(states.values()) == {"accepted"}
        assert deployment.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "signals",
    [(signal.SIGQUIT,), (signal.SIGTERM, signal.SIGQUIT)],
    ids=["cold", "warm, then cold"],
)
def test_a_cold_shutdown_puts_nothing_back_that_was_sent(
    tmp_path: Path, signals: tuple[signal.Signals, ...]
) -> None:
    with new_deployment(tmp_path, **HASTY) as deployment:
        crowded(deployment)
        worker = deployment.worker()
        wait_for("a worker", lambda: deployment.workers() == 1)
        deployment.fault("hang_after", times=HANGING)
        jobs = deployment.send(campaign(2 * HANGING))
        wait_for("requests under way", lambda: under_way(deployment, "hang_after") >= HANGING)

        for each in signals:
            worker.send_signal(each)
            time.sleep(0.5)

        end(worker, tmp_path / "worker.log")
        deployment.worker()
        states = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
        assert list(states.values()).count("uncertain") >= HANGING
        assert max(deployment.copies().values()) == 1

        # What was on record as about to leave, and was stopped before its first byte, is in doubt
        # without a copy.
        never_left = set(jobs) - set(deployment.copies())
        assert {states[job] for job in never_left} <= {"uncertain"}


def end(worker: Process, log: Path) -> None:
    try:
        worker.wait(BUSY_SECONDS)
    except subprocess.TimeoutExpired:
        worker.send_signal(signal.SIGABRT)  # its log then has the stacks of its threads
        worker.wait()
        pytest.fail(f"it was told to stop at once, and has not:\n{log.read_text()[-8000:]}")
