"""What is kept of planned mails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from sqlalchemy import Engine

from certmail_config.campaigns.running.states import MomentState
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns
from certmail_config.sql.campaigns.moments import (
    KeptMoment,
    MomentId,
    load_moments,
    note_ends,
    write_moments,
)
from certmail_config.sql.engine import open_database
from support.campaigns.kept import a_campaign

NOW: Final = datetime(2026, 11, 2, 8, tzinfo=UTC)
Q4: Final = ("acme", "2026-q4")
ENQUEUED: Final = KeptMoment(
    MomentId("anna", "regular", 1), NOW, "reminder", "d", 0, "j1", MomentState.ENQUEUED
)
ENDED: Final = ENQUEUED._replace(state=MomentState.WITHDRAWN, outcome="suppressed")


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    made = open_database(ready_database)
    yield made
    made.dispose()


def kept(engine: Engine) -> list[KeptMoment]:
    with engine.connect() as db:
        return list(load_moments(db, *Q4).values())


def test_the_end_of_its_job_is_noted(engine: Engine) -> None:
    given(engine, ENQUEUED)
    with engine.begin() as db:
        note_ends(db, *Q4, [ENDED])
    assert kept(engine) == [ENDED]


def test_not_where_another_planner_has_put_another_job_in_its_place(engine: Engine) -> None:
    """It was read before, and is written after: that job would stand for nothing any more."""
    another = ENQUEUED._replace(generation=1, job="j2")
    given(engine, another)
    with engine.begin() as db:
        note_ends(db, *Q4, [ENDED])
    assert kept(engine) == [another]


def given(engine: Engine, moment: KeptMoment) -> None:
    vault = Vault([("k1", os.urandom(32))])
    with engine.begin() as db:
        registry.add_tenant(db, vault, "acme", NOW)
        campaigns.add_campaign(db, a_campaign(), NOW)
        write_moments(db, *Q4, [moment])
