"""Pausing and suspending under load: nothing is lost or comes twice, and nobody else waits.

While it is stopped, nothing leaves.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from certmail import Mailer, Reminder
from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for
from support.servers.restorable import server

PACE, FAST = 30_000, 300_000
"""Units a minute: 5 mails a second, and 50."""
EACH = 40
"""Reminders of each of two tenants: eight seconds at that pace, in which one is stopped."""
LATE = 15.0
"""Seconds by which a busy machine may come late to a mail."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Two tenants that send."""
    with new_deployment(Path(tmp_path_factory.mktemp("stopping")), **QUICK) as made:
        made.control("PUT", "/limits", {"units_per_minute": 2 * FAST})
        for tenant in ("acme", "globex"):
            made.link(tenant, units=PACE)
        made.worker()
        wait_for("the worker", lambda: made.workers() == 1)
        yield made


@contextmanager
def at_full_speed(deployment: Deployment, *tenants: str) -> Iterator[None]:
    """Let the rest leave faster: nothing is stopped any more."""
    for tenant in tenants:
        deployment.admin.change_limits(f"{tenant}/default", {"units_per_minute": FAST})
    yield
    for tenant in tenants:
        deployment.admin.change_limits(f"{tenant}/default", {"units_per_minute": PACE})


def quiet(
    deployment: Deployment, jobs: Collection[str], tenant: str = "", seconds: float = 1
) -> bool:
    """Whether nothing leaves, once what is under way of these has ended."""

    def ended() -> bool:
        under_way: Any = deployment.admin.redis.smembers(redis_keys.LEASED)
        return {job.decode() for job in under_way}.isdisjoint(jobs)

    wait_for("what is under way to end", ended)
    before = count(deployment, tenant)
    time.sleep(seconds)  # there is nothing to wait for: that nothing happens is what is looked for
    return count(deployment, tenant) == before


def count(deployment: Deployment, tenant: str = "") -> int:
    mailbox = f"reviews@{tenant}.example"
    return sum(not tenant or message["mailbox"] == mailbox for message in deployment.messages())


def all_arrive_once(deployment: Deployment, jobs: list[str]) -> None:
    deployment.wait_recorded(jobs, {"accepted"})
    copies = deployment.copies()
    assert [copies[job] for job in jobs] == [1] * len(jobs)


def findings(deployment: Deployment) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in deployment.run("doctor", "--json").json["findings"]}


def test_everything_is_paused_under_load_and_goes_on(deployment: Deployment) -> None:
    before = count(deployment)
    jobs = [job for tenant in ("acme", "globex") for job in deployment.send(campaign(EACH, tenant))]
    wait_for("some have left", lambda: count(deployment) >= before + 10)
    assert deployment.ask("pause", "--reason", "an audit")["everything"] is True
    assert quiet(deployment, jobs)

    left = count(deployment) - before
    assert 10 <= left < 2 * EACH, "it was stopped in the middle"

    with Mailer(deployment.admin.redis) as mailer:
        late = mailer.send(Reminder(tenant="acme", to="late@people.example"))
    assert late.forecast_at is None

    view = deployment.status(late.id)
    assert (view["reason"].partition(":")[0], view["forecast_at"]) == ("paused", None)

    found = findings(deployment)
    assert (found["paused"]["severity"], found["paused"]["remedy"]) == (
        "warning",
        "certmail resume",
    )
    assert found["ledger"]["severity"] == "ok"

    with at_full_speed(deployment, "acme", "globex"):
        deployment.ask("resume")
        all_arrive_once(deployment, [*jobs, late.id])
    assert "paused" not in findings(deployment)


def test_one_tenant_is_paused_and_another_goes_on_as_if_nothing_had_been(
    deployment: Deployment,
) -> None:
    before = count(deployment, "acme")
    mine = deployment.send(campaign(EACH, "acme", "one"))
    theirs = deployment.send(campaign(EACH, "globex", "one"))
    wait_for("some have left", lambda: count(deployment, "acme") >= before + 5)
    deployment.ask("pause", "--tenant", "acme")
    paused_at = time.time()
    assert quiet(deployment, mine, "acme")

    deployment.wait_recorded(theirs, {"accepted"})
    times = sorted(
        _at(each) for each in deployment.messages() if each["certmail_id"] in set(theirs)
    )
    since = [at for at in times if at > paused_at - 1]
    gaps = [after - at for at, after in pairwise(since)]

    assert len(since) > 10, "it was still sending"
    assert max(gaps) < LATE, "it waited for nobody"
    assert count(deployment, "acme") < before + EACH

    with at_full_speed(deployment, "acme"):
        deployment.ask("resume", "--tenant", "acme")
        all_arrive_once(deployment, mine)


