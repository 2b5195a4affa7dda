"""Blows of a storm that fail at first: they are tried again and noted, and never end the storm.

They are tried for as long as the storm goes on, and noted where that was in vain.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chaos import injector
from chaos.fleet import Fleet
from chaos.injector import Injector
from chaos.plan import Blow, Kind
from support.deployment.deployment import Deployment

HOUR = Blow(0.0, Kind.SQL, seconds=0.1)


@pytest.fixture
def storm(tmp_path: Path) -> Injector:
    """With a database and nothing else to hit."""
    with closing(sqlite3.connect(tmp_path / "certmail.sqlite")) as database:
        database.execute("CREATE TABLE t (n)")
    nobody: Any = None
    return Injector(Deployment(tmp_path, {}), nobody, nobody, Fleet(nobody, set), [])


def hold(path: Path, seconds: float) -> threading.Thread:
    """Somebody else writes for so long."""
    has_it = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            has_it.set()
            time.sleep(seconds)
            database.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    assert has_it.wait(60)

    return thread


def test_the_lock_is_waited_for_while_the_storm_goes_on(storm: Injector, tmp_path: Path) -> None:
    ticks: list[float] = []
    other = hold(tmp_path / "certmail.sqlite", 1.5)
    storm.fall([HOUR], lambda: ticks.append(time.monotonic()))
    other.join()

    assert [trouble.kind for trouble in storm.troubles] == [Kind.SQL]
    assert storm.missed == []
    assert len(ticks) > 2, "others were not kept waiting"


def test_one_that_never_comes_about_is_noted_and_the_storm_ends_in_order(
    storm: Injector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injector, "LAST_SECONDS", 0.2)
    other = hold(tmp_path / "certmail.sqlite", 1.5)
    storm.fall([HOUR], lambda: None)
    assert storm.troubles == []
    assert storm.missed == ["sql: OperationalError: database is locked"]
    other.join()


def test_a_glance_that_fails_is_noted_and_no_more(storm: Injector) -> None:
    def fail() -> None:
        raise ConnectionError("the sandbox is slow")

    tick: Callable[[], None] = fail
    storm.fall([HOUR], tick)
    assert set(storm.missed) == {"saying how it goes: ConnectionError: the sandbox is slow"}
    assert [trouble.kind for trouble in storm.troubles] == [Kind.SQL]
