"""Doorbells are taken and acknowledged many a round trip; kombu's own channel understands it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from kombu.asynchronous import Hub, set_event_loop
from kombu.connection import Connection
from kombu.messaging import Consumer, Queue
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.stores.broker import QUEUE, TRANSPORT_OPTIONS, broker_url
from certmail_worker.runtime.doorbell import LIST, Doorbell
from certmail_worker.runtime.transport.batches import MAX_TAKEN
from certmail_worker.runtime.transport.transport import BatchingTransport, Transport
from support.data.doorbells import doorbell_app

UNACKED = redis_keys.CELERY_PREFIX + "unacked"
UNACKED_INDEX = redis_keys.CELERY_PREFIX + "unacked_index"


app = doorbell_app()


@dataclass(slots=True)
class Taker:
    """A consumer of certmail's queue, and what it was given."""

    connection: Connection
    channel: Any
    given: list[Any] = field(default_factory=list)

    @property
    def jobs(self) -> list[str]:
        return [message.headers["id"] for message in self.given]

    def turn(self) -> None:
        """Wait for one answer of the server, and hand over what it brings."""
        self.connection.drain_events(timeout=10)

    def acknowledge(self) -> None:
        for message in self.given:
            message.ack()


@contextmanager
def taker(url: str, transport: type[Transport], prefetch: int, **options: Any) -> Iterator[Taker]:
    given = {**TRANSPORT_OPTIONS, **options}
    connection = Connection(broker_url(url), transport_options=given)
    connection.transport_cls = transport  # else its URL's
    with connection, connection.channel() as channel:
        made = Taker(connection, channel)
        consumer = Consumer(
            channel, [Queue(QUEUE)], on_message=made.given.append, prefetch_count=prefetch
        )
        consumer.qos(prefetch_count=prefetch)
        consumer.consume()
        yield made


@pytest.fixture
def ring(redis: Redis) -> Callable[..., None]:
    doorbell = Doorbell(app, None)  # type: ignore[arg-type]  # it is not asked to send

    def ring(*jobs: str) -> None:
        redis.lpush(LIST, *(doorbell.message(JobId(job)) for job in jobs))

    return ring


def calls(redis: Redis, command: str) -> int:
    """How often the server was asked for this."""
    stats: Any = redis.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


