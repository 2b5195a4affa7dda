"""The closest mail engines under the same faults, row by row, and what certmail does instead.

Measured of EmailEngine and django-post_office: five copies, two copies, other tenants waiting for
minutes, deadlines ignored, reminders dropped or sent in the clear. The comments say what they did.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certmail import Mailer, Reminder
from certmail_config.base import redis_keys
from certmail_config.base.errors import ReminderRejected
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for

DEADLINE_MESSAGE = "User-rate limit exceeded.  Retry after {}"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("peers")), **QUICK) as made:
        made.control("PUT", "/limits", {"units_per_minute": 150_000})
        made.worker()
        wait_for("a worker", lambda: made.workers() == 1)
        yield made


@pytest.fixture
def tenant(deployment: Deployment, request: pytest.FixtureRequest) -> str:
    """A tenant of the test's own, whose mailbox no other test has spoilt."""
    name = "t" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    deployment.link(name, units=150_000, in_flight=10)
    return name


def ends(deployment: Deployment, job: str, *states: str) -> dict[str, Any]:
    wait_for(f"{job} in {states}", lambda: deployment.status(job)["state"] in states)
    return deployment.status(job)


def asked(deployment: Deployment, *jobs: str) -> list[datetime]:
    """When Gmail was asked to send these."""
    return [
        datetime.fromisoformat(item["at"])
        for item in deployment.sends()
        if item["certmail_id"] in jobs
    ]


def spoil(deployment: Deployment, tenant: str, fault: str | dict[str, Any], times: int = 1) -> None:
    """Let something go wrong at Google, in one tenant's mailbox."""
    match = {"mailbox": f"reviews@{tenant}.example", "path": "/messages/send"}
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": times})


def answer(
    deployment: Deployment,
    tenant: str,
    status: int,
    reason: str,
    message: str,
    headers: dict[str, str] | None = None,
) -> None:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    spoil(
        deployment, tenant, {"status": status, "headers": headers or {}, "body": {"error": error}}
    )


def test_a_hundred_mails_are_one_call_each(deployment: Deployment, tenant: str) -> None:
    """EmailEngine: two calls for each mail."""
    jobs = deployment.send(campaign(100, tenant))
    deployment.wait_recorded(jobs, {"accepted"}, seconds=100)
    assert len(asked(deployment, *jobs)) == 100
    arrived = [mail["certmail_id"] for mail in deployment.messages() if tenant in mail["mailbox"]]
    assert sorted(arrived) == sorted(jobs)


def test_a_failing_read_back_sends_nothing_again(tmp_path: Path) -> None:
    """EmailEngine: five copies in 67 seconds, until the read-back worked again."""
    with new_deployment(tmp_path, **QUICK, CERTMAIL_VERIFY_SECONDS="2") as deployment:
        deployment.link(verify=True)
        deployment.worker()
        deployment.fault("reset_after")
        deployment.fault(
            {"status": 500, "headers": {}, "body": {"error": {"code": 500}}},
            path="/messages",
            times=9,
        )
        job = deployment.send(campaign(1))[0]
        ends(deployment, job, "uncertain")

        def failed() -> int:
            asked = deployment.control("GET", "/requests")
            return sum(item["path"].endswith("/messages") for item in asked)

        wait_for("look-ups that fail", lambda: failed() >= 3)

        assert deployment.copies()[job] == 1
        assert deployment.status(job)["state"] == "uncertain"


def test_a_reset_after_acceptance_is_one_copy_and_uncertain(
    deployment: Deployment, tenant: str
) -> None:
    """EmailEngine and django-post_office: two copies."""
    spoil(deployment, tenant, "reset_after")
    job = deployment.send(campaign(1, tenant))[0]
    status = ends(deployment, job, "uncertain")
    assert status["held"]

    time.sleep(3)
    assert deployment.copies()[job] == 1
    assert len(asked(deployment, job)) == 1


def test_a_worker_killed_after_acceptance_is_one_copy_and_uncertain(tmp_path: Path) -> None:
    """EmailEngine: two copies, the second 242 seconds after the restart."""
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        worker = deployment.worker()
        deployment.fault("hang_after")
        job = deployment.send(campaign(1))[0]
        wait_for("the copy", lambda: deployment.copies()[job] == 1)
        worker.kill()
        worker.wait()
        deployment.worker()
        assert ends(deployment, job, "uncertain")["reason"].startswith("worker_lost: ")

        time.sleep(3)
        assert deployment.copies()[job] == 1


