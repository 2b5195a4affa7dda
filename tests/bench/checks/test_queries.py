"""No question that is asked of the record reads all of it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bench.queries import NOW, ask, questions
from bench.record_filling import fill
from certmail_config.sql.engine import open_database
from support.servers.postgres import Postgres

COUNT = 20_000


@pytest.fixture(scope="module")
def filled(postgres_server: Postgres, postgres_template: str) -> str:
    postgres_server.execute(f"CREATE DATABASE filled TEMPLATE {postgres_template}")
    url = postgres_server.url("filled")
    engine = open_database(url)
    fill(engine, COUNT, NOW)
    engine.dispose()
    postgres_server.execute("VACUUM ANALYZE", "filled")
    return url


def test_each_is_answered_by_an_index(filled: str) -> None:
    engine = open_database(filled)
    with engine.connect() as db:
        assert db.execute(text("SELECT count(*) FROM events")).scalar_one() == 3 * COUNT
    asked = [ask(engine, name, question, times=2) for name, question in questions(COUNT)]
    engine.dispose()
    assert len(asked) > 40
    whole = [
        each.name for each in asked if any("Seq Scan on deliveries" in plan for plan in each.plans)
    ]
    assert whole == []
