"""The caretaker: connections are looked after while reminders come and go, and mend themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from certmail_config.base import redis_keys
from certmail_config.onboarding.promised_mail import promise_of
from certmail_config.sql import tables
from certmail_config.tenants.models import SEND_SCOPE, GoogleLimits
from certmail_worker.connections.probe import probe_and_save
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for

SETTINGS = {**QUICK, "CERTMAIL_CONFIRM_SECONDS": "2", "CERTMAIL_CARE_SECONDS": "1"}
"""It goes round each second, and looks at trouble for the first time after three."""
LONG = 60.0
PROMISED = "reviews@promised.example"
"""Sends the one test mail that is asked for."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = Path(tmp_path_factory.mktemp("care"))
    with new_deployment(folder, **SETTINGS) as made:
        made.open_gateway()
        made.worker()
        yield made


def state(deployment: Deployment, connection: str) -> tuple[str, str | None]:
    found = deployment.admin.connection(connection)
    return found.state, found.code


def lane(deployment: Deployment, connection: str) -> str:
    found: Any = deployment.admin.redis.hget(redis_keys.LANE_INFO + connection, "state")
    return str(found.decode())


def events(deployment: Deployment, kind: str, connection: str) -> list[dict[str, Any]]:
    with deployment.admin.db() as db:
        rows = db.execute(
            select(tables.events.c.data).where(tables.events.c.type == kind)
        ).scalars()
        found = [json.loads(row) for row in rows]
    return [each for each in found if each.get("connection") == connection]


@pytest.mark.timeout(240)
def test_what_gmail_refused_is_tried_again_and_one_goes_first(deployment: Deployment) -> None:
    connection = deployment.link("healing", in_flight=4)
    body = {
        "error": {
            "code": 403,
            "message": "Gmail API has not been used",
            "errors": [{"reason": "accessNotConfigured"}],
        }
    }

    match = {"path": "/messages/send", "mailbox": "reviews@healing.example"}
    fault = {"status": 403, "headers": {}, "body": body}
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": None})
    jobs = deployment.send(campaign(12, tenant="healing"))
    wait_for("SQL knows", lambda: state(deployment, connection) == ("attention", "api_disabled"))
    found = deployment.admin.connection(connection)

    assert "Enable the Gmail API" in (found.remedy or "")
    assert found.refused_since is not None
    refused = len(deployment.sends())
    wait_for("it is tried again", lambda: len(deployment.sends()) > refused, LONG)
    wait_for("and stopped again", lambda: lane(deployment, connection) == "suspended")

    assert len(deployment.sends()) == refused + 1, (
        "one goes first, and finds that nothing has changed"
    )

    deployment.control("DELETE", "/faults")
    wait_for("it heals", lambda: lane(deployment, connection) == "open", 150)
    deployment.wait_recorded(jobs, {"accepted"})
    assert state(deployment, connection) == ("active", None)
    assert {deployment.copies()[job] for job in jobs} == {1}
    assert deployment.status(jobs[0])["attempts"][-1]["outcome"] == "accepted"


@pytest.mark.timeout(180)
def test_a_connection_that_is_being_set_up_becomes_active_by_itself(deployment: Deployment) -> None:
    mailbox, account = deployment.at_google("setting-up")
    deployment.admin.add_tenant("setting-up")
    made = deployment.admin.add_customer_owned_app(
        "setting-up",
        "default",
        service_account=account,
        mailbox=mailbox,
        limits=GoogleLimits(),
        valid_days=30,
    )

    [job] = deployment.send(campaign(1, tenant="setting-up"))
    deployment.control("POST", f"/service-accounts/{account}/keys", str(made.certificate))
    deployment.wait_recorded([job], {"accepted"}, seconds=LONG)
    assert state(deployment, made.id) == ("active", None)


