"""`make stopped`: a worker that stands still (SIGSTOP), with the settings that everybody has.

It is noticed, its reminders are taken over in under a minute, and once it goes on it sends none of
them. The suite has the same with shorter leases, at every point of a delivery
(sending/test_freeze_points.py); this one measures.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import Deployment, campaign, new_deployment, wait_for
from support.processes.halt import Process, freeze, thaw

UNITS = 600_000
PROMISED_SECONDS = 60
HELD = frozenset({"dispatched", "sending"})


def held_by(deployment: Deployment, pid: int) -> dict[str, str]:
    """The jobs that a worker holds, and their states."""
    redis: Any = deployment.admin.redis
    found = {}
    for name in redis.smembers(redis_keys.LEASED):
        state, worker = redis.hmget(redis_keys.JOB + name.decode(), ["state", "worker"])
        if worker is not None and f":{pid}:" in worker.decode() and state.decode() in HELD:
            found[name.decode()] = str(state.decode())
    return found


@pytest.mark.timeout(400)
def test_what_a_stopped_worker_held_is_taken_over_in_under_a_minute(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        limits = {"units_per_minute": UNITS, "project_units_per_minute": UNITS, "in_flight": 40}
        deployment.control("PUT", "/limits", limits)
        for tenant in ("acme", "globex"):
            deployment.link(tenant, units=UNITS, in_flight=20)
            deployment.admin.change_limits(f"{tenant}/default", {"project_units_per_minute": UNITS})

        workers = [
            deployment.start("certmail_worker", "worker", log=f"worker-{n}.log") for n in range(2)
        ]
        wait_for("two workers", lambda: deployment.workers() == 2)
        # Here what is claimed waits for a token, there what has begun for Gmail's answer.
        match = {"path": "/token", "mailbox": "reviews@globex.example"}
        slow = {"fault": "slow", "times": None, "seconds": 20}
        deployment.control("POST", "/faults", {"match": match, **slow})
        deployment.control("POST", "/faults", {"match": {"path": "/messages/send"}, **slow})
        jobs = deployment.send(campaign(20)) + deployment.send(campaign(20, tenant="globex"))

        both: list[Process] = []

        def one_holds_both_kinds() -> bool:
            both[:] = [
                each for each in workers if set(held_by(deployment, each.pid).values()) == HELD
            ]
            return bool(both)

        wait_for("reminders that one worker prepares, and that it sends", one_holds_both_kinds)
        worker = both[0]
        [other] = [each for each in workers if each is not worker]
        freeze(worker)
        since = time.monotonic()
        held = held_by(deployment, worker.pid)
        deployment.control("DELETE", "/faults")
        wait_for("it to be noticed", lambda: deployment.workers() == 1)
        noticed = time.monotonic() - since
        wait_for("all to be taken over", lambda: not held_by(deployment, worker.pid))
        taken_over = time.monotonic() - since
        prepared = [job for job, state in held.items() if state == "dispatched"]
        deployment.wait_recorded(prepared, {"accepted"})
        sent = time.monotonic() - since
        doubtful = [job for job, state in held.items() if state == "sending"]
        states = {job: deployment.status(job)["state"] for job in doubtful}

        thaw(worker)
        # What it had begun it settles itself, if it still reads Gmail's answer: late, and once.
        ends = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
        worker.terminate()
        assert worker.wait(90) == 0
        assert other.poll() is None
        assert deployment.copies() == dict.fromkeys(jobs, 1)
        assert {job for job in jobs if ends[job] == "uncertain"} <= set(doubtful)

        figures = {
            "held": len(held),
            "prepared": len(prepared),
            "sending": len(doubtful),
            "noticed_seconds": round(noticed, 1),
            "taken_over_seconds": round(taken_over, 1),
            "sent_by_another_seconds": round(sent, 1),
            "begun_were": sorted(set(states.values())),
            "begun_stayed_uncertain": sum(end == "uncertain" for end in ends.values()),
        }
        sys.stderr.write(json.dumps(figures) + "\n")
        assert prepared, "it held some that it had not begun"
        assert doubtful, "and some that it had"
        assert taken_over < PROMISED_SECONDS
        assert sent < PROMISED_SECONDS
        assert set(states.values()) == {"uncertain"}
