"""What is remembered in Redis of planned mails that have ended: for a day and a half, and the record knows more.

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
from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.ledger import forget, run
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.campaigns import touch
from certmail_worker.doctor.invariants import find_violations
from certmail_worker.planning.forgetting import KEPT_SECONDS
from certmail_worker.recording.consistency import check
from support.campaigns.kept import a_campaign, a_reviewer
from support.campaigns.running import RunningCampaigns

MONDAY: Final = datetime(2040, 11, 5, 6, tzinfo=UTC)
EVENING: Final = datetime(2040, 11, 5, 18, tzinfo=UTC)
KEPT_MS: Final = KEPT_SECONDS * 1000
LONGER_MS: Final = 80 * 86_400_000


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


def put(running: RunningCampaigns, count: int = 2) -> None:
    written = a_campaign(
        start="2040-11-05T09:00:00+00:00", due="2040-11-23T17:00:00+00:00", time_zone="UTC"
    )
    running.put(written, [a_reviewer(f"r{n}", pending=4) for n in range(count)])


def ended(running: RunningCampaigns) -> list[str]:
    """Jobs that wait no more, as far as Redis knows them."""
    keys: Any = running.redis.keys(redis_keys.JOB + "*")
    waiting = {job for job, _ in running.waiting()}
    ids = (key.decode().removeprefix(redis_keys.JOB) for key in keys)
    return sorted(each for each in ids if each not in waiting)


def kept_ms(running: RunningCampaigns, job: str) -> tuple[int, int]:
    """How long a job and its key are kept."""
    dedupe: Any = running.redis.hget(redis_keys.JOB + job, "dedupe")
    keys = redis_keys.JOB + job, redis_keys.DEDUPE + dedupe.decode()
    first, second = (int(running.redis.pttl(each)) for each in keys)
    return first, second


def test_once_its_end_is_planned_with_it_is_kept_for_a_day_and_a_half(
    running: RunningCampaigns,
) -> None:
    put(running)
    running.pass_time(datetime(2040, 11, 5, 12, tzinfo=UTC))
    assert all(min(kept_ms(running, job)) > LONGER_MS for job in ended(running))

    running.pass_time(EVENING)
    left = ended(running)
    assert len(left) == 2
    assert all(0 < kept <= KEPT_MS for job in left for kept in kept_ms(running, job))


def test_not_before_it_is_recorded(running: RunningCampaigns) -> None:
    put(running, 1)
    running.plan()
    running.move_to(datetime(2040, 11, 5, 10, tzinfo=UTC))
    running.plan()
    running.work()
    running.move_to(EVENING)
    running.plan()
    assert all(min(kept_ms(running, job)) > LONGER_MS for job in ended(running))

    running.record()
    with running.admin.db() as db:
        touch(db, running.tenant, "2026-q4", running.now)
    running.plan()
    assert all(max(kept_ms(running, job)) <= KEPT_MS for job in ended(running))


def test_what_nobody_knows_of_is_kept(running: RunningCampaigns) -> None:
    put(running, 1)
    running.answer = lambda _: AttemptOutcome.UNKNOWN
    running.pass_time(EVENING)
    [moment] = [each for each in running.moments("2026-q4") if each.id.rule == "start"]
    assert running.redis.pttl(redis_keys.JOB + str(moment.job)) == -1


def test_what_was_withdrawn_is_not_kept_for_long_either(running: RunningCampaigns) -> None:
    put(running)
    running.plan()
    running.set_state("2026-q4", CampaignState.STOPPED)
    running.plan()
    assert {each.state for each in running.moments("2026-q4")} == {MomentState.WITHDRAWN}
    assert [max(kept_ms(running, job)) <= KEPT_MS for job in ended(running)] == [True, True]


def test_it_counts_no_more_for_its_tenant_and_the_ledger_is_as_it_should_be(
    running: RunningCampaigns,
) -> None:
    put(running, 3)
    running.pass_time(EVENING)
    taken: Any = running.redis.hgetall(redis_keys.TAKEN + running.tenant)
    assert int(taken[b"all"]) == len(running.waiting()) == 3
    assert find_violations(running.redis).count == 0


def test_forgotten_twice_it_is_counted_once(running: RunningCampaigns) -> None:
    put(running, 1)
    running.pass_time(EVENING)
    [job] = ended(running)
    before = running.redis.hgetall(redis_keys.TAKEN + running.tenant)
    assert run(running.redis, forget([JobId(job)], KEPT_SECONDS)) == 1
    assert running.redis.hgetall(redis_keys.TAKEN + running.tenant) == before


def test_nothing_goes_again_when_it_is_forgotten(running: RunningCampaigns) -> None:
    """What went is known in SQL, whoever plans after that."""
    put(running)
    running.pass_time(EVENING)
    for job in ended(running):
        dedupe: Any = running.redis.hget(redis_keys.JOB + job, "dedupe")
        running.redis.delete(redis_keys.JOB + job, redis_keys.DEDUPE + dedupe.decode())
    running.pass_time(datetime(2040, 12, 20, tzinfo=UTC))
    went = [(each.reminder.to, each.at.date()) for each in running.delivered]
    assert len(went) == len(set(went)) == 2 * 5
