"""A person is forgotten in all campaigns: as a reviewer, a manager and a deputy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.forgetting import Forgotten, forget_person
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import put_campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.campaigns import reviewers
from certmail_config.sql.campaigns.seals import ReviewerSeals
from support.campaigns.kept import a_campaign, a_reviewer

ANN = "Ann@People.example"


@pytest.fixture
def admin(redis: Redis, redis_url: str, data_dir: Path) -> Iterator[Admin]:
    with open_admin(Settings(data_dir=data_dir, redis_url=redis_url)) as made:
        for tenant in ("acme", "zeta"):
            made.add_tenant(tenant)
            put_campaign(made, a_campaign(tenant=tenant))
        yield made


def kept(admin: Admin, tenant: str) -> list[Reviewer]:
    with admin.db() as db:
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        return reviewers.load_reviewers(db, seals, "2026-q4")


def test_nobody_names_them_any_more(admin: Admin) -> None:
    ben = a_reviewer("ben", manager=ANN, name="Ben")
    cid = a_reviewer("cid", deputy=ANN, deputy_from="2026-11-02", manager="max@people.example")
    others = [ben, cid, a_reviewer("dee")]
    put_reviewers(admin, "acme", "2026-q4", [a_reviewer("ann"), *others])
    put_reviewers(admin, "zeta", "2026-q4", [a_reviewer("x", to=ANN), a_reviewer("y")])

    assert forget_person(admin, "ann@people.example") == Forgotten(2, [])
    assert kept(admin, "acme") == [
        a_reviewer("ben", name="Ben"),
        a_reviewer("cid", manager="max@people.example"),
        a_reviewer("dee"),
    ]
    assert kept(admin, "zeta") == [a_reviewer("y")]
    assert forget_person(admin, "ann@people.example") == Forgotten(0, [])


def test_of_what_they_own_it_is_said(admin: Admin) -> None:
    put_campaign(admin, a_campaign(owner=ANN))
    assert forget_person(admin, "ann@people.example").owned == ["acme/2026-q4"]
