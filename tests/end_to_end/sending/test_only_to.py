"""A deployment for trying out: only whom CERTMAIL_ONLY_TO names gets mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment

ONLY = {"CERTMAIL_ONLY_TO": "reviewer1@people.example, @staging.example"}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK) as made:
        yield made


def test_all_others_reminders_end_unsent_and_the_record_says_why(deployment: Deployment) -> None:
    deployment.link()
    deployment.worker(**ONLY)
    jobs = deployment.send(campaign(3))

    deployment.wait_recorded([jobs[1]], {"accepted"})
    deployment.wait_recorded([jobs[0], jobs[2]], {"suppressed"})

    assert deployment.copies() == {jobs[1]: 1}
    status = deployment.ask("status", jobs[0])
    assert status["attempts"] == []
    assert "CERTMAIL_ONLY_TO does not name its recipient" in str(status)


def test_the_reminder_of_before_is_not_sent_by_a_worker_without_it(deployment: Deployment) -> None:
    deployment.link()
    worker = deployment.worker(**ONLY)
    jobs = deployment.send(campaign(1))
    deployment.wait_recorded(jobs, {"suppressed"})
    worker.terminate()
    assert worker.wait(60) == 0

    deployment.worker()
    [again] = deployment.ask("send", "-", stdin=campaign(1))["receipts"]
    assert (again["id"], again["duplicate"], again["state"]) == (jobs[0], True, "suppressed")
    assert deployment.copies() == {}
