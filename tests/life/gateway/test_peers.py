"""What the closest engines do under the same faults, row by row, and what certmail does instead.

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
from certmail_config.base.errors import ReminderRejected
from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for

DEADLINE_MESSAGE = "User-rate limit exceeded.  Retry after {}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(Path(tmp_path_factory.mktemp("peers")), **QUICK) as made:
        made.control("PUT", "/limits", {"units_per_minute": 150_000})
        made.worker()
        wait_for("a worker", lambda: made.workers() == 1)
        yield made


@pytest.fixture
def tenant(place: Deployment, request: pytest.FixtureRequest) -> str:
    """A tenant of the test's own, whose mailbox no other test has spoilt."""
    name = "t" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    place.link(name, units=150_000, in_flight=10)
    return name


def ends(place: Deployment, job: str, *states: str, seconds: float = 90) -> dict[str, Any]:
    wait_for(f"{job} in {states}", lambda: place.status(job)["state"] in states, seconds)
    return place.status(job)


def asked(place: Deployment, *jobs: str) -> list[datetime]:
    """When Gmail was asked to send these."""
    return [
        datetime.fromisoformat(item["at"]) for item in place.sends() if item["certmail_id"] in jobs
    ]


def spoil(place: Deployment, tenant: str, fault: str | dict[str, Any], times: int = 1) -> None:
    """Let something go wrong at Google, in one tenant's mailbox."""
    match = {"mailbox": f"reviews@{tenant}.example", "path": "/messages/send"}
    place.control("POST", "/faults", {"match": match, "fault": fault, "times": times})


def answer(
    place: Deployment,
    tenant: str,
    status: int,
    reason: str,
    message: str,
    headers: dict[str, str] | None = None,
) -> None:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    spoil(place, tenant, {"status": status, "headers": headers or {}, "body": {"error": error}})


def test_a_hundred_mails_are_one_call_each(place: Deployment, tenant: str) -> None:
    """EmailEngine: two calls for each mail."""
    jobs = place.send(campaign(100, tenant))
    place.wait_recorded(jobs, {"accepted"}, seconds=100)
    assert len(asked(place, *jobs)) == 100
    arrived = [mail["certmail_id"] for mail in place.messages() if tenant in mail["mailbox"]]
    assert sorted(arrived) == sorted(jobs)


def test_a_failing_read_back_sends_nothing_again(tmp_path: Path) -> None:
    """EmailEngine: five copies in 67 seconds, until the read-back worked again."""
    with deployment(tmp_path, **QUICK, CERTMAIL_VERIFY_SECONDS="2") as place:
        place.link(verify=True)
        place.worker()
        place.fault("reset_after")
        place.fault(
            {"status": 500, "headers": {}, "body": {"error": {"code": 500}}},
            path="/messages",
            times=9,
        )
        job = place.send(campaign(1))[0]
        ends(place, job, "uncertain")
        time.sleep(8)
        assert place.copies()[job] == 1
        assert place.status(job)["state"] == "uncertain"


def test_a_reset_after_acceptance_is_one_copy_and_uncertain(place: Deployment, tenant: str) -> None:
    """EmailEngine and django-post_office: two copies."""
    spoil(place, tenant, "reset_after")
    job = place.send(campaign(1, tenant))[0]
    status = ends(place, job, "uncertain")
    assert status["held"]
    time.sleep(3)
    assert place.copies()[job] == 1
    assert len(asked(place, job)) == 1


def test_a_worker_killed_after_acceptance_is_one_copy_and_uncertain(tmp_path: Path) -> None:
    """EmailEngine: two copies, the second 242 seconds after the restart."""
    with deployment(tmp_path, **QUICK) as place:
        place.link()
        worker = place.worker()
        place.fault("hang_after")
        job = place.send(campaign(1))[0]
        wait_for("the copy", lambda: place.copies()[job] == 1)
        worker.kill()
        worker.wait()
        place.worker()
        assert ends(place, job, "uncertain", seconds=40)["reason"].startswith("worker_lost: ")
        time.sleep(3)
        assert place.copies()[job] == 1


