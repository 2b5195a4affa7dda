"""A worker that starts brings the limits of all lanes up to date, and sends even if it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for

CELERY = (
    "celery",
    "-A",
    "certmail_worker.app",
    "worker",
    "--hostname",
    "c@%h",
    "--loglevel",
    "INFO",
)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK) as made:
        yield made


def units(deployment: Deployment, connection: str) -> Any:
    return deployment.admin.redis.hget(
        redis_keys.LANE_INFO + connection, "project_units_per_minute"
    )


def test_the_share_of_a_project_is_taken_over_by_lanes_that_are_there(
    deployment: Deployment,
) -> None:
    connection = deployment.link()
    assert units(deployment, connection) == b"1200000"
    deployment.worker(CERTMAIL_PROJECT_SHARE="0.5")
    wait_for("the new share", lambda: units(deployment, connection) == b"600000")
    jobs = deployment.send(campaign(2))
    deployment.wait_recorded(jobs, {"accepted"})


def test_with_sql_away_it_says_so_and_sends_at_the_limits_that_the_lanes_have(
    deployment: Deployment,
) -> None:
    connection = deployment.link()
    before = deployment.worker()
    deployment.wait_recorded(
        deployment.send(campaign(1)), {"accepted"}
    )  # the server's run is checked from now on
    before.terminate()
    assert before.wait(60) == 0

    away = {
        "CERTMAIL_DATABASE_URL": "postgresql+psycopg://me:secret@127.0.0.1:1/none",
        "CERTMAIL_PROJECT_SHARE": "0.5",
    }
    deployment.start(*CELERY, log="away.log", **away)
    [job] = deployment.send("tenant,to\nacme,later@people.example\n")
    wait_for("it is sent", lambda: deployment.status(job)["state"] == "accepted")
    log = (deployment.data_dir / "away.log").read_text()

    assert "limits_not_published" in log
    assert "me:secret" not in log
    assert all(json.loads(line)["event"] for line in log.splitlines()), "and no banner"
    assert units(deployment, connection) == b"1200000"


def test_a_mailbox_that_takes_two_requests_at_once_is_asked_for_no_more_after_a_few_refusals(
    deployment: Deployment,
) -> None:
    connection = deployment.link(in_flight=4, units=60_000)
    deployment.control("PUT", "/limits", {"in_flight": 2, "units_per_minute": 60_000})
    deployment.fault("slow", seconds=1.5, times=None)  # so that more would be under way at once
    deployment.worker(CERTMAIL_HTTP_TIMEOUT_SECONDS="8", CERTMAIL_LEASE_SECONDS="20")
    jobs = deployment.send(campaign(10))
    deployment.wait_recorded(jobs, {"accepted"}, seconds=120)
    refused = [item for item in deployment.sends() if item["status"] == 429]

    assert 1 <= len(refused) <= 3
    assert max(deployment.copies().values()) == 1
    assert deployment.ask("connections", "show", connection)["in_flight_now"] in {1, 2}

    pace = deployment.admin.redis.hgetall(
        next(deployment.admin.redis.scan_iter(redis_keys.PACE + "*:*"))
    )
    assert b"share" not in pace, "its minute is not to blame"
