"""A customer who grants gmail.metadata: lost answers are looked up among the sent mails.

None stays in doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for


def _tried(place: Deployment, job: str) -> bool:
    return bool(place.status(job)["attempts"])


def _accepted(place: Deployment, job: str) -> bool:
    return bool(place.status(job)["state"] == "accepted")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path, **QUICK, CERTMAIL_VERIFY_SECONDS="5") as made:
        made.link(verify=True)
        yield made


def test_what_was_accepted_is_found_and_what_was_not_is_sent_again(place: Deployment) -> None:
    place.worker()
    jobs = {}
    faults: dict[str, dict[str, Any]] = {
        "reset_after": {},
        "accept_late": {"seconds": 3},
        "reset_before": {},
    }
    for fault, more in faults.items():
        place.fault(fault, **more)
        jobs[fault] = place.send(campaign(1, campaign=fault))[0]
        wait_for(f"{fault} to happen", partial(_tried, place, jobs[fault]))

    for fault in ("reset_after", "accept_late"):
        job = jobs[fault]
        wait_for(f"{fault} to be found", partial(_accepted, place, job))
        status = place.status(job)
        assert status["reason"].startswith("verified: ")
        assert not status["possible_duplicate"]
        [attempt] = status["attempts"]
        assert attempt["gmail_id"] in {message["id"] for message in place.messages()}
        assert attempt["outcome"] == "accepted"

    place.wait_recorded(list(jobs.values()), {"accepted"})
    lost = place.status(jobs["reset_before"])
    assert [attempt["outcome"] for attempt in lost["attempts"]] == ["not_sent", "accepted"]
    assert not lost["possible_duplicate"], "nobody doubts that the first one never left"
    assert place.copies() == dict.fromkeys(jobs.values(), 1)


def test_a_killed_workers_mail_is_found_after_its_lease(place: Deployment) -> None:
    worker = place.worker()
    place.fault("hang_after")
    job = place.send(campaign(1))[0]
    wait_for(
        "the request to hang", lambda: any(item["fault"] == "hang_after" for item in place.sends())
    )
    worker.kill()
    worker.wait()
    place.worker()
    place.wait_recorded([job], {"accepted"})
    assert place.status(job)["reason"].startswith("verified: ")
    assert place.copies()[job] == 1