@pytest.mark.timeout(180)
def test_a_test_mail_asked_for_before_delegation_goes_once_it_can(deployment: Deployment) -> None:
    mailbox, account = deployment.at_google("promised")
    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": []})
    deployment.admin.add_tenant("promised")
    made = deployment.admin.add_customer_owned_app(
        "promised",
        "default",
        service_account=account,
        mailbox=mailbox,
        limits=GoogleLimits(),
        valid_days=30,
    )
    deployment.control("POST", f"/service-accounts/{account}/keys", str(made.certificate))

    def arrived() -> int:
        return sum(mail["mailbox"] == mailbox for mail in deployment.messages())

    for _ in ("asked", "and again: it is one mail all the same"):
        asked = deployment.run("connections", "test", "promised/default")
        assert asked.status == 1
        assert "The test mail goes by itself once it can" in asked.err
    error = {
        "code": 403,
        "message": "Gmail API is disabled",
        "errors": [{"reason": "accessNotConfigured"}],
    }
    fault = {"status": 403, "headers": {}, "body": {"error": error}}
    match = {"path": "/messages/send", "mailbox": mailbox}
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": 1})
    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": [SEND_SCOPE]})
    wait_for(
        "its refusal", lambda: state(deployment, made.id) == ("attention", "api_disabled"), LONG
    )
    wait_for("it works", lambda: state(deployment, made.id) == ("active", None), LONG)
    assert arrived() == 1, "it counts as working once that mail has gone, and not before"

    wait_for("the test mail", lambda: arrived() == 1, LONG)
    promise = promise_of(deployment.admin.strongbox, made.id)
    assert promise is not None
    assert promise.sent_at is not None
    deployment.admin.redis.delete(redis_keys.TESTED + made.id)  # as after a minute

    assert deployment.run("connections", "probe", "promised/default").status == 0
    assert arrived() == 1, "once"


@pytest.mark.timeout(180)
def test_the_next_certificate_takes_over_by_itself(deployment: Deployment) -> None:
    connection = deployment.link("next")
    rotating = deployment.admin.rotate(connection, valid_days=60)
    path = f"/service-accounts/{rotating.service_account}/keys"
    deployment.control("POST", path, str(rotating.next_certificate))
    wait_for(
        "it took over",
        lambda: deployment.admin.connection(connection).certificate == rotating.next_certificate,
        LONG,
    )

    jobs = deployment.send(campaign(2, tenant="next"))
    deployment.wait_recorded(jobs, {"accepted"})


@pytest.mark.timeout(180)
def test_a_working_copy_that_is_lost_is_made_anew_and_a_stopped_lane_stays_stopped(
    deployment: Deployment,
) -> None:
    works, broken = deployment.link("copied"), deployment.link("stopped")
    match = {"path": "/token", "mailbox": "reviews@stopped.example"}
    fault = {
        "status": 400,
        "headers": {},
        "body": {"error": "invalid_grant", "error_description": "Gone"},
    }
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": None})
    waiting = deployment.send(campaign(3, tenant="stopped"))
    wait_for("delivery stops the lane", lambda: lane(deployment, broken) == "suspended")
    wait_for("SQL knows", lambda: state(deployment, broken) == ("attention", "grant_revoked"))
    redis = deployment.admin.redis
    lost = [
        *redis.scan_iter(f"{redis_keys.TENANT}*"),
        *redis.scan_iter(f"{redis_keys.CONNECTION}*"),
        redis_keys.DEPLOYMENT,
    ]
    redis.delete(*lost)
    wait_for("it is there again", lambda: all(redis.exists(name) for name in lost))

    assert lane(deployment, broken) == "suspended"
    assert lane(deployment, works) == "open"

    jobs = deployment.send(campaign(2, tenant="copied"))
    deployment.wait_recorded(jobs, {"accepted"})
    assert {deployment.status(job)["state"] for job in waiting} == {"ready"}

    deployment.control("DELETE", "/faults")
    assert probe_and_save(deployment.admin, broken).connection.state == "active"

    deployment.wait_recorded(waiting, {"accepted"})


