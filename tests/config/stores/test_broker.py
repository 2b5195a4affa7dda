"""Both ends of the queue are told of the server in one way."""

from __future__ import annotations

import pytest
from kombu.connection import Connection
from redis import Redis

from certmail_config.stores.broker import TRANSPORT_OPTIONS, broker_url
from certmail_config.stores.connect import connect


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://me:secret@host:6380/2", "redis://me:secret@host:6380/2"),
        ("rediss://host/0?ssl_cert_reqs=required", "rediss://host/0?ssl_cert_reqs=required"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix://me:secret@/run/valkey.sock", "redis+socket://me:secret@/run/valkey.sock"),
        ("unix:///run/a%20b/valkey.sock", "redis+socket:///run/a%20b/valkey.sock"),
    ],
)
def test_a_servers_url_is_put_in_kombus_form(url: str, broker: str) -> None:
    assert broker_url(url) == broker


def test_messages_land_in_the_database_that_the_url_names(redis: Redis, redis_url: str) -> None:
    with (
        Connection(broker_url(f"{redis_url}?db=3")) as connection,
        connection.SimpleQueue("bell") as queue,
    ):
        queue.put("rung")
        with connect(f"{redis_url}?db=3") as third:
            assert third.llen("bell") == 1
        assert redis.llen("bell") == 0
        queue.get().ack()


def test_celerys_keys_are_in_the_slot_of_all_others() -> None:
    assert TRANSPORT_OPTIONS["global_keyprefix"].startswith("{certmail}")
