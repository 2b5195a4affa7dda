"""A customer who grants gmail.metadata: lost answers are looked up among the sent mails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.town import QUICK, Town, campaign, town, wait_for


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, **QUICK) as made:
        made.link(verify=True)
        yield made


def test_what_was_accepted_is_found_and_what_was_not_stays_uncertain(place: Town) -> None:
    place.worker()
    jobs = {}
    faults: dict[str, dict[str, Any]] = {"reset_after": {}, "accept_late": {"seconds": 3}, "reset_before": {}}
    for fault, more in faults.items():
        place.fault(fault, **more)
        jobs[fault] = place.send(campaign(1, campaign=fault))[0]
        wait_for(f"{fault} to happen", lambda job=jobs[fault]: place.status(job)["attempts"] != [])  # type: ignore[misc]
    for fault in ("reset_after", "accept_late"):
        wait_for(f"{fault} to be found", lambda job=jobs[fault]: place.status(job)["state"] == "accepted")  # type: ignore[misc]
        status = place.status(jobs[fault])
        assert status["reason"].startswith("verified: ")
        assert not status["possible_duplicate"]
        [attempt] = status["attempts"]
        assert attempt["gmail_id"] in {message["id"] for message in place.messages()}
        assert attempt["outcome"] == "accepted"
    lost = place.status(jobs["reset_before"])
    assert (lost["state"], lost["held"]) == ("uncertain", True)
    recorded = place.wait_recorded([jobs["reset_after"], jobs["accept_late"]], {"accepted"})
    assert recorded[jobs["reset_before"]] == "uncertain"
    assert place.copies() == {jobs["reset_after"]: 1, jobs["accept_late"]: 1}


def test_a_killed_workers_mail_is_found_after_its_lease(place: Town) -> None:
    worker = place.worker()
    place.fault("hang_after")
    job = place.send(campaign(1))[0]
    wait_for("the request to hang", lambda: any(item["fault"] == "hang_after" for item in place.sends()))
    worker.kill()
    worker.wait()
    place.worker()
    place.wait_recorded([job], {"accepted"}, seconds=40)
    assert place.status(job)["reason"].startswith("verified: ")
    assert place.copies()[job] == 1
