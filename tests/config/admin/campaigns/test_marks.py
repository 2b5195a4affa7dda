"""What the ledger hears of campaigns, before anybody is answered; and nothing where it cannot hear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from certmail import Mailer
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.admin.campaigns.remind import remind_now
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import (
    pause_campaign,
    put_campaign,
    remove_campaign,
    resume_campaign,
    stop_campaign,
)
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.redis_answers import hash_of
from certmail_config.campaigns.running.progress import ProgressNews
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.jobs.states import State
from certmail_config.ledger.unwanted.references import EVERY_REVIEWER, References
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, moments, reviewers
from certmail_config.sql.campaigns.moments import KeptMoment, MomentId
from support.campaigns.kept import a_campaign, a_reviewer

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
Q4 = "2026-q4"


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme", name="ACME")
        put_campaign(made, a_campaign())
        put_reviewers(made, "acme", Q4, [a_reviewer("ann", pending=3), a_reviewer("ben")])
        yield made


def marks(admin: Admin) -> dict[str, str]:
    """The marks of the campaign, by reviewer."""
    with admin.db() as db:
        salt = registry.get_tenant(db, "acme").salt
    references = References(salt)
    names = {str(references.reviewer(Q4, each)): each for each in ("ann", "ben", "cid")}
    names[EVERY_REVIEWER] = "*"
    key = f"{redis_keys.UNWANTED}acme:{references.campaign(Q4)}"
    found = hash_of(admin.redis, key)
    return {names[name.decode()]: mark.decode() for name, mark in found.items()}


def news(reviewer: str, pending: int, sequence: int) -> ProgressNews:
    return ProgressNews(reviewer=reviewer, pending=pending, sequence=sequence)


class TestProgress:
    def test_who_is_done_is_marked_and_who_is_not_any_more_is_not(self, admin: Admin) -> None:
        report_progress(admin, "acme", Q4, [news("ann", 0, 1), news("ben", 2, 1)])
        assert marks(admin) == {"ann": "complete"}
        report_progress(admin, "acme", Q4, [news("ann", 1, 2)])
        assert marks(admin) == {}

    def test_an_older_news_takes_no_mark_away(self, admin: Admin) -> None:
        report_progress(admin, "acme", Q4, [news("ann", 0, 5)])
        report_progress(admin, "acme", Q4, [news("ann", 3, 4), news("nobody", 0, 1)])
        assert marks(admin) == {"ann": "complete"}

    def test_told_again_it_is_marked_again(self, admin: Admin, redis: Redis) -> None:
        report_progress(admin, "acme", Q4, [news("ann", 0, 1)])
        for key in redis.scan_iter(redis_keys.UNWANTED + "*"):
            redis.delete(key)
        report_progress(admin, "acme", Q4, [news("ann", 0, 1)])
        assert marks(admin) == {"ann": "complete"}

    def test_where_redis_cannot_hear_it_nothing_was_done(self, admin: Admin) -> None:
        deaf = replace(admin, redis=Redis(port=1))
        for act in (
            lambda: report_progress(deaf, "acme", Q4, [news("ann", 0, 1)]),
            lambda: stop_campaign(deaf, "acme", Q4),
            lambda: put_reviewers(deaf, "acme", Q4, [a_reviewer("ann", pending=0)]),
        ):
            with pytest.raises(RedisError):
                act()
        with admin.db() as db:
            assert reviewers.count_reviewers(db, "acme", Q4).complete == 0
            assert campaigns.get_campaign(db, "acme", Q4).state is CampaignState.RUNNING

    def test_the_planner_looks_where_something_is_new(self, admin: Admin) -> None:
        before = changes(admin)
        report_progress(admin, "acme", Q4, [news("ann", 2, 1)])
        report_progress(admin, "acme", Q4, [news("ann", 2, 1), news("ann", 3, 0)])
        assert changes(admin) == before + 1


class TestReviewers:
    def test_a_list_marks_who_is_done_and_who_is_gone(self, admin: Admin) -> None:
        page = [a_reviewer("ann", pending=0)]
        put_reviewers(admin, "acme", Q4, page, roster="a", last=True)
        assert marks(admin) == {"ann": "complete", "ben": "withdrawn"}
        put_reviewers(admin, "acme", Q4, [a_reviewer("ben")])
        assert marks(admin) == {"ann": "complete"}

    def test_a_list_of_yesterday_takes_no_mark_away(self, admin: Admin) -> None:
        report_progress(admin, "acme", Q4, [news("ann", 0, 1)])
        put_reviewers(admin, "acme", Q4, [a_reviewer("ann", pending=3)])
        assert marks(admin) == {"ann": "complete"}

    def test_what_is_on_its_way_to_an_address_of_before_is_called_off(self, admin: Admin) -> None:
        with Mailer.over(admin.redis, admin.settings) as mailer:
            jobs = {
                each: mailer.send({"tenant": "acme", "to": f"{each}@people.example"}).id
                for each in ("ann", "ben")
            }
            with admin.db() as db:
                written = [_enqueued(each, job) for each, job in jobs.items()]
                moments.write_moments(db, "acme", Q4, written)
            page = [a_reviewer("ann", to="anna@people.example"), a_reviewer("ben", name="Ben")]
            put_reviewers(admin, "acme", Q4, page)

            ann, ben = mailer.status_many(jobs.values())
        assert ann is not None
        assert ben is not None
        assert (ann.state, ben.state) == (State.SUPPRESSED, State.READY)
        assert (ann.reason or "").startswith("reviewer_replaced: ")


class TestStates:
    def test_nothing_of_a_paused_campaign_is_wanted_until_it_goes_on(self, admin: Admin) -> None:
        pause_campaign(admin, "acme", Q4)
        assert marks(admin) == {"*": "paused"}
        resume_campaign(admin, "acme", Q4)
        assert marks(admin) == {}
        stop_campaign(admin, "acme", Q4)
        assert marks(admin) == {"*": "stopped"}

    def test_another_of_the_same_id_is_wanted(self, admin: Admin) -> None:
        stop_campaign(admin, "acme", Q4)
        remove_campaign(admin, "acme", Q4)
        assert marks(admin) == {"*": "stopped"}
        put_campaign(admin, a_campaign())
        assert marks(admin) == {}

    def test_what_is_not_called_off_yet_keeps_a_campaign(self, admin: Admin) -> None:
        remind_now(admin, "acme", Q4, ["ann"])
        stop_campaign(admin, "acme", Q4)
        with pytest.raises(Refused) as raised:
            remove_campaign(admin, "acme", Q4)
        assert raised.value.code == "campaign_ending"


def changes(admin: Admin) -> int:
    with admin.db() as db:
        return campaigns.get_campaign(db, "acme", Q4).changes


def _enqueued(reviewer: str, job: str) -> KeptMoment:
    return KeptMoment(
        MomentId(reviewer, "regular", 1), NOW, "reminder", "", 0, job, MomentState.ENQUEUED
    )
