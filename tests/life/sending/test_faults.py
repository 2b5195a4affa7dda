"""What goes wrong at Google on an ordinary day, through a running worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(
        Path(tmp_path_factory.mktemp("faults")), **QUICK, CERTMAIL_UNCERTAIN_5XX="resend:2"
    ) as made:
        made.link()
        made.worker()
        yield made


def send_one(place: Deployment, campaign_id: str) -> str:
    return place.send(campaign(1, campaign=campaign_id))[0]


def settle(place: Deployment, job: str, *states: str) -> dict[str, Any]:
    wait_for(f"{job} in {states}", lambda: place.status(job)["state"] in states)
    return place.status(job)


def outcomes(status: dict[str, Any]) -> list[tuple[int | None, str]]:
    return [(attempt["http_status"], attempt["outcome"]) for attempt in status["attempts"]]


def test_a_refused_token_is_renewed_and_the_second_attempt_goes_out(place: Deployment) -> None:
    place.fault("drop_token")
    job = send_one(place, "token")
    assert outcomes(settle(place, job, "accepted")) == [(401, "rejected"), (200, "accepted")]
    assert place.copies()[job] == 1


def test_a_deadline_in_the_text_is_waited_for_and_no_request_leaves_before(
    place: Deployment,
) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=6)
    place.fault(
        "429_retry_at", retry_at=deadline.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    job = send_one(place, "deadline")
    other = send_one(place, "deadline-other")
    assert [status for status, _ in outcomes(settle(place, job, "accepted"))] == [429, 200]
    assert len(settle(place, other, "accepted")["attempts"]) == 1
    asked = [
        datetime.fromisoformat(item["at"])
        for item in place.sends()
        if item["certmail_id"] in {job, other}
    ]
    assert [at for at in asked[1:] if at < deadline] == []


def test_a_bad_message_fails_at_once_with_googles_words(place: Deployment) -> None:
    error = {
        "error": {
            "code": 400,
            "message": "Invalid To header",
            "errors": [{"reason": "invalidArgument"}],
        }
    }

    place.fault({"status": 400, "headers": {}, "body": error})
    status = settle(place, send_one(place, "bad"), "failed")
    assert outcomes(status) == [(400, "rejected")]
    assert "Invalid To header" in status["reason"]


def test_a_lost_answer_is_uncertain_and_held_and_never_sent_again(place: Deployment) -> None:
    place.fault("reset_after")
    job = send_one(place, "lost")
    status = settle(place, job, "uncertain")
    assert (status["held"], outcomes(status)) == (True, [(None, "unknown")])
    assert status["reason"].startswith("answer_lost: ")
    assert place.copies()[job] == 1


def test_an_answer_that_does_not_come_in_time_is_uncertain(place: Deployment) -> None:
    place.fault("hang_after")
    job = send_one(place, "hang")
    status = settle(place, job, "uncertain")
    assert "no answer in time" in status["reason"]
    assert place.copies()[job] == 1


def test_a_proxys_error_page_is_uncertain_and_held(place: Deployment) -> None:
    place.fault("502_html")
    status = settle(place, send_one(place, "html"), "uncertain")
    assert (status["held"], outcomes(status)) == (True, [(502, "unknown")])


def test_googles_own_server_error_is_sent_once_more_on_record(place: Deployment) -> None:
    place.fault("503")
    job = send_one(place, "503")
    assert settle(place, job, "accepted", "failed")["possible_duplicate"]
    assert outcomes(place.status(job)) == [(503, "unknown"), (200, "accepted")]
    assert place.copies()[job] == 1


def test_a_connection_cut_before_the_answer_is_uncertain_even_if_nothing_was_accepted(
    place: Deployment,
) -> None:
    place.fault("reset_before")
    job = send_one(place, "before")
    assert settle(place, job, "uncertain")["held"]
    assert place.copies()[job] == 0


def test_a_token_endpoint_that_fails_for_a_moment_costs_no_attempt(place: Deployment) -> None:
    place.fault("503", path="/token")
    place.fault("drop_token")
    job = send_one(place, "token-503")
    assert outcomes(settle(place, job, "accepted")) == [(401, "rejected"), (200, "accepted")]