def _at(message: dict[str, Any]) -> float:
    return datetime.fromisoformat(message["at"]).timestamp()


def test_a_connection_is_suspended_with_a_request_hanging_and_resumed(
    deployment: Deployment,
) -> None:
    deployment.fault(
        "hang_after", times=1, match={"mailbox": "reviews@acme.example", "path": "/messages/send"}
    )
    [hangs] = deployment.send(campaign(1, "acme", "hangs"))
    wait_for("a request hangs", lambda: deployment.status(hangs)["state"] == "sending")
    stopped = deployment.ask("connections", "suspend", "acme/default")
    assert stopped["state"] == "disabled"

    jobs = deployment.send(campaign(20, "acme", "suspended"))
    assert quiet(deployment, jobs, "acme")

    view = deployment.status(jobs[0])
    assert (view["state"], view["reason"].partition(":")[0]) == ("ready", "connection_disabled")
    assert view["reason"].endswith(f"certmail connections resume {stopped['id']}")

    deployment.wait_recorded([hangs], {"uncertain"})
    assert findings(deployment)["connection acme/default"]["severity"] == "warning"
    assert deployment.ask("connections", "resume", "acme/default")["state"] == "active"

    all_arrive_once(deployment, jobs)
    assert deployment.copies()[hangs] == 1


def test_one_that_does_not_work_any_more_needs_attention_when_it_is_resumed(
    deployment: Deployment,
) -> None:
    deployment.ask("connections", "suspend", "globex/default")
    account = "certmail@globex-it.iam.gserviceaccount.com"
    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": []})
    ran = deployment.run("connections", "resume", "globex/default", "--json")

    assert (ran.status, ran.json["state"]) == (1, "attention")
    assert ran.json["remedy"]

    scope = "https://www.googleapis.com/auth/gmail.send"
    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": [scope]})
    assert deployment.ask("connections", "probe", "globex/default")["state"] == "active"


@pytest.mark.timeout(300)
def test_a_redis_that_was_wiped_or_is_older_than_the_pause_lets_nothing_leave(
    tmp_path: Path,
) -> None:
    with (
        server(tmp_path / "redis") as valkey,
        new_deployment(tmp_path / "data", **QUICK, CERTMAIL_REDIS_URL=valkey.url) as deployment,
    ):
        deployment.link()
        [early] = deployment.send(campaign(1, campaign="early"))
        valkey.back_up(tmp_path / "backup")
        deployment.ask("pause")
        # A failover to a replica that had not heard of it.
        valkey.kill()
        valkey.put_back(tmp_path / "backup")
        valkey.start()
        assert deployment.admin.redis.smembers(redis_keys.PAUSED) == set()

        deployment.worker()
        wait_for(
            "the server to be checked",
            lambda: deployment.admin.redis.exists(redis_keys.CHECKED_RUN) == 1,
        )

        assert quiet(deployment, [early], seconds=1.5)
        assert deployment.status(early)["reason"].startswith("paused: ")

        deployment.ask("resume")
        all_arrive_once(deployment, [early])

        # Wiped, and repaired.
        deployment.ask("pause")
        valkey.kill()
        valkey.put_back(None)
        valkey.start()
        wait_for(
            "it is noticed",
            lambda: deployment.admin.redis.hget(redis_keys.STOPPED, "code") == b"replaced",
        )
        deployment.ask("doctor", "--repair", "--yes")
        [again] = deployment.send(campaign(1, campaign="again"))

        assert quiet(deployment, [again], seconds=1.5)
        assert deployment.status(again)["reason"].startswith("paused: ")
        assert deployment.messages()[0]["certmail_id"] == early

        deployment.ask("resume")
        all_arrive_once(deployment, [again])
