"""Commands that share round trips succeed, fail and are cancelled each by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from certmail_config.stores.connect import connect_gathering
from certmail_config.stores.gathering import GatheringRedis


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[GatheringRedis]:
    made = connect_gathering(redis_url)
    yield made
    await made.aclose()


def reads(redis: Redis) -> int:
    """How often the server has read a client's socket."""
    stats: Any = redis.info("stats")
    return int(stats["total_reads_processed"])


async def test_many_that_ask_at_once_get_each_their_own_answer_in_few_round_trips(
    client: GatheringRedis, redis: Redis
) -> None:
    await client.ping()
    before = reads(redis)

    answers = await asyncio.gather(*(client.set(f"k{n}", n, get=True) for n in range(100)))
    assert answers == [None] * 100
    found = await asyncio.gather(*(client.get(f"k{n}") for n in range(100)))

    assert found == [b"%d" % n for n in range(100)]
    assert reads(redis) - before < 20, "two hundred commands, and the greeting of each connection"


async def test_answers_are_read_as_the_client_reads_them(
    client: GatheringRedis, redis: Redis
) -> None:
    redis.hset("hash", mapping={"a": "1"})
    redis.zadd("scores", {"b": 2})

    fields: Any = client.hgetall("hash")
    scores: Any = client.zrange("scores", 0, -1, withscores=True)
    answers: list[Any] = list(await asyncio.gather(fields, scores))
    assert answers == [{b"a": b"1"}, [(b"b", 2.0)]]


async def test_one_that_the_server_refuses_fails_alone_and_in_its_own_words(
    client: GatheringRedis, redis: Redis
) -> None:
    redis.set("text", "a")

    refused, served = await asyncio.gather(
        client.hgetall("text"), client.get("text"), return_exceptions=True
    )
    assert isinstance(refused, ResponseError)
    assert str(refused).startswith("WRONGTYPE")
    assert served == b"a"


@pytest.mark.usefixtures("redis")
async def test_one_that_cannot_be_written_fails_alone(client: GatheringRedis) -> None:
    wrong: Any = {"a": object()}

    refused, served = await asyncio.gather(
        client.set("wrong", wrong), client.set("right", "b"), return_exceptions=True
    )
    assert isinstance(refused, DataError)
    assert served is True


async def test_one_that_is_cancelled_before_it_was_written_is_not_done(
    client: GatheringRedis, redis: Redis
) -> None:
    cancelled = asyncio.ensure_future(client.set("cancelled", "a"))
    other = asyncio.ensure_future(client.set("other", "b"))
    await asyncio.sleep(0)  # both have asked, and nothing is written yet
    cancelled.cancel()

    assert await other is True
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert redis.keys() == [b"other"]


@pytest.mark.parametrize("under_way", [1, 2])
async def test_one_that_asks_in_the_very_turn_in_which_it_was_answered_is_answered_again(
    client: GatheringRedis, redis: Redis, under_way: int
) -> None:
    client.max_under_way = under_way
    redis.set("a", "1")
    async with asyncio.timeout(60):
        for _ in range(50):
            assert await client.get("a") == b"1"


async def test_a_lost_connection_is_made_anew_and_what_was_on_it_is_asked_again(
    client: GatheringRedis, redis: Redis
) -> None:
    await client.set("a", "1")
    redis.client_kill_filter(_type="normal", skipme=True)
    assert await asyncio.gather(*(client.get("a") for _ in range(10))) == [b"1"] * 10


async def test_where_no_server_is_all_are_told() -> None:
    nobody = connect_gathering("redis://127.0.0.1:1/0")
    asked = (nobody.get(f"k{n}") for n in range(3))

    answers = await asyncio.gather(*asked, return_exceptions=True)
    await nobody.aclose()
    assert [type(answer) for answer in answers] == [RedisConnectionError] * 3


async def test_one_that_waits_for_something_holds_up_nobody(
    client: GatheringRedis, redis: Redis
) -> None:
    waiting = asyncio.ensure_future(client.blpop(["list"], timeout=60))
    assert await client.set("a", "1") is True
    assert not waiting.done()

    redis.lpush("list", "x")
    assert await waiting == (b"list", b"x")


async def test_a_server_that_does_not_answer_in_time_is_given_up(redis_url: str) -> None:
    hasty = GatheringRedis.from_url(
        redis_url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0), decode_responses=False
    )
    async with hasty as client:
        await client.set("a", "1")
        blocked = Redis.from_url(redis_url)
        blocked.client_pause(1500)
        answers = await asyncio.gather(client.get("a"), client.get("a"), return_exceptions=True)
        assert [type(answer) for answer in answers] == [RedisTimeoutError] * 2
        blocked.client_unpause()
        blocked.close()
        assert await client.get("a") == b"1", "on a new connection"


async def test_an_answer_that_its_reader_cannot_read_fails_alone(
    client: GatheringRedis, redis: Redis
) -> None:
    def unreadable(*_: Any, **__: Any) -> Any:
        raise ValueError("no answer of this command")

    redis.set("a", "1")
    client.set_response_callback("STRLEN", unreadable)
    answers = await asyncio.gather(client.strlen("a"), client.get("a"), return_exceptions=True)
    assert type(answers[0]) is ValueError
    assert answers[1] == b"1"