def test_an_endpoint_that_hangs_for_one_tenant_delays_no_other(
    deployment: Deployment, tenant: str
) -> None:
    """With both of the others, the other tenant waits or loses.

    EmailEngine: the other tenant waited 271 seconds; django-post_office never tried its mail and
    called it failed.
    """
    deployment.link("globex")

    def seconds(campaign_id: str) -> float:
        """How long it takes the other tenant's reminder to be sent."""
        began = time.monotonic()
        other = deployment.send(campaign(1, tenant="globex", campaign=campaign_id))[0]
        ends(deployment, other, "accepted")
        return time.monotonic() - began

    undisturbed = seconds("before")
    spoil(deployment, tenant, "hang_after", times=10)
    hanging = deployment.send(campaign(10, tenant))
    wait_for("three that hang", lambda: len(asked(deployment, *hanging)) >= 3)
    a_hanging_one = float(QUICK["CERTMAIL_HTTP_TIMEOUT_SECONDS"])
    assert seconds("meanwhile") < undisturbed + a_hanging_one

    deployment.wait_recorded(hanging, {"uncertain", "ready", "accepted"})
    assert max(deployment.copies()[job] for job in hanging) <= 1


def test_a_retry_after_header_is_kept_to(deployment: Deployment, tenant: str) -> None:
    """Neither of the others keeps to it.

    EmailEngine: an empty request after 3.3 seconds, the real one after 7.9; django-post_office
    ignores it.
    """
    answer(deployment, tenant, 429, "rateLimitExceeded", "Too many requests", {"Retry-After": "3"})
    job = deployment.send(campaign(1, tenant))[0]
    ends(deployment, job, "accepted")
    first, second = asked(deployment, job)
    assert timedelta(seconds=3) <= second - first < timedelta(seconds=30)


def test_a_deadline_in_the_text_is_kept_to(deployment: Deployment, tenant: str) -> None:
    """Neither of the others keeps to it.

    EmailEngine: two requests for each attempt, the deadline ignored; django-post_office: failed at
    once.
    """
    deadline = datetime.now(UTC) + timedelta(minutes=15)
    message = DEADLINE_MESSAGE.format(
        deadline.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    answer(deployment, tenant, 429, "rateLimitExceeded", message)
    first, *others = deployment.send(campaign(20, tenant))
    wait_for("the refusal", lambda: len(asked(deployment, first, *others)) >= 1)
    wait_for("none under way", lambda: deployment.admin.redis.scard(redis_keys.LEASED) == 0)

    assert len(asked(deployment, first, *others)) <= 1 + 9, (
        "what was under way, and nothing after it"
    )

    count = len(asked(deployment, first, *others))
    time.sleep(4)
    assert len(asked(deployment, first, *others)) == count

    waiting = [
        deployment.status(job)
        for job in (first, *others)
        if deployment.status(job)["state"] == "ready"
    ]
    assert waiting

    for status in waiting:
        assert "It goes on at" in status["reason"]
        assert datetime.fromisoformat(status["forecast_at"]) > deadline


def test_a_quota_refusal_is_asked_once_and_then_waited_for(
    deployment: Deployment, tenant: str
) -> None:
    """EmailEngine: four requests for each of ten attempts."""
    answer(deployment, tenant, 403, "rateLimitExceeded", "Quota exceeded")
    job = deployment.send(campaign(1, tenant))[0]
    status = ends(deployment, job, "accepted")
    assert [attempt["http_status"] for attempt in status["attempts"]] == [403, 200]
    first, second = asked(deployment, job)
    assert second - first >= timedelta(seconds=2)


def test_a_bad_address_fails_at_once(deployment: Deployment, tenant: str) -> None:
    """EmailEngine: ten tries over 42 minutes; django-post_office: four."""
    answer(deployment, tenant, 400, "invalidArgument", "Invalid To header")
    job = deployment.send(campaign(1, tenant))[0]
    ends(deployment, job, "failed")
    assert len(asked(deployment, job)) == 1


def test_another_reminder_under_the_same_key_is_refused(
    deployment: Deployment, tenant: str
) -> None:
    """EmailEngine: answered as if it were taken, and dropped; django-post_office has no keys."""
    with Mailer(deployment.admin.redis) as mailer:
        mailer.send(Reminder(tenant=tenant, to="a@people.example", pending=1, key="k"))
        with pytest.raises(ReminderRejected) as raised:
            mailer.send(Reminder(tenant=tenant, to="b@people.example", pending=1, key="k"))
    assert raised.value.code == "key_reused"


def test_a_waiting_reminder_is_unreadable_in_redis(tmp_path: Path) -> None:
    """Both of the others keep it in the clear.

    EmailEngine: body and recipients in Redis; django-post_office: in the database.
    """
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        deployment.send(campaign(3))
        redis = deployment.admin.redis
        held = b"".join(redis.dump(key) or b"" for key in redis.scan_iter())

        assert b"\x00" in held
        for word in (b"reviewer0", b"people.example", b"secret campaign", b"iga.example"):
            assert word not in held


def test_a_delegated_service_account_sends(deployment: Deployment, tenant: str) -> None:
    """EmailEngine: loops with `Unsupported OAuth2 API`."""
    job = deployment.send(campaign(1, tenant))[0]
    assert ends(deployment, job, "accepted")["attempts"][0]["http_status"] == 200
