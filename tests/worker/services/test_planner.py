"""The planner as the keeper runs it: what is due is planned by itself, at the real time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import put_campaign
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.campaigns import get_campaign
from certmail_worker.planning.slices import REVIEWERS
from certmail_worker.services.planner import plan_campaigns
from support.campaigns.kept import a_campaign, a_reviewer


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        durability="none",
        vault_keys=(("k1", os.urandom(32)),),
    )
    with open_admin(settings) as made:
        made.add_tenant("acme")
        yield made


async def test_what_is_due_becomes_jobs_of_the_tenant(admin: Admin) -> None:
    now = datetime.now(UTC)
    campaign = a_campaign(
        start=now.isoformat(),
        due=(now + timedelta(days=20)).isoformat(),
        calendar={"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        rule=[{"id": "regular", "every": "2 days", "at_most": 3}],
    )
    put_campaign(admin, campaign)
    put_reviewers(admin, "acme", campaign.id, [a_reviewer(f"r{n}", pending=2) for n in range(3)])

    noted = 0

    async def note() -> None:
        nonlocal noted
        noted += 1

    planning = asyncio.create_task(plan_campaigns(admin, note))
    try:
        while int(admin.redis.zcard(redis_keys.DUE)) < 3 or not noted:
            assert not planning.done(), planning.exception()
            await asyncio.sleep(0.02)
    finally:
        planning.cancel()
        with suppress(asyncio.CancelledError):
            await planning


async def test_a_large_campaign_holds_up_no_other_tenant(admin: Admin) -> None:
    now = datetime.now(UTC)
    dates = {"start": now.isoformat(), "due": (now + timedelta(days=20)).isoformat()}
    admin.add_tenant("beta")
    put_campaign(admin, a_campaign(id="large", **dates))
    for start in range(0, 2 * REVIEWERS + 1, REVIEWERS):
        page = [a_reviewer(f"r{start + n}", pending=0) for n in range(REVIEWERS)]
        put_reviewers(admin, "acme", "large", page)
    put_campaign(admin, a_campaign(tenant="beta", id="small", **dates))
    put_reviewers(admin, "beta", "small", [a_reviewer("r1", pending=0)])

    left: list[tuple[bool, bool]] = []

    async def note() -> None:
        with admin.db() as db:
            large, small = get_campaign(db, "acme", "large"), get_campaign(db, "beta", "small")
        left.append((large.next_plan_at is not None, small.next_plan_at is not None))

    planning = asyncio.create_task(plan_campaigns(admin, note))
    try:
        while (False, False) not in left:
            assert not planning.done(), planning.exception()
            await asyncio.sleep(0.02)
    finally:
        planning.cancel()
        with suppress(asyncio.CancelledError):
            await planning
    assert (True, False) in left, "the small one was planned while the large one was under way"
