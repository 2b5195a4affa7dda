"""What Redis answers is given as it is, on clients that block and on those of asyncio."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from certmail_config.base import redis_answers as answers


def test_strings_hashes_and_sets(engine: Redis) -> None:
    engine.set("text", "a")
    engine.hset("hash", mapping={"x": "1", "y": "\u00e9"})
    engine.sadd("set", "m", "n")

    assert answers.value_of(engine, "text") == b"a"
    assert answers.values_of(engine, ["text", "none"]) == [b"a", None]
    assert answers.hash_of(engine, "hash") == {b"x": b"1", b"y": b"\xc3\xa9"}
    assert answers.hash_of(engine, "none") == {}
    assert answers.field_of(engine, "hash", "x") == b"1"
    assert answers.fields_of(engine, "hash", ("y", "z")) == [b"\xc3\xa9", None]
    assert sorted(answers.field_names_of(engine, "hash")) == [b"x", b"y"]
    assert answers.members_of(engine, "set") == {b"m", b"n"}
    assert answers.taken_value(engine, "text") == b"a"
    assert answers.value_of(engine, "text") is None


def test_sorted_sets(engine: Redis) -> None:
    engine.zadd("ranked", {"late": 30, "early": 10, "middle": 20})
    assert answers.ranked(engine, "ranked", 0, -1) == [b"early", b"middle", b"late"]
    assert answers.scored_up_to(engine, "ranked", 20) == [b"early", b"middle"]
    end, page = answers.scan_scored(engine, "ranked", 0, 100)
    assert (end, dict(page)) == (0, {b"early": 10.0, b"middle": 20.0, b"late": 30.0})


def test_streams(engine: Redis) -> None:
    assert answers.newest_entry(engine, "stream") is None
    for id_ in ("1-0", "2-0"):
        engine.xadd("stream", {"n": id_}, id=id_)
    assert answers.newest_entry(engine, "stream") == (b"2-0", {b"n": b"2-0"})
    assert answers.newest_entry(engine, "stream", until="1-5") == (b"1-0", {b"n": b"1-0"})


def test_times(engine: Redis) -> None:
    assert abs(answers.server_time(engine) - time.time()) < 5
    moment = datetime(2026, 12, 2, 15, 20, 0, 250_000, UTC)
    text = str(round(moment.timestamp() * 1000))
    assert answers.from_ms(text) == answers.from_ms(text.encode()) == moment


def test_the_same_on_asyncio(engine: Redis) -> None:
    engine.set("text", "a")
    engine.hset("other", "x", "1")
    engine.zadd("ranked", {"early": 10, "middle": 20, "late": 30})

    async def ask() -> None:
        async with AsyncRedis(
            unix_socket_path=engine.connection_pool.connection_kwargs["path"]
        ) as redis:
            assert await answers.avalue_of(redis, "text") == b"a"
            assert await answers.ahash_of(redis, "other") == {b"x": b"1"}
            assert await answers.afield_of(redis, "other", "x") == b"1"
            assert await answers.afields_of(redis, "other", ["x", "y"]) == [b"1", None]
            assert await answers.ascored_up_to(redis, "ranked", 40, 2) == [b"early", b"middle"]
            assert abs(await answers.aserver_time(redis) - time.time()) < 5

    asyncio.run(ask())