def test_what_waits_in_the_queue_is_taken_in_one_step_oldest_first(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    jobs = [f"job-{n}" for n in range(20)]
    ring(*jobs)
    redis.config_resetstat()

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()

        assert found.jobs == jobs
        assert (calls(redis, "brpop"), calls(redis, "evalsha")) == (1, 1)
        assert redis.llen(LIST) == 0


def test_each_is_kept_as_unacknowledged_until_it_is_acknowledged(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    ring("a", "b", "c")

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        tags = {message.delivery_tag.encode() for message in found.given}
        assert set(redis.hkeys(UNACKED)) == tags
        assert set(redis.zrange(UNACKED_INDEX, 0, -1)) == tags

        found.acknowledge()
        assert redis.exists(UNACKED, UNACKED_INDEX) == 0


@pytest.mark.parametrize("other", [Transport, BatchingTransport])
def test_what_a_lost_worker_had_taken_comes_again_to_one_of_either_kind(
    redis: Redis, redis_url: str, ring: Callable[..., None], other: type[Transport]
) -> None:
    ring("a", "b")
    with taker(redis_url, BatchingTransport, prefetch=100) as lost:
        lost.turn()
        assert lost.jobs == ["a", "b"]

    with taker(redis_url, other, prefetch=100, visibility_timeout=0) as found:
        found.channel.qos.restore_visible()
        while len(found.given) < 2:
            found.turn()
        assert set(found.jobs) == {"a", "b"}
        assert {message.headers["redelivered"] for message in found.given} == {True}


def test_no_more_is_taken_than_there_is_room_for(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    ring(*(f"job-{n}" for n in range(10)))

    with taker(redis_url, BatchingTransport, prefetch=3) as found:
        found.turn()
        assert (len(found.given), redis.llen(LIST)) == (3, 7)

        found.acknowledge()
        found.turn()
        assert (len(found.given), redis.llen(LIST)) == (6, 4)


def test_one_step_is_bounded(redis: Redis, redis_url: str, ring: Callable[..., None]) -> None:
    ring(*(f"job-{n}" for n in range(MAX_TAKEN + 5)))

    with taker(redis_url, BatchingTransport, prefetch=1000) as found:
        found.turn()
        assert (len(found.given), redis.llen(LIST)) == (MAX_TAKEN, 5)


def test_large_messages_are_taken_a_few_at_a_time_and_never_kept(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    large = json.loads(Doorbell(app, None).message(JobId("large")))  # type: ignore[arg-type]  # as above
    large["body"] = "x" * 300_000
    ring("a")
    redis.lpush(LIST, *[json.dumps(large)] * 10)
    ring("b")

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        assert redis.llen(LIST) >= 10, "one of them is as much as a step may hold"
        assert redis.hlen(UNACKED) == 1

        while len(found.given) < 2:
            found.turn()
        assert found.jobs == ["a", "b"]
        found.acknowledge()

    assert redis.exists(LIST, UNACKED, UNACKED_INDEX) == 0


def without_a_tag(message: dict[str, Any]) -> str:
    del message["properties"]["delivery_tag"]
    return json.dumps(message)


def with_another_tag_before(message: dict[str, Any]) -> str:
    return json.dumps({"headers": {"delivery_tag": "other"}} | {"message": message})


def with_a_tag_that_is_no_uuid(message: dict[str, Any]) -> str:
    message["properties"]["delivery_tag"] = 'odd "tag" \N{SNOWMAN}'
    return json.dumps(message)


@pytest.mark.parametrize(
    "spoilt",
    [
        "no JSON",
        '"delivery_tag": "half-a-message',
        b'\xff"delivery_tag": "not-utf8"'.decode("latin-1"),
        "[" * 5000,
        without_a_tag,
        with_another_tag_before,
        with_a_tag_that_is_no_uuid,
    ],
)
def test_a_message_that_is_none_harms_itself_alone_and_leaves_nothing_behind(
    redis: Redis,
    redis_url: str,
    ring: Callable[..., None],
    spoilt: str | Callable[[dict[str, Any]], str],
) -> None:
    ring("a")
    message = json.loads(Doorbell(app, None).message(JobId("spoilt")))  # type: ignore[arg-type]  # as above
    redis.lpush(LIST, spoilt if isinstance(spoilt, str) else spoilt(message))
    ring("b")

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        assert found.jobs == ["a", "b"]
        found.acknowledge()

    assert redis.exists(LIST, UNACKED, UNACKED_INDEX) == 0


def test_a_message_whose_header_is_named_like_its_tag_is_kept_under_its_own(
    redis: Redis, redis_url: str
) -> None:
    message = json.loads(Doorbell(app, None).message(JobId("a")))  # type: ignore[arg-type]  # as above
    redis.lpush(LIST, json.dumps(message | {"headers": {"delivery_tag": "x"} | message["headers"]}))

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        assert found.jobs == ["a"]
        assert redis.hkeys(UNACKED) == [found.given[0].delivery_tag.encode()]


def test_a_server_that_forgot_the_script_is_given_it(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    ring("a")
    redis.script_flush()

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        assert found.jobs == ["a"]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A worker's event loop: with one, acknowledgements can wait."""
    made = Hub()
    set_event_loop(made)
    yield made
    set_event_loop(None)
    made.close()


@pytest.mark.usefixtures("hub")
def test_acknowledgements_gather_and_go_with_the_next_messages(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    ring("a", "b")

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        found.acknowledge()
        assert redis.hlen(UNACKED) == 2

        ring("c")
        redis.config_resetstat()
        found.turn()
        assert redis.hkeys(UNACKED) == [found.given[-1].delivery_tag.encode()]
        assert (calls(redis, "zrem"), calls(redis, "hdel")) == (1, 1)


def test_acknowledgements_go_by_themselves_after_a_moment(
    redis: Redis, redis_url: str, ring: Callable[..., None], hub: Hub
) -> None:
    ring("a")

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        found.acknowledge()
        loop = hub.create_loop()
        while redis.hlen(UNACKED):
            next(loop)


@pytest.mark.usefixtures("hub")
def test_acknowledgements_that_wait_are_sent_when_the_channel_closes(
    redis: Redis, redis_url: str, ring: Callable[..., None]
) -> None:
    ring("a", "b")

    with taker(redis_url, BatchingTransport, prefetch=100) as found:
        found.turn()
        found.acknowledge()
        assert redis.hlen(UNACKED) == 2

    assert redis.exists(UNACKED, UNACKED_INDEX) == 0
