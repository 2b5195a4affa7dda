"""Progress in SQL: batches in which each news is judged by itself, from several at once.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import Engine

from certmail_config.campaigns.running.progress import Progress, ProgressNews, ProgressVerdict
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, reviewers
from certmail_config.sql.campaigns.progress import ProgressWritten, read_progress, write_progress
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.engine import open_database
from support.campaigns.kept import a_campaign, a_reviewer

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
Q4 = "2026-q4"
vault = Vault([("k1", os.urandom(32))])


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    with engine.begin() as db:
        registry.add_tenant(db, vault, "acme", NOW)
        campaigns.add_campaign(db, a_campaign(), NOW)
        rows = [a_reviewer(each, pending=5) for each in ("a", "b", "c")]
        seals = ReviewerSeals(registry.get_tenant(db, "acme"), vault)
        reviewers.write_page(db, seals, Q4, rows)
    yield engine
    engine.dispose()


def test_each_news_of_a_batch_is_judged_by_itself(engine: Engine) -> None:
    written = _write(
        engine,
        _news("a", 3, 7),
        _news("nobody", 0, 1),
        _news("b", 0, 2),
        _news("a", 4, 6),
        _news("a", 3, 7),
    )
    verdicts = ["taken", None, "taken", "older", "same"]
    assert written.verdicts == [each and ProgressVerdict(each) for each in verdicts]
    assert written.changed == {"a", "b"}
    assert written.known == {"a": Progress(3, None, None, 7), "b": Progress(0, None, None, 2)}

    again = _write(engine, _news("b", 0, 2))
    assert again.changed == frozenset()
    assert again.known["b"].pending == 0, "who repeats a request may need to hear it again"


def test_a_time_comes_back_as_it_was(engine: Engine) -> None:
    at = NOW.replace(microsecond=123_456)
    _write(engine, ProgressNews(reviewer="a", pending=1, at=at))
    with engine.connect() as db:
        assert read_progress(db, "acme", Q4, ["a"]) == {"a": Progress(1, None, at)}


def test_from_several_at_once_the_newest_stays(engine: Engine) -> None:
    news = [_news(who, number % 6, number) for who in "abc" for number in range(60)]
    Random(7).shuffle(news)
    with ThreadPoolExecutor(4) as pool:
        batches = [news[start : start + 9] for start in range(0, len(news), 9)]
        list(pool.map(lambda batch: _write(engine, *batch), batches))

    with engine.connect() as db:
        found = read_progress(db, "acme", Q4, ["a", "b", "c"])
    assert set(found.values()) == {Progress(59 % 6, None, None, 59)}


def _news(reviewer: str, pending: int, sequence: int) -> ProgressNews:
    return ProgressNews(reviewer=reviewer, pending=pending, sequence=sequence)


def _write(engine: Engine, *news: ProgressNews) -> ProgressWritten:
    with engine.begin() as db:
        campaigns.hold(db, "acme", Q4)
        return write_progress(db, "acme", Q4, news, NOW)
