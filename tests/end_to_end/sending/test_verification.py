"""A customer who grants gmail.metadata: lost answers are looked up among the sent mails.

None stays in doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for


def _tried(deployment: Deployment, job: str) -> bool:
    return bool(deployment.status(job)["attempts"])


def _accepted(deployment: Deployment, job: str) -> bool:
    return bool(deployment.status(job)["state"] == "accepted")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK, CERTMAIL_VERIFY_SECONDS="2") as made:
        made.link(verify=True)
        yield made


def test_what_was_accepted_is_found_and_what_was_not_is_sent_again(deployment: Deployment) -> None:
    deployment.worker()
    jobs = {}
    faults: dict[str, dict[str, Any]] = {
        "reset_after": {},
        "accept_late": {"seconds": 1},
        "reset_before": {},
    }
    for fault, more in faults.items():
        deployment.fault(fault, **more)
        jobs[fault] = deployment.send(campaign(1, campaign=fault))[0]
        wait_for(f"{fault} to happen", partial(_tried, deployment, jobs[fault]))

    for fault in ("reset_after", "accept_late"):
        job = jobs[fault]
        wait_for(f"{fault} to be found", partial(_accepted, deployment, job))
        status = deployment.status(job)
        assert status["reason"].startswith("verified: ")
        assert not status["possible_duplicate"]

        [attempt] = status["attempts"]
        assert attempt["gmail_id"] in {message["id"] for message in deployment.messages()}
        assert attempt["outcome"] == "accepted"

    deployment.wait_recorded(list(jobs.values()), {"accepted"})
    lost = deployment.status(jobs["reset_before"])
    assert [attempt["outcome"] for attempt in lost["attempts"]] == ["not_sent", "accepted"]
    assert not lost["possible_duplicate"], "nobody doubts that the first one never left"
    assert deployment.copies() == dict.fromkeys(jobs.values(), 1)


def test_a_killed_workers_mail_is_found_after_its_lease(deployment: Deployment) -> None:
    worker = deployment.worker()
    deployment.fault("hang_after")
    job = deployment.send(campaign(1))[0]
    wait_for(
        "the request to hang",
        lambda: any(item["fault"] == "hang_after" for item in deployment.sends()),
    )
    worker.kill()
    worker.wait()
    deployment.worker()
    deployment.wait_recorded([job], {"accepted"})

    assert deployment.status(job)["reason"].startswith("verified: ")
    assert deployment.copies()[job] == 1
