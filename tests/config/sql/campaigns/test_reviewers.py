"""A campaign's reviewers in SQL: sealed, page by page, and nobody's progress undone by a list.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection as Db
from sqlalchemy import Engine, select, update

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.sealing import new_pair
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry, tables
from certmail_config.sql.campaigns import campaigns, reviewers
from certmail_config.sql.campaigns.reviewers import ReviewerCounts
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.engine import open_database
from support.campaigns.kept import a_campaign, a_reviewer

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
Q4 = "2026-q4"
vault = Vault([("k1", os.urandom(32))])
_T = tables.campaign_reviewers


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[Db]:
    with engine.begin() as db:
        registry.add_tenant(db, vault, "acme", NOW)
        campaigns.add_campaign(db, a_campaign(), NOW)
        yield db


@pytest.fixture
def seals(db: Db) -> ReviewerSeals:
    return ReviewerSeals(registry.get_tenant(db, "acme"), vault)


class TestLists:
    def test_a_page_is_written_and_read_again(self, db: Db, seals: ReviewerSeals) -> None:
        rows = [a_reviewer(f"r{number:04}", pending=number) for number in range(1200)]
        written = reviewers.write_page(db, seals, Q4, rows)
        assert len(written.added) == 1200
        assert reviewers.load_reviewers(db, seals, Q4) == rows
        assert reviewers.load_reviewers(db, seals, Q4, ["r0007", "nobody"]) == [rows[7]]
        assert reviewers.page_of_reviewers(db, seals, Q4, "r0009", 2) == rows[10:12]

    def test_it_says_who_is_new_who_changed_and_who_did_not(
        self, db: Db, seals: ReviewerSeals
    ) -> None:
        reviewers.write_page(db, seals, Q4, [a_reviewer("a"), a_reviewer("b"), a_reviewer("c")])
        changed = a_reviewer("b", name="Bea")
        counted = a_reviewer("c", pending=2)
        page = [a_reviewer("a"), changed, counted, a_reviewer("d")]
        written = reviewers.write_page(db, seals, Q4, page)
        assert (written.added, written.changed, written.unchanged) == (["d"], ["b", "c"], ["a"])
        assert reviewers.load_reviewers(db, seals, Q4) == page

    def test_who_is_not_in_a_list_is_told_and_can_be_removed(
        self, db: Db, seals: ReviewerSeals
    ) -> None:
        reviewers.write_page(db, seals, Q4, [a_reviewer("a"), a_reviewer("b")], "monday")
        reviewers.write_page(db, seals, Q4, [a_reviewer("c")])
        reviewers.write_page(db, seals, Q4, [a_reviewer("b"), a_reviewer("d")], "tuesday")
        assert reviewers.others_than(db, "acme", Q4, "tuesday") == ["a", "c"]
        assert reviewers.remove_reviewers(db, "acme", Q4, ["a", "c", "nobody"]) == ["a", "c"]
        assert [each.id for each in reviewers.load_reviewers(db, seals, Q4)] == ["b", "d"]

    def test_what_a_list_says_is_left_counts_until_there_is_news_of_its_own(
        self, db: Db, seals: ReviewerSeals
    ) -> None:
        reviewers.write_page(db, seals, Q4, [a_reviewer("a", pending=5)])
        reviewers.write_page(db, seals, Q4, [a_reviewer("a", pending=4)])
        assert reviewers.load_reviewers(db, seals, Q4)[0].pending == 4
        db.execute(update(_T).values(pending=1, progress_at=NOW))
        written = reviewers.write_page(db, seals, Q4, [a_reviewer("a", pending=4, name="Ann")])
        assert (written.changed, written.kept) == (["a"], ["a"])
        assert reviewers.load_reviewers(db, seals, Q4) == [a_reviewer("a", pending=1, name="Ann")]

    def test_a_list_without_a_word_of_progress_forgets_none(
        self, db: Db, seals: ReviewerSeals
    ) -> None:
        reviewers.write_page(db, seals, Q4, [a_reviewer("a", pending=5)])
        written = reviewers.write_page(db, seals, Q4, [a_reviewer("a")])
        assert written.unchanged == ["a"]
        assert reviewers.load_reviewers(db, seals, Q4)[0].pending == 5

    def test_they_are_counted(self, db: Db, seals: ReviewerSeals) -> None:
        assert reviewers.count_reviewers(db, "acme", Q4) == ReviewerCounts(0, 0, 0, 0)
        rows = [
            a_reviewer("a", pending=5, completed=1),
            a_reviewer("b", pending=0, completed=9),
            a_reviewer("c"),
        ]
        reviewers.write_page(db, seals, Q4, rows)
        assert reviewers.count_reviewers(db, "acme", Q4) == ReviewerCounts(3, 1, 5, 10)


class TestSeals:
    def test_no_name_and_no_address_stands_in_a_row(self, db: Db, seals: ReviewerSeals) -> None:
        row = a_reviewer("r7", name="Ann Onal", manager="max@people.example")
        reviewers.write_page(db, seals, Q4, [row])
        stored = repr(db.execute(select(_T)).mappings().one()).lower()
        for secret in ("ann", "people", "max"):
            assert secret not in stored

    def test_a_record_in_anothers_place_does_not_open(self, db: Db, seals: ReviewerSeals) -> None:
        reviewers.write_page(db, seals, Q4, [a_reviewer("a"), a_reviewer("b")])
        stolen = db.execute(select(_T.c.sealed).where(_T.c.id == "a")).scalar_one()
        db.execute(update(_T).where(_T.c.id == "b").values(sealed=stolen))
        with pytest.raises(SealBroken):
            reviewers.load_reviewers(db, seals, Q4)

    def test_a_public_key_put_into_the_database_reads_nothing(self, db: Db) -> None:
        db.execute(update(tables.tenants).values(public_key=new_pair()[1]))
        seals = ReviewerSeals(registry.get_tenant(db, "acme"), vault)
        reviewers.write_page(db, seals, Q4, [a_reviewer("a")])
        assert reviewers.load_reviewers(db, seals, Q4) == [a_reviewer("a")]

    def test_one_person_is_the_same_in_all_campaigns_of_a_tenant_and_in_no_other(
        self, db: Db, seals: ReviewerSeals
    ) -> None:
        campaigns.add_campaign(db, a_campaign(id="q5"), NOW)
        reviewers.write_page(db, seals, Q4, [a_reviewer("a")])
        reviewers.write_page(db, seals, "q5", [a_reviewer("x", to="A@people.example")])
        [person] = set(db.execute(select(_T.c.person)).scalars())
        registry.add_tenant(db, vault, "zeta", NOW)
        other = ReviewerSeals(registry.get_tenant(db, "zeta"), vault)
        assert other.person("a@people.example") != person == seals.person("a@people.example")
