"""How campaigns and their reviewers stand, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection as Db

from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, reviewers, standing
from certmail_config.sql.campaigns.moments import KeptMoment, MomentId, write_moments
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.campaigns.standing import CampaignStanding
from certmail_config.sql.engine import open_database
from support.campaigns.kept import a_campaign, a_reviewer

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
Q4 = "2026-q4"
vault = Vault([("k1", os.urandom(32))])


@pytest.fixture
def db(ready_database: str) -> Iterator[Db]:
    engine = open_database(ready_database)
    with engine.begin() as db:
        registry.add_tenant(db, vault, "acme", NOW)
        campaigns.add_campaign(db, a_campaign(), NOW)
        yield db
    engine.dispose()


@pytest.fixture
def seals(db: Db) -> ReviewerSeals:
    seals = ReviewerSeals(registry.get_tenant(db, "acme"), vault)
    page = [a_reviewer("a", pending=2), a_reviewer("b", pending=0), a_reviewer("c", pending=None)]
    reviewers.write_page(db, seals, Q4, page)
    return seals


def moment(reviewer: str, rule: str, at: datetime, state: MomentState) -> KeptMoment:
    return KeptMoment(MomentId(reviewer, rule, 1), at, "reminder", "", 0, None, state)


def test_who_is_done_and_what_is_made_are_counted(db: Db, seals: ReviewerSeals) -> None:
    later = NOW + timedelta(days=1)
    write_moments(
        db,
        "acme",
        Q4,
        [
            moment("a", "regular", later, MomentState.ENQUEUED),
            moment("c", "regular", NOW, MomentState.PLANNED),
            moment("b", "regular", NOW - timedelta(days=1), MomentState.ENDED),
        ],
    )
    found = standing.standings(db, [("acme", Q4), ("acme", "none")])
    assert found["acme", Q4] == CampaignStanding(3, 1, 2, NOW)
    assert found["acme", "none"] == CampaignStanding()
    assert standing.standings(db, []) == {}


def test_those_who_are_done_and_those_who_are_not_are_read_apart(
    db: Db, seals: ReviewerSeals
) -> None:
    def ids(done: bool | None, after: str = "") -> list[str]:
        found = standing.reviewers_in_part(db, seals, Q4, after, 2, done=done)
        return [each.id for each in found]

    assert (ids(None), ids(done=True), ids(done=False)) == (["a", "b"], ["b"], ["a", "c"])
    assert ids(None, "b") == ["c"]


def test_those_for_whom_a_mail_was_asked_are_told_until_it_left(
    db: Db, seals: ReviewerSeals
) -> None:
    moments = [
        moment("a", BY_HAND, NOW, MomentState.PLANNED),
        moment("b", BY_HAND, NOW, MomentState.ENDED),
        moment("c", "regular", NOW, MomentState.PLANNED),
    ]
    write_moments(db, "acme", Q4, moments)
    assert standing.asked_by_hand(db, "acme", Q4, ["a", "b", "c"]) == {"a"}


def test_people_are_found_elsewhere_by_their_address(db: Db, seals: ReviewerSeals) -> None:
    campaigns.add_campaign(db, a_campaign(id="q5"), NOW)
    same = [a_reviewer("x").model_copy(update={"to": a_reviewer("a").to}), a_reviewer("y")]
    reviewers.write_page(db, seals, "q5", same)
    assert standing.same_people(db, "acme", Q4, ["a", "b"], "q5") == ["x"]
    assert standing.same_people(db, "acme", Q4, ["a", "b"], Q4) == ["a", "b"]


def test_reviewers_of_running_campaigns_are_counted(db: Db, seals: ReviewerSeals) -> None:
    assert standing.reviewers_of_running(db, "acme") == 3
    campaigns.set_state(db, "acme", Q4, CampaignState.PAUSED, NOW)
    assert standing.reviewers_of_running(db, "acme") == 0
