"""A planner that stands still just before it enqueues, while others change what it was about to do.

Then it goes on, and is killed before it can look whether what it did still holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest
from redis import Redis

from certmail_config.admin.admin import open_admin
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.ledger.script import load
from certmail_config.settings import Settings
from certmail_worker.recording.consistency import check
from support.campaigns.kept import a_campaign, a_reviewer
from support.campaigns.planners import start_planner
from support.campaigns.running import RunningCampaigns
from support.deployment.deployment import wait_for
from support.network.frames import RedisCommands
from support.network.wire import Side, Trap, Words, wire
from support.processes.halt import freeze, kill

MONDAY: Final = datetime(2040, 11, 5, 10, tzinfo=UTC)
"""At ten: what the start's day has may leave at once."""
DUE: Final = datetime(2040, 11, 23, 17, tzinfo=UTC)
Meanwhile = Callable[[RunningCampaigns], None]


@pytest.fixture
def running(
    redis: Redis, redis_url: str, ready_database: str, tmp_path: Path
) -> Iterator[RunningCampaigns]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        durability="none",
        vault_keys=(("k1", os.urandom(32)),),
    )
    with open_admin(settings) as admin:
        assert check(admin.redis, admin.engine)
        yield RunningCampaigns(admin, MONDAY)


def campaign(due: datetime = DUE) -> Any:
    return a_campaign(
        start="2040-11-05T09:00:00+00:00", due=due.isoformat(), time_zone="UTC",
        rule=[{"id": "start", "on": "start"}],
    )  # fmt: skip


def due_date_moves(running: RunningCampaigns) -> None:
    """Another planner puts another mail in the place of the one that is about to come."""
    running.change(campaign(DUE + timedelta(days=2)))
    [planned] = running.plan()
    assert (planned.enqueued, planned.withdrawn) == (1, 1)


def address_changes(running: RunningCampaigns) -> None:
    """As the API does it; nobody has planned since."""
    put_reviewers(running.admin, running.tenant, "2026-q4", [reviewer("new")])


def it_pauses_and_goes_on(running: RunningCampaigns) -> None:
    """Another planner withdraws it, and plans it anew."""
    running.set_state("2026-q4", CampaignState.PAUSED)
    running.plan()
    running.set_state("2026-q4", CampaignState.RUNNING)
    running.plan()


@pytest.mark.parametrize(
    ("meanwhile", "address"),
    [(due_date_moves, "old"), (address_changes, "new"), (it_pauses_and_goes_on, "old")],
)
def test_what_was_withdrawn_before_it_came_never_leaves(
    running: RunningCampaigns, tmp_path: Path, meanwhile: Meanwhile, address: str
) -> None:
    running.put(campaign(), [reviewer("old")])
    stood_still_before_it_enqueues(running, tmp_path, meanwhile)

    # What it enqueued may leave by now, before anybody plans again.
    running.work()
    running.record()
    assert [each.reminder.to for each in running.delivered] in ([], [f"{address}@people.example"])

    running.pass_time(MONDAY + timedelta(days=3), timedelta(minutes=10))
    assert [each.reminder.to for each in running.delivered] == [f"{address}@people.example"]
    [moment] = running.moments("2026-q4")
    assert moment.state is MomentState.ENDED


def stood_still_before_it_enqueues(
    running: RunningCampaigns, tmp_path: Path, meanwhile: Meanwhile
) -> None:
    """Let a planner come so far, something happen, its command arrive, and it be killed."""
    enqueue = load("enqueue")
    running.redis.script_load(enqueue.source)
    socket = unquote(urlsplit(str(running.admin.settings.redis_url)).path)

    def fits(words: Words) -> bool:
        return words[:2] == (b"EVALSHA", enqueue.sha.encode())

    with wire(socket, RedisCommands) as between:
        trap = between.arm(Trap(fits, Side.UNSEEN, lambda: None))
        log = tmp_path / "planner.log"
        planner = start_planner(running.admin, log, f"redis://127.0.0.1:{between.port}/0")
        try:
            assert trap.sprung.wait(60), log.read_text()
            meanwhile(running)
            freeze(planner)
            before = scripts_run(running.redis)
            between.release()
            wait_for("its command", lambda: scripts_run(running.redis) > before)
        finally:
            kill(planner)
            planner.wait()


def reviewer(address: str) -> Any:
    return a_reviewer("r0", pending=2).model_copy(update={"to": f"{address}@people.example"})


def scripts_run(redis: Redis) -> int:
    found: Any = redis.info("commandstats")
    return int(found["cmdstat_evalsha"]["calls"])
