"""Several workers: one keeps, another takes over, and any may be told to stop."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path

from certmail_worker.services.keeper import LEASE_SECONDS, RENEW_SECONDS
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for

LATE = 30.0
"""Seconds by which a busy machine may come late to a lease that is over."""


def test_when_the_keeper_is_killed_another_takes_over_within_five_seconds(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        keeper = deployment.worker()
        wait_for("a keeper", lambda: '"keeper"' in (tmp_path / "worker.log").read_text())
        deployment.start("certmail_worker", "worker", log="second.log")
        wait_for("two workers", lambda: deployment.workers() == 2)
        jobs = deployment.send(campaign(12))
        wait_for("the first mails", lambda: len(deployment.messages()) >= 2)
        killed = datetime.now(UTC)
        keeper.kill()
        second = tmp_path / "second.log"
        wait_for("the second keeps", lambda: '"keeper"' in second.read_text())

        # The longest that a lease goes on, and the longest until it is asked for.
        assert LEASE_SECONDS + RENEW_SECONDS < 5
        [line] = [line for line in second.read_text().splitlines() if '"event": "keeper"' in line]
        kept = datetime.fromisoformat(json.loads(line)["timestamp"])
        assert (kept - killed).total_seconds() < 5 + LATE

        states = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
        assert set(deployment.copies().values()) == {1}
        assert list(states.values()).count("accepted") >= 11


def test_a_worker_told_to_stop_finishes_what_is_under_way_and_leaves_the_rest(
    tmp_path: Path,
) -> None:
    with new_deployment(
        tmp_path, **(QUICK | {"CERTMAIL_HTTP_TIMEOUT_SECONDS": "6", "CERTMAIL_LEASE_SECONDS": "11"})
    ) as deployment:
        deployment.link(units=150_000, in_flight=20)
        deployment.control("PUT", "/limits", {"units_per_minute": 150_000, "in_flight": 20})
        worker = deployment.worker()
        wait_for("a worker", lambda: deployment.workers() == 1)
        # Twenty requests that are accepted at once and answered never: each takes the whole HTTP
        # time-out.
        deployment.fault("hang_after", times=20)
        jobs = deployment.send(campaign(40))
        wait_for("twenty under way", lambda: len(deployment.copies()) == 20)
        worker.send_signal(signal.SIGTERM)

        assert worker.wait(60) == 0
        assert len(deployment.copies()) == 20

        deployment.worker()
        states = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
        assert sorted(states.values()).count("uncertain") == 20

        for job in (job for job in jobs if states[job] == "uncertain"):
            assert (
                deployment.status(job)["reason"]
                == "answer_lost: Gmail's answer was lost: no answer in time"
            )

        assert deployment.copies() == dict.fromkeys(jobs, 1)
