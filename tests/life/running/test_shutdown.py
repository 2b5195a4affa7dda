"""Workers that are asked to stop while many requests are under way.

What was sent is settled, and nothing is sent again.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for

MANY = 500
UNITS = 10_000_000


def crowded(place: Deployment) -> None:
    """A mailbox that may do whatever a worker can."""
    place.control(
        "PUT",
        "/limits",
        {"units_per_minute": UNITS, "project_units_per_minute": UNITS, "in_flight": 2 * MANY},
    )
    place.link(units=UNITS, in_flight=2 * MANY)
    place.admin.change_limits("acme/default", {"project_units_per_minute": UNITS})


def under_way(place: Deployment, fault: str) -> int:
    return sum(item["fault"] == fault for item in place.sends())


@pytest.mark.timeout(240)
def test_five_hundred_requests_under_way_are_all_settled_before_the_worker_ends(
    tmp_path: Path,
) -> None:
    with deployment(tmp_path, CERTMAIL_CONCURRENCY=str(MANY)) as place:
        crowded(place)
        worker = place.worker()
        wait_for("a worker", lambda: place.workers() == 1)
        place.fault("slow", times=None, seconds=12)
        jobs = place.send(campaign(MANY + 100))
        wait_for("all that it holds", lambda: under_way(place, "slow") >= MANY)
        told = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(45) == 0
        assert time.monotonic() - told < 45
        sent = set(place.copies())
        recorded_later = {job: place.status(job)["state"] for job in jobs}
        assert {job for job in jobs if recorded_later[job] == "accepted"} == sent
        assert set(recorded_later.values()) <= {"accepted", "ready", "dispatched"}
        assert place.admin.redis.scard(redis_keys.LEASED) == len(
            [job for job in jobs if recorded_later[job] == "dispatched"]
        )
        place.control("DELETE", "/faults")
        place.worker()
        place.wait_recorded(jobs, {"accepted"})
        assert place.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(240)
def test_a_rolling_restart_of_all_workers_under_load_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    with deployment(tmp_path) as place:
        place.control("PUT", "/limits", {"units_per_minute": 60_000})
        place.link(units=60_000, in_flight=10)
        workers = [place.worker() for _ in range(2)]
        wait_for("two workers", lambda: place.workers() == 2)
        jobs = place.send(campaign(300))

        for n, old in enumerate(workers):
            wait_for(f"{60 * (n + 1)} mails", lambda n=n: len(place.messages()) >= 60 * (n + 1), 90)  # type: ignore[misc]
            place.worker()
            wait_for("its successor", lambda: place.workers() == 3)
            old.send_signal(signal.SIGTERM)
            assert old.wait(60) == 0
            wait_for("its leave", lambda: place.workers() == 2)

        states = place.wait_recorded(jobs, {"accepted", "uncertain", "failed"}, seconds=90)
        assert set(states.values()) == {"accepted"}
        assert place.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "signals",
    [(signal.SIGQUIT,), (signal.SIGTERM, signal.SIGQUIT)],
    ids=["cold", "warm, then cold"],
)
def test_a_cold_shutdown_puts_nothing_back_that_was_sent(
    tmp_path: Path, signals: tuple[signal.Signals, ...]
) -> None:
    with deployment(tmp_path, **QUICK) as place:
        crowded(place)
        worker = place.worker()
        wait_for("a worker", lambda: place.workers() == 1)
        place.fault("hang_after", times=30)
        jobs = place.send(campaign(60))
        wait_for("thirty under way", lambda: under_way(place, "hang_after") >= 30)

        for each in signals:
            worker.send_signal(each)
            time.sleep(0.5)

        end(worker, tmp_path / "worker.log")
        place.worker()
        states = place.wait_recorded(jobs, {"accepted", "uncertain"})
        assert list(states.values()).count("uncertain") >= 30
        assert max(place.copies().values()) == 1
        # What was on record as about to leave, and was stopped before its first byte, is in doubt
        # without a copy.
        never_left = set(jobs) - set(place.copies())
        assert {states[job] for job in never_left} <= {"uncertain"}


def end(worker: subprocess.Popen[bytes], log: Path) -> None:
    try:
        worker.wait(60)
    except subprocess.TimeoutExpired:
        worker.send_signal(signal.SIGABRT)  # its log then has the stacks of its threads
        worker.wait()
        pytest.fail(
            f"it was told to stop at once, and has not after 40 seconds:\n{log.read_text()[-8000:]}"
        )