@pytest.mark.timeout(120)
def test_a_lane_that_is_lost_too_is_as_sql_says(deployment: Deployment) -> None:
    connection = deployment.link("lane-lost")
    redis = deployment.admin.redis
    redis.delete(redis_keys.CONNECTION + connection, redis_keys.LANE_INFO + connection)
    wait_for("it is there again", lambda: bool(redis.exists(redis_keys.LANE_INFO + connection)))
    deployment.wait_recorded(deployment.send(campaign(1, tenant="lane-lost")), {"accepted"})


@pytest.mark.timeout(120)
def test_a_refresh_token_that_sleeps_is_used_before_google_drops_it(deployment: Deployment) -> None:
    connection = deployment.link_account("idle", "reviews@idle.example")
    deployment.wait_recorded(deployment.send(campaign(1, tenant="idle")), {"accepted"})
    redis = deployment.admin.redis
    version = deployment.admin.connection(connection).version
    redis.delete(f"{redis_keys.TOKEN}{connection}:{version}:send")  # it ended long ago
    long_ago = int((datetime.now(UTC) - timedelta(days=31)).timestamp() * 1000)
    redis.hset(redis_keys.GRANTED, connection, str(long_ago))

    def granted() -> int:
        found: Any = redis.hget(redis_keys.GRANTED, connection)
        return int(found)

    wait_for("it is used", lambda: granted() > long_ago, LONG)
    # Noted first, and then kept.
    token = f"{redis_keys.TOKEN}{connection}:{version}:send"
    wait_for("the new token", lambda: redis.exists(token) == 1)


@pytest.mark.timeout(120)
def test_a_certificate_that_ends_is_warned_of_once_for_each_of_30_7_and_1_days(
    deployment: Deployment,
) -> None:
    connection = deployment.link("ending")

    def ends_in(**left: float) -> str:
        found = deployment.admin.connection(connection)
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(**left)
        deployment.admin.save(replace(found, not_after=ends))
        return ends.isoformat(timespec="seconds")

    def warnings() -> list[tuple[str, str]]:
        return [
            (event["not_after"], event["days"])
            for event in events(deployment, "certificate_expiring", connection)
        ]

    expected = []
    for days, left in (("30", 20.0), ("7", 6.5), ("1", 0.9)):
        expected.append((ends_in(days=left), days))
        wait_for(f"the warning of {days} days", lambda: len(warnings()) >= len(expected), LONG)
    ends_in(days=300)

    assert warnings() == expected


@pytest.mark.timeout(120)
def test_a_missing_vault_key_stops_a_lane_and_ends_nothing(deployment: Deployment) -> None:
    connection = deployment.link("sealed")
    redis = deployment.admin.redis
    sealed: Any = redis.hget(redis_keys.CONNECTION + connection, "sealed")
    redis.hset(
        redis_keys.CONNECTION + connection, "sealed", sealed.replace(sealed[2:11], b"kdeadbeef", 1)
    )
    jobs = deployment.send(campaign(3, tenant="sealed"))
    wait_for("the lane waits", lambda: lane(deployment, connection) == "suspended")
    status = deployment.status(jobs[0])

    assert status["state"] == "ready"
    assert status["reason"].startswith("vault_key_missing: ")
    assert "'kdeadbeef'" in status["reason"]
    assert "CERTMAIL_VAULT_KEYS" in status["reason"]

    wait_for(
        "SQL knows", lambda: state(deployment, connection) == ("attention", "vault_key_missing")
    )
    redis.hset(redis_keys.CONNECTION + connection, "sealed", sealed)  # the key is back
    deployment.wait_recorded(jobs, {"accepted"}, seconds=LONG)

    assert state(deployment, connection) == ("active", None)


def test_nothing_of_all_this_costs_a_mail(deployment: Deployment) -> None:
    unasked = [mail for mail in deployment.messages() if mail["mailbox"] != PROMISED]
    assert {mail["certmail_id"] for mail in unasked} <= set(deployment.recorded())
