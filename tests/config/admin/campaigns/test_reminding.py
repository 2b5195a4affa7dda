"""Reminding by hand: at any hour, or as the hours of each begin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.remind import outside_hours, remind_now
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import put_campaign
from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.moments import load_moments
from support.campaigns.kept import a_campaign, a_reviewer

Q4: Final = "2026-q4"
EVENING: Final = datetime(2026, 11, 6, 17, 30, tzinfo=UTC)
"""A Friday: in Berlin half past six, in New York half past twelve."""
MONDAY_IN_BERLIN: Final = datetime(2026, 11, 9, 8, tzinfo=UTC)


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(redis_url=redis_url, database_url=ready_database, data_dir=tmp_path)
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme")
        put_campaign(made, a_campaign())
        people = [
            a_reviewer("anna", pending=3),
            a_reviewer("bob", pending=1, time_zone="America/New_York"),
            a_reviewer("cleo", pending=0),
        ]
        put_reviewers(made, "acme", Q4, people)
        yield made


def asked_for(admin: Admin) -> dict[str, datetime]:
    with admin.db() as db:
        found = load_moments(db, "acme", Q4)
    return {id_.reviewer: each.at for id_, each in found.items() if id_.rule == BY_HAND}


def test_it_leaves_at_once_whatever_the_hour(admin: Admin) -> None:
    done = remind_now(admin, "acme", Q4, now=EVENING)
    assert (sorted(done.reminded), done.later) == (["anna", "bob"], {})
    assert asked_for(admin) == {"anna": EVENING, "bob": EVENING}


@pytest.mark.parametrize("named", [["anna", "bob", "cleo"], None])
def test_for_whom_it_is_outside_their_hours_is_known_before(
    admin: Admin, named: list[str] | None
) -> None:
    assert outside_hours(admin, "acme", Q4, named, now=EVENING) == (1, 2)
    assert asked_for(admin) == {}


def test_or_it_waits_until_the_hours_of_each_begin(admin: Admin) -> None:
    done = remind_now(admin, "acme", Q4, wait_for_hours=True, now=EVENING)
    assert done.later == {"anna": MONDAY_IN_BERLIN}
    assert asked_for(admin) == {"anna": MONDAY_IN_BERLIN, "bob": EVENING}
