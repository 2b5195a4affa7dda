"""`certmail erase`, and doubts that nobody settles, in a running deployment on PostgreSQL.

PostgreSQL, because it locks rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base import redis_keys
from certmail_worker.services.retention import forget
from support.deployment.deployment import (
    QUICK,
    Deployment,
    campaign,
    new_deployment,
    recorded_in,
    wait_for,
)


@pytest.fixture
def deployment(tmp_path: Path, postgres_database: str) -> Iterator[Deployment]:
    """A deployment whose record is in PostgreSQL."""
    settings = recorded_in(postgres_database) | {"CERTMAIL_PAYLOAD_DAYS": "10"}
    with new_deployment(tmp_path, **QUICK, **settings) as made:
        made.link()
        yield made


def found_in(deployment: Deployment, address: str) -> list[str]:
    listed: list[dict[str, Any]] = deployment.ask("deliveries", "list", "--to", address)[
        "deliveries"
    ]
    return [row["job"] for row in listed]


def test_an_address_is_forgotten_and_nothing_more_goes_there(deployment: Deployment) -> None:
    deployment.worker()
    sent = deployment.send(campaign(2, campaign="sent"))
    deployment.wait_recorded(sent, {"accepted"})
    deployment.ask("pause")
    waiting = deployment.send(campaign(2, campaign="waiting"))
    wait_for("the record", lambda: set(waiting) <= deployment.recorded().keys())
    address = "Reviewer0@people.example"
    assert found_in(deployment, address) == [waiting[0], sent[0]]

    refused = deployment.run("erase", address)
    assert (refused.status, "--yes" in refused.err) == (2, True)

    done = deployment.ask("erase", address, "--yes")
    assert done == {"deliveries": 2, "cancelled": 1, "uncertain": 0, "reviewers": 0, "remains": []}
    assert found_in(deployment, address) == []
    assert deployment.recorded() == {
        sent[0]: "accepted",
        sent[1]: "accepted",
        waiting[0]: "cancelled",
        waiting[1]: "ready",
    }

    left: Any = deployment.admin.redis.xrange(redis_keys.EVENTS)
    assert not [fields for _, fields in left if b"body" in fields], (
        "no sealed content of what is recorded is left in the stream"
    )

    deployment.ask("resume")
    deployment.wait_recorded([waiting[1]], {"accepted"})
    assert deployment.copies() == dict.fromkeys([*sent, waiting[1]], 1)
    assert deployment.ask("status", waiting[0])["decided_by"].startswith("by ")


def test_what_is_uncertain_is_closed_when_its_address_is_erased_or_nobody_settles_it_in_time(
    deployment: Deployment,
) -> None:
    deployment.worker()
    deployment.fault("reset_after", times=2)
    doubts = deployment.send(campaign(2))
    deployment.wait_recorded(doubts, {"uncertain"})
    done = deployment.ask("erase", "reviewer0@people.example", "--yes")
    assert done == {"deliveries": 1, "cancelled": 0, "uncertain": 1, "reviewers": 0, "remains": []}

    now = datetime.now(UTC)
    assert forget(deployment.admin, now + timedelta(days=9)).payloads == 0
    assert forget(deployment.admin, now + timedelta(days=11)).payloads == 1
    assert deployment.ask("uncertain", "list")["uncertain"] == []
    assert not [job for job in doubts if deployment.admin.redis.exists(redis_keys.BODY + job)]

    wait_for(
        "the record",
        lambda: (
            deployment.ask("status", doubts[1])["decided_by"] == "nobody settled it within 10 days"
        ),
    )
    assert forget(deployment.admin, now + timedelta(days=30)).payloads == 0
