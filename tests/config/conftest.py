"""What tests of the base share: an environment in which nothing is set, and each kind of server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from redis import Redis

from certmail_config.settings import PREFIX
from support.machine.clocked_ledger import ClockedLedger
from support.servers.engines import ENGINES, running


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """A client of a server of its own.

    The newest Valkey, and the oldest Redis that certmail runs on.
    """
    with running(request.param) as client:
        yield client


@pytest.fixture
def ledger(engine: Redis) -> ClockedLedger:
    """A ledger on it, with a clock that the test moves."""
    engine.flushall()
    return ClockedLedger(engine)
