"""Redis over TLS with an authority of one's own, and clients' certificates, through every client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.connection import Connection
from kombu.exceptions import OperationalError

from certmail_config.base.errors import StoresUnreachable
from certmail_config.stores.broker import broker_url, transport_options
from certmail_config.stores.connect import (
    check_channels,
    check_redis,
    connect,
    connect_async,
    connect_gathering,
)
from certmail_worker.runtime.transport.transport import BatchingTransport, Transport
from support.servers.tls import Authority, new_authority, tls_relay


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def port(authority: Authority, redis_url: str) -> Iterator[int]:
    with tls_relay(authority, redis_url.removeprefix("unix://").partition("?")[0]) as port:
        yield port


def kombu_reaches(url: str, transport: type[Transport] = BatchingTransport) -> bool:
    given = transport_options(url)
    with Connection(
        broker_url(url), transport=transport, transport_options=given, connect_timeout=5
    ) as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=5)
            connection.channel().queue_declare("certmail-over-tls")
        except OperationalError:
            return False
        return True


def test_every_client_speaks_with_it(authority: Authority, port: int) -> None:
    url = f"rediss://127.0.0.1:{port}/0?{authority.options('client')}"

    async def ask() -> list[object]:
        plain, gathering = connect_async(url), connect_gathering(url)
        try:
            return [await plain.ping(), await gathering.ping()]
        finally:
            await plain.aclose()
            await gathering.aclose()

    assert check_redis(url)[0] == "Valkey"
    check_channels(url)
    with connect(url) as redis:
        assert redis.ping()
    assert asyncio.run(ask()) == [True, True]
    assert kombu_reaches(url)
    assert kombu_reaches(url, Transport)


def test_an_authority_that_is_not_its_own_is_refused_and_named(
    authority: Authority, port: int, tmp_path: Path
) -> None:
    other = new_authority(tmp_path / "other")
    certificate, key = authority.issue("client")
    url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={other.file}&ssl_certfile={certificate}&ssl_keyfile={key}"

    with pytest.raises(StoresUnreachable) as raised:
        check_redis(url)
    assert raised.value.code == "redis_tls"
    assert "is not trusted" in raised.value.message
    assert "ssl_ca_certs=" in raised.value.remedy
    assert not kombu_reaches(url)


def test_where_no_authority_is_named_celery_trusts_no_other_either(
    authority: Authority, port: int
) -> None:
    """Left to itself, kombu trusts any certificate of a rediss:// URL that says nothing of them."""
    certificate, key = authority.issue("client")
    url = f"rediss://127.0.0.1:{port}/0?ssl_certfile={certificate}&ssl_keyfile={key}"
    assert "ssl_cert_reqs=required" in broker_url(url)
    assert broker_url("rediss://r:1/0") == "rediss://r:1/0?ssl_cert_reqs=required"
    assert not kombu_reaches(url)
    with pytest.raises(StoresUnreachable, match="is not trusted"):
        check_redis(url)


def test_without_a_certificate_of_its_own_a_client_is_told_what_is_missing(
    authority: Authority, port: int
) -> None:
    url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={authority.file}"
    with pytest.raises(StoresUnreachable) as raised:
        check_redis(url)
    assert "ssl_certfile" in raised.value.remedy
    assert not kombu_reaches(url)
