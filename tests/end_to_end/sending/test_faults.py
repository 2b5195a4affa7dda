"""Google's faults of an ordinary day, through a running worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(
        Path(tmp_path_factory.mktemp("faults")), **QUICK, CERTMAIL_UNCERTAIN_5XX="resend:2"
    ) as made:
        made.link()
        made.worker()
        yield made


def send_one(deployment: Deployment, campaign_id: str) -> str:
    return deployment.send(campaign(1, campaign=campaign_id))[0]


def settle(deployment: Deployment, job: str, *states: str) -> dict[str, Any]:
    wait_for(f"{job} in {states}", lambda: deployment.status(job)["state"] in states)
    return deployment.status(job)


def outcomes(status: dict[str, Any]) -> list[tuple[int | None, str]]:
    return [(attempt["http_status"], attempt["outcome"]) for attempt in status["attempts"]]


def test_a_refused_token_is_renewed_and_the_second_attempt_goes_out(deployment: Deployment) -> None:
    deployment.fault("drop_token")
    job = send_one(deployment, "token")
    assert outcomes(settle(deployment, job, "accepted")) == [(401, "rejected"), (200, "accepted")]
    assert deployment.copies()[job] == 1


def test_a_deadline_in_the_text_is_waited_for_and_no_request_leaves_before(
    deployment: Deployment,
) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=6)
    deployment.fault(
        "429_retry_at", retry_at=deadline.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    job = send_one(deployment, "deadline")
    other = send_one(deployment, "deadline-other")

    assert [status for status, _ in outcomes(settle(deployment, job, "accepted"))] == [429, 200]
    assert len(settle(deployment, other, "accepted")["attempts"]) == 1

    asked = [
        datetime.fromisoformat(item["at"])
        for item in deployment.sends()
        if item["certmail_id"] in {job, other}
    ]
    assert [at for at in asked[1:] if at < deadline] == []


def test_a_bad_message_fails_at_once_with_googles_words(deployment: Deployment) -> None:
    error = {
        "error": {
            "code": 400,
            "message": "Invalid To header",
            "errors": [{"reason": "invalidArgument"}],
        }
    }

    deployment.fault({"status": 400, "headers": {}, "body": error})
    status = settle(deployment, send_one(deployment, "bad"), "failed")
    assert outcomes(status) == [(400, "rejected")]
    assert "Invalid To header" in status["reason"]


def test_a_lost_answer_is_uncertain_and_held_and_never_sent_again(deployment: Deployment) -> None:
    deployment.fault("reset_after")
    job = send_one(deployment, "lost")
    status = settle(deployment, job, "uncertain")
    assert (status["held"], outcomes(status)) == (True, [(None, "unknown")])
    assert status["reason"].startswith("answer_lost: ")
    assert deployment.copies()[job] == 1


def test_an_answer_that_does_not_come_in_time_is_uncertain(deployment: Deployment) -> None:
    deployment.fault("hang_after")
    job = send_one(deployment, "hang")
    status = settle(deployment, job, "uncertain")
    assert "no answer in time" in status["reason"]
    assert deployment.copies()[job] == 1


def test_a_proxys_error_page_is_uncertain_and_held(deployment: Deployment) -> None:
    deployment.fault("502_html")
    status = settle(deployment, send_one(deployment, "html"), "uncertain")
    assert (status["held"], outcomes(status)) == (True, [(502, "unknown")])


def test_googles_own_server_error_is_sent_once_more_on_record(deployment: Deployment) -> None:
    deployment.fault("503")
    job = send_one(deployment, "503")
    assert settle(deployment, job, "accepted", "failed")["possible_duplicate"]
    assert outcomes(deployment.status(job)) == [(503, "unknown"), (200, "accepted")]
    assert deployment.copies()[job] == 1


def test_a_connection_cut_before_the_answer_is_uncertain_even_if_nothing_was_accepted(
    deployment: Deployment,
) -> None:
    deployment.fault("reset_before")
    job = send_one(deployment, "before")
    assert settle(deployment, job, "uncertain")["held"]
    assert deployment.copies()[job] == 0


def test_a_token_endpoint_that_fails_for_a_moment_costs_no_attempt(deployment: Deployment) -> None:
    deployment.fault("503", path="/token")
    deployment.fault("drop_token")
    job = send_one(deployment, "token-503")
    assert outcomes(settle(deployment, job, "accepted")) == [(401, "rejected"), (200, "accepted")]
