"""Stopping under load, and going on: nothing is lost or comes twice, and nobody else waits.

While it is stopped, nothing leaves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from certmail import Mailer, Reminder
from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for
from support.servers.restorable import server

FAST = 300_000
"""Units a minute: 50 mails a second."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Two tenants that send, fast."""
    with deployment(Path(tmp_path_factory.mktemp("stopping")), **QUICK) as made:
        made.control("PUT", "/limits", {"units_per_minute": 2 * FAST})
        for tenant in ("acme", "globex"):
            made.link(tenant, units=FAST)
        made.worker()
        wait_for("the worker", lambda: made.workers() == 1)
        yield made


def quiet(place: Deployment, tenant: str = "", seconds: float = 2) -> bool:
    """Whether nothing leaves, once what is under way has ended."""
    time.sleep(0.5)
    before = count(place, tenant)
    time.sleep(seconds)  # there is nothing to wait for: that nothing happens is what is looked for
    return count(place, tenant) == before


def count(place: Deployment, tenant: str = "") -> int:
    mailbox = f"reviews@{tenant}.example"
    return sum(not tenant or message["mailbox"] == mailbox for message in place.messages())


def all_arrive_once(place: Deployment, jobs: list[str]) -> None:
    place.wait_recorded(jobs, {"accepted"}, 60)
    copies = place.copies()
    assert [copies[job] for job in jobs] == [1] * len(jobs)


def findings(place: Deployment) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in place.run("doctor", "--json").json["findings"]}


def test_everything_is_paused_under_load_and_goes_on(place: Deployment) -> None:
    before = count(place)
    jobs = [job for tenant in ("acme", "globex") for job in place.send(campaign(150, tenant))]
    wait_for("some have left", lambda: count(place) >= before + 20)
    assert place.ask("pause", "--reason", "an audit")["everything"] is True
    assert quiet(place)
    left = count(place) - before
    assert 20 <= left < 250, "it was stopped in the middle"
    with Mailer(place.admin.redis) as mailer:
        late = mailer.send(Reminder(tenant="acme", to="late@people.example"))
    assert late.forecast_at is None
    view = place.status(late.id)
    assert (view["reason"].partition(":")[0], view["forecast_at"]) == ("paused", None)
    found = findings(place)
    assert (found["paused"]["severity"], found["paused"]["remedy"]) == (
        "warning",
        "certmail resume",
    )
    assert found["ledger"]["severity"] == "ok"
    place.ask("resume")
    all_arrive_once(place, [*jobs, late.id])
    assert "paused" not in findings(place)


def test_one_tenant_is_paused_and_another_goes_on_within_a_second(place: Deployment) -> None:
    before = count(place, "acme")
    mine = place.send(campaign(150, "acme", "one"))
    theirs = place.send(campaign(150, "globex", "one"))
    wait_for("some have left", lambda: count(place, "acme") >= before + 10)
    place.ask("pause", "--tenant", "acme")
    paused_at = time.time()
    assert quiet(place, "acme")
    place.wait_recorded(theirs, {"accepted"}, 30)
    times = sorted(_at(each) for each in place.messages() if each["certmail_id"] in set(theirs))
    since = [at for at in times if at > paused_at - 1]
    gaps = [after - at for at, after in pairwise(since)]
    assert len(since) > 50, "it was still sending"
    assert max(gaps) < 1
    assert count(place, "acme") < before + 150
    place.ask("resume", "--tenant", "acme")
    all_arrive_once(place, mine)


def _at(message: dict[str, Any]) -> float:
    return datetime.fromisoformat(message["at"]).timestamp()


def test_a_connection_is_suspended_with_a_request_hanging_and_resumed(place: Deployment) -> None:
    place.fault(
        "hang_after", times=1, match={"mailbox": "reviews@acme.example", "path": "/messages/send"}
    )
    [hangs] = place.send(campaign(1, "acme", "hangs"))
    wait_for("a request hangs", lambda: place.status(hangs)["state"] == "sending")
    stopped = place.ask("connections", "suspend", "acme/default")
    assert stopped["state"] == "disabled"
    jobs = place.send(campaign(20, "acme", "suspended"))
    assert quiet(place, "acme", 1)
    view = place.status(jobs[0])
    assert (view["state"], view["reason"].partition(":")[0]) == ("ready", "connection_disabled")
    assert view["reason"].endswith(f"certmail connections resume {stopped['id']}")
    place.wait_recorded([hangs], {"uncertain"})
    assert findings(place)["connection acme/default"]["severity"] == "warning"
    assert place.ask("connections", "resume", "acme/default")["state"] == "active"
    all_arrive_once(place, jobs)
    assert place.copies()[hangs] == 1


def test_one_that_does_not_work_any_more_needs_attention_when_it_is_resumed(
    place: Deployment,
) -> None:
    place.ask("connections", "suspend", "globex/default")
    account = "certmail@globex-it.iam.gserviceaccount.com"
    place.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": []})
    ran = place.run("connections", "resume", "globex/default", "--json")
    assert (ran.status, ran.json["state"]) == (1, "attention")
    assert ran.json["remedy"]
    scope = "https://www.googleapis.com/auth/gmail.send"
    place.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": [scope]})
    assert place.ask("connections", "probe", "globex/default")["state"] == "active"


@pytest.mark.timeout(300)
def test_a_redis_that_was_wiped_or_is_older_than_the_pause_lets_nothing_leave(
    tmp_path: Path,
) -> None:
    with (
        server(tmp_path / "redis") as valkey,
        deployment(tmp_path / "data", **QUICK, CERTMAIL_REDIS_URL=valkey.url) as place,
    ):
        place.link()
        [early] = place.send(campaign(1, campaign="early"))
        valkey.back_up(tmp_path / "backup")
        place.ask("pause")
        # A failover to a replica that had not heard of it.
        valkey.kill()
        valkey.put_back(tmp_path / "backup")
        valkey.start()
        assert place.admin.redis.smembers(redis_keys.PAUSED) == set()
        place.worker()
        wait_for(
            "the server to be checked",
            lambda: place.admin.redis.exists(redis_keys.CHECKED_RUN) == 1,
        )
        assert quiet(place, seconds=1.5)
        assert place.status(early)["reason"].startswith("paused: ")
        place.ask("resume")
        all_arrive_once(place, [early])

        # Wiped, and repaired.
        place.ask("pause")
        valkey.kill()
        valkey.put_back(None)
        valkey.start()
        wait_for(
            "it is noticed",
            lambda: place.admin.redis.hget(redis_keys.STOPPED, "code") == b"replaced",
        )
        place.ask("doctor", "--repair", "--yes")
        [again] = place.send(campaign(1, campaign="again"))
        assert quiet(place, seconds=1.5)
        assert place.status(again)["reason"].startswith("paused: ")
        assert place.messages()[0]["certmail_id"] == early
        place.ask("resume")
        all_arrive_once(place, [again])
