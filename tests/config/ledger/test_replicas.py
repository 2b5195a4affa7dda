"""Calls that end only when replicas have them, with a real replica.

Confirmed, or said not to be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certmail_config.ledger import advertise, arun_durably, keep, run_many
from certmail_config.stores.connect import connect_async
from support.servers.replication import DURABLE, Valkey, replica_of, valkey

ADVERTISE = advertise("w", 3, seconds=60)
WRITES_NOTHING = keep("somebody-else", seconds=60)
"""A call that is refused as long as another worker is the keeper.

It is an answer without a write, as a duplicate is.
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Valkey, Valkey]]:
    folder = Path(tmp_path_factory.mktemp("pair"))
    with (
        valkey(folder / "primary", *DURABLE) as primary,
        replica_of(primary, folder / "replica") as replica,
    ):
        run_many(primary.redis, [keep("w", seconds=3600)])
        yield primary, replica


@pytest.fixture
def primary(pair: tuple[Valkey, Valkey]) -> Valkey:
    return pair[0]


@pytest.fixture
def frozen(pair: tuple[Valkey, Valkey]) -> Iterator[Valkey]:
    primary, replica = pair
    replica.freeze()
    yield primary
    replica.thaw()


class TestWithItsReplica:
    async def test_a_call_is_confirmed_at_once(self, primary: Valkey) -> None:
        async with connect_async(primary.url) as redis:
            began = time.monotonic()
            _, durable = await arun_durably(redis, ADVERTISE, 1)
        assert durable
        assert time.monotonic() - began < 0.9

    async def test_a_script_that_the_server_does_not_know_is_given_to_it(
        self, primary: Valkey
    ) -> None:
        primary.redis.script_flush()
        async with connect_async(primary.url) as redis:
            assert await arun_durably(redis, WRITES_NOTHING, 1) == (False, True)

    def test_so_are_many(self, primary: Valkey) -> None:
        primary.redis.script_flush()
        answers, durable = run_many(primary.redis, [WRITES_NOTHING] * 3, replicas=1)
        assert (answers, durable) == ([False] * 3, True)

    async def test_more_replicas_than_there_are_never_confirm(self, primary: Valkey) -> None:
        async with connect_async(primary.url) as redis:
            _, durable = await arun_durably(redis, ADVERTISE, 2)
        assert not durable


class TestWithItsReplicaFrozen:
    async def test_a_call_is_made_but_not_confirmed(self, frozen: Valkey) -> None:
        async with connect_async(frozen.url) as redis:
            tick, durable = await arun_durably(redis, ADVERTISE, 1)
        assert tick.now > 0
        assert not durable

    async def test_nor_is_one_that_writes_nothing(self, frozen: Valkey) -> None:
        async with connect_async(frozen.url) as redis:
            assert await arun_durably(redis, WRITES_NOTHING, 1) == (False, False)
        assert run_many(frozen.redis, [WRITES_NOTHING], replicas=1) == ([False], False)

    async def test_whoever_asks_for_none_does_not_wait(self, frozen: Valkey) -> None:
        began = time.monotonic()
        async with connect_async(frozen.url) as redis:
            assert (await arun_durably(redis, ADVERTISE, 0))[1]
        assert run_many(frozen.redis, [WRITES_NOTHING]) == ([False], True)
        assert time.monotonic() - began < 0.9
