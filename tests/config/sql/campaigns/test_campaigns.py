"""Campaigns in SQL: what is written comes back, every change counts, and who is due is asked fairly.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection as Db
from sqlalchemy import Engine, insert

from certmail_config.base.errors import Refused
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry, removing, tables
from certmail_config.sql.campaigns import campaigns, moments, planning, reviewers
from certmail_config.sql.campaigns.moments import KeptMoment, MomentId
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.engine import open_database
from support.campaigns.kept import a_campaign, a_reviewer

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
vault = Vault([("k1", os.urandom(32))])


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[Db]:
    with engine.begin() as db:
        for tenant in ("acme", "zeta"):
            registry.add_tenant(db, vault, tenant, NOW)
        yield db


@pytest.fixture
def seals(db: Db) -> ReviewerSeals:
    return ReviewerSeals(registry.get_tenant(db, "acme"), vault)


class TestKeeping:
    def test_a_campaign_comes_back_as_it_was_written_and_is_due_at_once(self, db: Db) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        kept = campaigns.get_campaign(db, "acme", "2026-q4")
        assert kept.campaign == a_campaign()
        assert (kept.state, kept.version, kept.next_plan_at) == (CampaignState.RUNNING, 1, NOW)

    def test_there_are_no_two_of_one_id_in_a_tenant(self, db: Db) -> None:
        assert campaigns.add_campaign(db, a_campaign(), NOW)
        assert campaigns.add_campaign(db, a_campaign(tenant="zeta"), NOW)
        assert not campaigns.add_campaign(db, a_campaign(name="Other"), NOW)
        assert campaigns.get_campaign(db, "acme", "2026-q4").campaign == a_campaign()

    def test_a_change_gives_the_next_version_and_has_it_planned_at_once(self, db: Db) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        campaigns.change_campaign(db, a_campaign(name="Other"), LATER)
        campaigns.set_state(db, "acme", "2026-q4", CampaignState.PAUSED, LATER)
        kept = campaigns.get_campaign(db, "acme", "2026-q4")
        assert kept.campaign.name == "Other"
        assert (kept.state, kept.version, kept.changes) == (CampaignState.PAUSED, 3, 3)
        assert (kept.created_at, kept.changed_at, kept.next_plan_at) == (NOW, LATER, LATER)

    @pytest.mark.parametrize("id_", ["q5", "a\0b", "ünbekannt", "\udcff"])
    def test_an_unknown_one_is_refused(self, db: Db, id_: str) -> None:
        with pytest.raises(Refused, match="no campaign") as raised:
            campaigns.get_campaign(db, "acme", id_)
        assert raised.value.code == "unknown_campaign"
        with pytest.raises(Refused):
            campaigns.touch(db, "acme", id_, NOW)

    def test_they_are_listed_by_tenant_and_id_page_by_page(self, db: Db) -> None:
        for tenant, id_ in (("zeta", "a"), ("acme", "c"), ("acme", "b")):
            campaigns.add_campaign(db, a_campaign(tenant=tenant, id=id_), NOW)
        found = campaigns.list_campaigns(db)
        assert [each.key for each in found] == [("acme", "b"), ("acme", "c"), ("zeta", "a")]
        after = campaigns.list_campaigns(db, after=("acme", "b"), limit=1)
        assert [each.key for each in after] == [("acme", "c")]
        ours = campaigns.list_campaigns(db, frozenset({"zeta"}))
        assert [each.key for each in ours] == [("zeta", "a")]

    def test_what_is_removed_is_gone_with_its_reviewers(self, db: Db, seals: ReviewerSeals) -> None:
        for id_ in ("a", "b"):
            campaigns.add_campaign(db, a_campaign(id=id_), NOW)
            reviewers.write_page(db, seals, id_, [a_reviewer("r1")])
            moments.write_moments(db, "acme", id_, [_moment("r1")])
        campaigns.remove_campaign(db, "acme", "a")
        assert campaigns.find_campaign(db, "acme", "a") is None
        assert reviewers.load_reviewers(db, seals, "a") == []
        assert moments.load_moments(db, "acme", "a") == {}
        assert reviewers.load_reviewers(db, seals, "b") == [a_reviewer("r1")]

        removing.remove_tenant(db, "acme")
        assert campaigns.list_campaigns(db) == []


class TestPlanning:
    def test_the_first_of_each_tenant_are_planned_before_the_second_of_any(self, db: Db) -> None:
        for number in range(3):
            campaigns.add_campaign(db, a_campaign(id=f"a{number}"), NOW - timedelta(hours=9))
        campaigns.add_campaign(db, a_campaign(tenant="zeta", id="z"), NOW)
        campaigns.add_campaign(db, a_campaign(tenant="zeta", id="not-yet"), LATER)
        found = planning.due_campaigns(db, NOW, 3)
        assert [each.campaign.id for each in found] == ["a0", "z", "a1"]
        assert planning.earliest_plan(db) == NOW - timedelta(hours=9)

    def test_what_was_changed_while_it_was_planned_stays_due(self, db: Db) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        [read] = planning.due_campaigns(db, NOW, 9)
        campaigns.touch(db, "acme", "2026-q4", NOW)
        assert not planning.note_planned(db, read, NOW, LATER)
        [again] = planning.due_campaigns(db, NOW, 9)
        assert planning.note_planned(db, again, NOW, LATER)
        assert planning.due_campaigns(db, NOW, 9) == []
        assert planning.due_campaigns(db, LATER, 9)[0].planned_at == NOW

    def test_one_that_cannot_be_planned_says_why_until_it_can(self, db: Db) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        [read] = planning.due_campaigns(db, NOW, 9)
        planning.note_failed(db, read, "no working day", LATER)
        [failing] = planning.failing_campaigns(db)
        assert (failing.failures, failing.error) == (1, "no working day")
        assert planning.note_planned(db, failing, LATER, None)
        assert planning.failing_campaigns(db) == []
        assert planning.earliest_plan(db) is None

    def test_a_campaign_is_loaded_as_the_plan_takes_it(self, db: Db, seals: ReviewerSeals) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        rows = [a_reviewer("r1", pending=3), a_reviewer("r2", pending=0, completed=8)]
        reviewers.write_page(db, seals, "2026-q4", rows)
        jobs = {"j1": "accepted", "j2": "uncertain", "j3": "scheduled"}
        for number, (job, state) in enumerate(jobs.items(), 1):
            db.execute(insert(tables.deliveries).values(**_delivery(job, state)))
            moments.write_moments(db, "acme", "2026-q4", [_moment("r1", number, job)])

        found = planning.load_enrolment(db, seals, campaigns.get_campaign(db, "acme", "2026-q4"))
        assert (found.campaign, list(found.reviewers)) == (a_campaign(), rows)
        assert {each.ordinal: each.accepted for each in found.sent} == {1: True, 2: False}
        assert {each.at for each in found.sent} == {NOW}


class TestMoments:
    def test_they_are_written_in_bulk_and_replaced_by_their_identity(self, db: Db) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        many = [_moment(f"r{number}", ordinal) for number in range(700) for ordinal in (1, 2)]
        moments.write_moments(db, "acme", "2026-q4", many[:900])
        moved = [_moment(each.id.reviewer, each.id.ordinal, "j", at=LATER) for each in many[600:]]
        moments.write_moments(db, "acme", "2026-q4", moved)
        found = moments.load_moments(db, "acme", "2026-q4")
        assert found == {each.id: each for each in many[:600] + moved}

    def test_they_are_found_by_state_and_counted(self, db: Db) -> None:
        campaigns.add_campaign(db, a_campaign(), NOW)
        written = [_moment("r1", 1), _moment("r1", 2, state=MomentState.WITHDRAWN)]
        moments.write_moments(db, "acme", "2026-q4", written)
        found = moments.load_moments(db, "acme", "2026-q4", {MomentState.WITHDRAWN})
        assert list(found.values()) == written[1:]
        counts = moments.count_moments(db, "acme", "2026-q4")
        assert counts[MomentState.ENQUEUED] == counts[MomentState.WITHDRAWN] == 1
        assert counts[MomentState.ENDED] == 0


def _moment(
    reviewer: str,
    ordinal: int = 1,
    job: str | None = None,
    *,
    at: datetime = NOW,
    state: MomentState = MomentState.ENQUEUED,
) -> KeptMoment:
    return KeptMoment(
        MomentId(reviewer, "regular", ordinal), at, "reminder", "d" * 64, 0, job, state
    )


def _delivery(job: str, state: str) -> dict[str, object]:
    return {
        "job": job,
        "tenant": "acme",
        "connection": "c1",
        "kind": "reminder",
        "state": state,
        "held": False,
        "possible_duplicate": False,
        "enqueued_at": NOW,
        "expires_at": LATER,
        "updated_at": NOW,
    }