def test_an_endpoint_that_hangs_for_one_tenant_delays_no_other(
    place: Deployment, tenant: str
) -> None:
    """With both of the others, the other tenant waits or loses.

    EmailEngine: the other tenant waited 271 seconds; django-post_office never tried its mail and
    called it failed.
    """
    place.link("globex")
    spoil(place, tenant, "hang_after", times=10)
    hanging = place.send(campaign(10, tenant))
    wait_for("three that hang", lambda: len(asked(place, *hanging)) >= 3)
    began = time.monotonic()
    other = place.send(campaign(1, tenant="globex"))[0]
    ends(place, other, "accepted")
    assert time.monotonic() - began < float(QUICK["CERTMAIL_HTTP_TIMEOUT_SECONDS"]), (
        "as long as one that hangs"
    )
    place.wait_recorded(hanging, {"uncertain", "ready", "accepted"})
    assert max(place.copies()[job] for job in hanging) <= 1


def test_a_retry_after_header_is_kept_to(place: Deployment, tenant: str) -> None:
    """Neither of the others keeps to it.

    EmailEngine: an empty request after 3.3 seconds, the real one after 7.9; django-post_office
    ignores it.
    """
    answer(place, tenant, 429, "rateLimitExceeded", "Too many requests", {"Retry-After": "3"})
    job = place.send(campaign(1, tenant))[0]
    ends(place, job, "accepted")
    first, second = asked(place, job)
    assert timedelta(seconds=3) <= second - first < timedelta(seconds=6)


def test_a_deadline_in_the_text_is_kept_to(place: Deployment, tenant: str) -> None:
    """Neither of the others keeps to it.

    EmailEngine: two requests for each attempt, the deadline ignored; django-post_office: failed at
    once.
    """
    deadline = datetime.now(UTC) + timedelta(minutes=15)
    message = DEADLINE_MESSAGE.format(
        deadline.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    answer(place, tenant, 429, "rateLimitExceeded", message)
    first, *others = place.send(campaign(20, tenant))
    wait_for("the refusal", lambda: len(asked(place, first, *others)) >= 1)
    time.sleep(4)
    assert len(asked(place, first, *others)) <= 1 + 9, "what was under way, and nothing after it"
    count = len(asked(place, first, *others))
    time.sleep(4)
    assert len(asked(place, first, *others)) == count
    waiting = [
        place.status(job) for job in (first, *others) if place.status(job)["state"] == "ready"
    ]
    assert waiting

    for status in waiting:
        assert "It goes on at" in status["reason"]
        assert datetime.fromisoformat(status["forecast_at"]) > deadline


def test_a_quota_refusal_is_asked_once_and_then_waited_for(place: Deployment, tenant: str) -> None:
    """EmailEngine: four requests for each of ten attempts."""
    answer(place, tenant, 403, "rateLimitExceeded", "Quota exceeded")
    job = place.send(campaign(1, tenant))[0]
    status = ends(place, job, "accepted")
    assert [attempt["http_status"] for attempt in status["attempts"]] == [403, 200]
    first, second = asked(place, job)
    assert second - first >= timedelta(seconds=2)


def test_a_bad_address_fails_at_once(place: Deployment, tenant: str) -> None:
    """EmailEngine: ten tries over 42 minutes; django-post_office: four."""
    answer(place, tenant, 400, "invalidArgument", "Invalid To header")
    job = place.send(campaign(1, tenant))[0]
    ends(place, job, "failed")
    assert len(asked(place, job)) == 1


def test_another_reminder_under_the_same_key_is_refused(place: Deployment, tenant: str) -> None:
    """EmailEngine: answered as if it were taken, and dropped; django-post_office has no keys."""
    with Mailer(place.admin.redis) as mailer:
        mailer.send(Reminder(tenant=tenant, to="a@people.example", pending=1, key="k"))
        with pytest.raises(ReminderRejected) as raised:
            mailer.send(Reminder(tenant=tenant, to="b@people.example", pending=1, key="k"))
    assert raised.value.code == "key_reused"


def test_a_waiting_reminder_is_unreadable_in_redis(tmp_path: Path) -> None:
    """Both of the others keep it in the clear.

    EmailEngine: body and recipients in Redis; django-post_office: in the database.
    """
    with deployment(tmp_path, **QUICK) as place:
        place.link()
        place.send(campaign(3))
        redis = place.admin.redis
        held = b"".join(redis.dump(key) or b"" for key in redis.scan_iter())
        assert b"\x00" in held
        for word in (b"reviewer0", b"people.example", b"secret campaign", b"iga.example"):
            assert word not in held


def test_a_delegated_service_account_sends(place: Deployment, tenant: str) -> None:
    """EmailEngine: loops with `Unsupported OAuth2 API`."""
    job = place.send(campaign(1, tenant))[0]
    assert ends(place, job, "accepted")["attempts"][0]["http_status"] == 200
