"""Both ends of the queue are told of the server in one way."""

from __future__ import annotations

import pytest
from kombu.connection import Connection
from redis import Redis

from certmail_config.stores.broker import TRANSPORT_OPTIONS, broker_url, transport_options
from certmail_config.stores.connect import connect


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://me:secret@host:6380/2", "redis://me:secret@host:6380/2"),
        ("rediss://host/0?ssl_cert_reqs=required", "rediss://host/0?ssl_cert_reqs=required"),
        ("rediss://host/0", "rediss://host/0?ssl_cert_reqs=required"),
        ("rediss://host/0?ssl_cert_reqs=none", "rediss://host/0?ssl_cert_reqs=none"),
        ("sentinel://u:p@a,b:3/1?master=m", "sentinel://u:p@a:26379/1;sentinel://u:p@b:3/1"),
        (
            "sentinels://a/0?master=m&sentinel_password=s&ssl_ca_certs=/ca.pem",
            "sentinel://a:26379/0?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required",
        ),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix://me:secret@/run/valkey.sock", "redis+socket://me:secret@/run/valkey.sock"),
        ("unix:///run/a%20b/valkey.sock", "redis+socket:///run/a%20b/valkey.sock"),
    ],
)
def test_a_servers_url_is_put_in_kombus_form(url: str, broker: str) -> None:
    assert broker_url(url) == broker


def test_sentinels_are_told_to_kombu_beside_the_url() -> None:
    url = "sentinels://u:p@a/0?master=m&sentinel_username=w&sentinel_password=s%23&ssl_ca_certs=/ca"
    told = transport_options(url)
    assert told["master_name"] == "m"
    asked = told["sentinel_kwargs"]
    assert (asked["username"], asked["password"]) == ("w", "s#")
    assert (asked["ssl"], asked["ssl_ca_certs"]) == (True, "/ca")
    assert transport_options("redis://host") == dict(TRANSPORT_OPTIONS)


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
