"""A worker is killed in the middle of its work.

Nothing is lost, and nobody gets the same reminder twice.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for


@pytest.mark.timeout(240)
def test_sixty_reminders_are_all_accounted_for_after_a_kill(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.control("PUT", "/limits", {"units_per_minute": 60_000})
        deployment.link(units=60_000)
        worker = deployment.worker()
        wait_for("a worker", lambda: deployment.workers() == 1)
        answers = []
        sending = threading.Thread(
            target=lambda: answers.append(deployment.ask("send", "-", stdin=campaign(60)))
        )
        sending.start()
        wait_for("the first mails", lambda: len(deployment.messages()) >= 5)
        deployment.fault("hang_after", times=2)  # so that requests are under way when it dies
        wait_for(
            "requests under way",
            lambda: (
                sum(item["status"] == "hang" for item in deployment.sends()) == 2
                or sum(item.get("fault") == "hang_after" for item in deployment.sends()) == 2
            ),
        )
        worker.kill()
        worker.wait()
        sending.join(60)
        [sent] = answers
        jobs = [receipt["id"] for receipt in sent["receipts"]]
        assert len(set(jobs)) == 60

        deployment.worker()
        states = deployment.wait_recorded(jobs, {"accepted", "uncertain"}, seconds=120)

        copies = deployment.copies()
        assert set(copies.values()) == {1}
        assert {job for job in jobs if states[job] == "accepted"} <= set(copies)
        assert set(copies) <= set(jobs)

        uncertain = [job for job in jobs if states[job] == "uncertain"]
        assert len(uncertain) >= 2

        for job in uncertain:
            status = deployment.status(job)
            assert (status["held"], status["reason"].partition(":")[0]) == (True, "worker_lost")
            assert [attempt["outcome"] for attempt in status["attempts"]] == ["unknown"]
