"""Who is planned together, on real stores: whoever something is new of, and who belongs to them.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis

from certmail_config.admin.admin import open_admin
from certmail_config.campaigns.running.progress import ProgressNews
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.settings import Settings
from certmail_config.sql.campaigns import campaigns, reviewers
from certmail_config.sql.campaigns.planning import due_campaigns
from certmail_config.sql.campaigns.progress import write_progress
from certmail_worker.planning.slices import TenantSlice, take_slice
from certmail_worker.planning.turn import due_tenants, plan_slice
from certmail_worker.recording.consistency import check
from support.campaigns.kept import a_campaign, a_reviewer
from support.campaigns.running import RunningCampaigns

MONDAY: Final = datetime(2040, 11, 5, 6, tzinfo=UTC)


@pytest.fixture
def running(
    redis: Redis, redis_url: str, ready_database: str, tmp_path: Path
) -> Iterator[RunningCampaigns]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        vault_keys=(("k1", os.urandom(32)),),
    )
    with open_admin(settings) as admin:
        assert check(admin.redis, admin.engine)
        yield RunningCampaigns(admin, MONDAY)


def campaign(id_: str) -> Any:
    return a_campaign(
        id=id_, start="2040-11-05T09:00:00+00:00", due="2040-11-23T17:00:00+00:00", time_zone="UTC"
    )


def put(running: RunningCampaigns, id_: str, *names: str) -> None:
    running.put(campaign(id_), [a_reviewer(each, pending=4) for each in names])


def taken(running: RunningCampaigns, limit: int = 100) -> TenantSlice:
    with running.admin.db() as db:
        due = due_campaigns(db, running.now, 10)
        return take_slice(db, running.tenant, due, running.now, limit)


def names(found: TenantSlice) -> dict[str, list[str]]:
    return {
        id_: sorted(each.id for each in part.reviewers) for id_, part in found.campaigns.items()
    }


def tell(running: RunningCampaigns, id_: str, reviewer: str, sequence: int = 1) -> None:
    """As the API does."""
    news = [ProgressNews(reviewer=reviewer, pending=3, sequence=sequence)]
    with running.admin.db() as db:
        campaigns.hold(db, running.tenant, id_)
        write_progress(db, running.tenant, id_, news, running.now)
        campaigns.touch_some(db, running.tenant, id_, running.now)


def test_news_of_one_plan_nobody_else(running: RunningCampaigns) -> None:
    put(running, "a", "r1", "r2", "r3")
    assert names(taken(running)) == {"a": ["r1", "r2", "r3"]}
    running.plan()
    assert names(taken(running)) == {}

    tell(running, "a", "r2")
    found = taken(running)
    assert names(found) == {"a": ["r2"]}
    assert {each.reviewer for each in found.known} == {"r2"}


def test_whoever_has_the_same_address_is_planned_with_them(running: RunningCampaigns) -> None:
    put(running, "a", "r1", "r2")
    put(running, "b", "r1", "r3")
    running.plan()
    tell(running, "a", "r1")
    assert names(taken(running)) == {"a": ["r1"], "b": ["r1"]}


def test_whoever_a_digest_told_of_as_well(running: RunningCampaigns) -> None:
    """One of its reviewers has another address now, and so belongs to other people."""
    put(running, "a", "r1")
    put(running, "b", "r1")
    running.plan()
    with running.admin.db() as db:
        campaigns.hold(db, running.tenant, "a")
        moved = a_reviewer("r1", to="other@people.example", pending=4)
        written = reviewers.write_page(db, running.seals, "a", [moved])
        campaigns.touch_some(db, running.tenant, "a", running.now)
    assert written.readdressed == ["r1"]
    assert names(taken(running)) == {"a": ["r1"], "b": ["r1"]}

    running.plan()
    running.pass_time(datetime(2040, 11, 6, tzinfo=UTC))
    assert sorted(each.reminder.to for each in running.delivered) == [
        "other@people.example", "r1@people.example",
    ]  # fmt: skip
    assert {each.reminder.kind for each in running.delivered} == {"notice"}


def test_of_many_some_at_a_time(running: RunningCampaigns) -> None:
    put(running, "a", *(f"r{n}" for n in range(7)))
    assert [len(each) for each in names(taken(running, 3)).values()] == [3]
    running.plan()
    assert names(taken(running)) == {}
    assert len(running.moments("a")) == 7


def test_nobody_looks_for_who_is_gone_where_nobody_was_removed(running: RunningCampaigns) -> None:
    """It is a look at all mails of a campaign: in each turn of a large one it would be too much."""
    put(running, "a", "r1", "r2", "r3")
    found = taken(running, 2)
    assert names(found) == {"a": ["r1", "r2"]}
    assert not found.campaigns["a"].gone_left


def test_of_many_who_are_gone_some_at_a_time(running: RunningCampaigns) -> None:
    put(running, "a", "r1", "r2", "r3")
    running.plan()
    with running.admin.db() as db:
        campaigns.hold(db, running.tenant, "a")
        reviewers.remove_reviewers(db, running.tenant, "a", ["r1", "r2", "r3"])
        campaigns.touch_some(db, running.tenant, "a", running.now)
    some = taken(running, 2).campaigns["a"]
    assert (list(some.gone), some.gone_left) == (["r1", "r2"], True)
    all_of_them = taken(running, 4).campaigns["a"]
    assert (list(all_of_them.gone), all_of_them.gone_left) == (["r1", "r2", "r3"], False)


def test_a_campaign_that_changes_plans_all_of_its_reviewers(running: RunningCampaigns) -> None:
    put(running, "a", "r1", "r2")
    put(running, "b", "r3")
    running.plan()
    running.set_state("a", CampaignState.PAUSED)
    assert names(taken(running)) == {"a": ["r1", "r2"]}


def test_the_mails_of_who_was_removed_are_withdrawn(running: RunningCampaigns) -> None:
    put(running, "a", "r1", "r2")
    running.plan()
    with running.admin.db() as db:
        campaigns.hold(db, running.tenant, "a")
        assert reviewers.remove_reviewers(db, running.tenant, "a", ["r1"]) == ["r1"]
        campaigns.touch_some(db, running.tenant, "a", running.now)
    found = taken(running)
    assert names(found) == {"a": []}
    assert list(found.campaigns["a"].gone) == ["r1"]

    [planned] = running.plan()
    assert (planned.enqueued, planned.withdrawn) == (0, 1)
    assert names(taken(running)) == {}
    assert {each.state for each in running.moments("a") if each.id.reviewer == "r1"} == {
        MomentState.WITHDRAWN
    }


def test_what_changed_while_it_was_planned_is_planned_again(running: RunningCampaigns) -> None:
    put(running, "a", "r1", "r2")
    running.plan()
    tell(running, "a", "r1")
    tell(running, "a", "r2")
    times = 0

    def now() -> datetime:
        nonlocal times
        times += 1
        if times == 2:  # what is known was read by then
            tell(running, "a", "r1", sequence=2)
        return running.now

    [due] = due_tenants(running.admin, running.now).values()
    assert plan_slice(running.admin, running.intake, running.tenant, due, now).more
    assert names(taken(running)) == {"a": ["r1"]}
