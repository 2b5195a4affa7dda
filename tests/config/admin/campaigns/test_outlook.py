"""What comes of a campaign: for a page of its reviewers as the whole plan says it, and what is too much for the mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.outlook import outlook, outlook_of_new, plan_of_reviewers
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import pause_campaign, put_campaign
from certmail_config.base.errors import Refused
from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.why import WhyNot
from certmail_config.settings import Settings
from support.campaigns.kept import a_campaign, a_reviewer

NOW = datetime(2026, 11, 2, 7, tzinfo=UTC)
Q4 = "2026-q4"
ANN, BEN, CID = a_reviewer("ann", pending=3), a_reviewer("ben", pending=0), a_reviewer("cid")
TWIN = a_reviewer("twin").model_copy(update={"to": ANN.to})
ELSEWHERE = a_reviewer("abroad").model_copy(update={"to": CID.to})


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme", name="ACME")
        put_campaign(made, a_campaign())
        put_reviewers(made, "acme", Q4, [ANN, BEN, CID, TWIN])
        yield made


def test_of_a_page_it_says_what_the_whole_plan_says(admin: Admin) -> None:
    put_campaign(admin, a_campaign(id="q5", due="2026-12-04T17:00:00+01:00"))
    put_reviewers(admin, "acme", "q5", [ELSEWHERE, a_reviewer("dan")])
    whole = outlook(admin, "acme", Q4, NOW).plan
    for ids in (["ann"], ["twin"], ["ben", "cid"]):
        part = plan_of_reviewers(admin, "acme", Q4, ids, NOW)
        people = {"abroad", *ids}
        assert part.of(people).moments == tuple(
            each for each in whole.of(people).moments if each.reviewer != "abroad" or "cid" in ids
        )
        assert part.of(set(ids)).non_moments == whole.of(set(ids)).non_moments
    assert any(each.parts for each in whole.moments), "who is in two gets one digest"


def test_days_and_reasons_are_counted(admin: Admin) -> None:
    found = outlook(admin, "acme", Q4, NOW)
    assert found.days[date(2026, 11, 2)] == {"notice": 3}
    assert found.days[date(2026, 11, 5)] == {"reminder": 3}
    assert found.not_going == {WhyNot.COMPLETE: 6}
    assert found.first_at == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert not found.late


def test_one_that_is_not_put_yet_is_seen_beside_those_that_run(admin: Admin) -> None:
    put_reviewers(admin, "acme", Q4, [a_reviewer(f"r{n}") for n in range(20)])
    connection = admin.connection("acme/default")
    admin.change_limits(connection.id, {"per_day": 20})
    new = Enrolment(a_campaign(id="new"), [a_reviewer("zoe")])
    beside = outlook_of_new(admin, new, NOW)
    assert [each.campaign for each in beside.plan.moments] == ["new"] * 6
    assert {each.moment.campaign for each in beside.late} == {"new"}

    pause_campaign(admin, "acme", Q4)
    assert not outlook_of_new(admin, new, NOW).late


def test_a_campaign_that_is_not_there_has_none(admin: Admin) -> None:
    with pytest.raises(Refused, match="There is no campaign"):
        outlook(admin, "acme", "none", NOW)
