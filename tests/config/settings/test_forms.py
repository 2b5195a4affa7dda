"""How settings are written.

What is understood, and what is refused by a sentence that does not repeat it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from certmail_config.settings.forms import (
    FormError,
    database_address,
    here,
    host_and_port,
    misspelt,
    proxy_address,
    redis_address,
    web_address,
    whole_origin,
)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("localhost:0", ("localhost", 0)),
        ("gateway-1.internal:65535", ("gateway-1.internal", 65535)),
        ("[::1]:8080", ("::1", 8080)),
        ("[::]:8080", ("::", 8080)),
    ],
)
def test_an_address_to_listen_on_is_host_and_port(text: str, read: tuple[str, int]) -> None:
    assert host_and_port(text) == read


@pytest.mark.parametrize(
    ("listen", "shown"),
    [
        ("0.0.0.0:8080", "127.0.0.1:8080"),
        ("[::]:8080", "[::1]:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("certmail.internal:80", "certmail.internal:80"),
    ],
)
def test_who_listens_everywhere_is_reached_at_loopback(listen: str, shown: str) -> None:
    assert here(listen) == shown


@pytest.mark.parametrize(
    ("read", "given", "accepted"),
    [
        (whole_origin, "https://certmail.example.com/", "https://certmail.example.com"),
        (whole_origin, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (proxy_address, "http://proxy:3128", "http://proxy:3128"),
        (proxy_address, "https://ann:p%40ss%2Fword@proxy.internal:443/", "https://ann:p%40ss%2Fword@proxy.internal:443"),
        (proxy_address, "http://[::1]:3128", "http://[::1]:3128"),
        (redis_address, "redis://host", "redis://host"),
        (redis_address, "redis://:p%23w@host:6379/15", "redis://:p%23w@host:6379/15"),
        (redis_address, "redis://host/", "redis://host/"),
        (redis_address, "rediss://host/0?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem", "rediss://host/0?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem"),
        (redis_address, "unix:///run/redis.sock?db=3", "unix:///run/redis.sock?db=3"),
        (redis_address, "redis://?db=2", "redis://?db=2"),
        (redis_address, "sentinel://u:p%23w@one,two:26380,[::1]:3/1?master=certmail", "sentinel://u:p%23w@one,two:26380,[::1]:3/1?master=certmail"),
        (redis_address, "sentinels://one/0?master=m&ssl_ca_certs=/ca.pem&sentinel_password=x", "sentinels://one/0?master=m&ssl_ca_certs=/ca.pem&sentinel_password=x"),
        (database_address, "postgresql+psycopg://a:b@host:5432/db?sslmode=verify-full", "postgresql+psycopg://a:b@host:5432/db?sslmode=verify-full"),
        (database_address, "postgresql://a:sl/a#sh@host/db", "postgresql+psycopg://a:sl/a#sh@host/db"),
        (database_address, "postgres://a:b@host/db", "postgresql+psycopg://a:b@host/db"),
        (database_address, "postgresql://host/db", "postgresql+psycopg://host/db"),
        (database_address, "sqlite:////var/lib/certmail/record.sqlite", "sqlite:////var/lib/certmail/record.sqlite"),
    ],
)  # fmt: skip
def test_what_is_understood(read: Callable[[str], str], given: str, accepted: str) -> None:
    assert read(given) == accepted


@pytest.mark.parametrize(
    ("read", "given", "says"),
    [
        *((host_and_port, text, "HOST:PORT") for text in ("8080", ":8080", "::1:8080", "[::1]", "[127.0.0.1]:80", "*:80", "a b:80", "http://x:80", "[::1:80", "-:1")),
        *((host_and_port, text, "a port from 0 to 65535") for text in ("127.0.0.1:abc", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:8o", "[::1]:x")),
        (whole_origin, "https://iga.example/certmail", "without a path"),
        (whole_origin, "iga.example", "must start with https://"),
        (whole_origin, "https://", "a host"),
        (whole_origin, "https://ann:pw@iga.example", "without user"),
        (whole_origin, "https://iga.example?x=1", "without user, query"),
        (web_address, "https://iga.example:99999", "not an address"),
        (web_address, "https://[::1", "not an address"),
        *((proxy_address, text, "must be http://host:port") for text in ("proxy:3128", "socks5://proxy:1080", "http://", "http://a b:80")),
        (proxy_address, "http://ann:hun/ter2@proxy:3128", "%2F"),
        (proxy_address, "http://ann:hün@proxy:3128", "ASCII"),
        (proxy_address, "http://proxy:99999", "not an address"),
        (redis_address, "redis://host/abc", "number of a database"),
        (redis_address, "sentinel://one,two/0", "must end with ?master="),
        (redis_address, "sentinel://one,,two/0?master=m", "with commas between them"),
        (redis_address, "sentinel://one:99999/0?master=m", "with commas between them"),
        (redis_address, "sentinel://one/abc?master=m", "number of a database"),
        (redis_address, "sentinel://one/0?master=m&ssl_ca_certs=/ca.pem", "no TLS"),
        (redis_address, "redis://host/0/1", "number of a database"),
        (redis_address, "localhost:6379", "must start with redis://"),
        (redis_address, "rediss://host?ssl_cert_req=none", "did you mean ssl_cert_reqs?"),
        (redis_address, "rediss://host?ssl_cert_reqs=of+course", "required, optional or none"),
        (redis_address, "rediss://host?ssl_ca_cert=/ca.pem", "did you mean ssl_ca_certs?"),
        (redis_address, "rediss://host?ssl_check_hostname=flase", "true or false"),
        (redis_address, "redis://host?ssl_ca_certs=/ca.pem", "that takes rediss://"),
        (redis_address, "redis://host?db=one", "a number"),
        (redis_address, "redis://host?hunter2=1", "unknown"),
        (redis_address, "unix://", "socket's path"),
        *((database_address, text, "memory of one process") for text in ("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "sqlite:///file::memory:?uri=true")),
        *((database_address, text, "whole path") for text in ("sqlite:///certmail.sqlite", "sqlite:///./x.sqlite", "sqlite:///data/x.sqlite")),
        *((database_address, text, "PostgreSQL") for text in ("mysql://host/db", "no-such-database://x", "host/db", "postgresql+asyncpg://host/db", "sqlite+aiosqlite:////x")),
    ],
)  # fmt: skip
def test_what_is_refused_says_how_it_is_written_and_repeats_nothing(
    read: Callable[[str], Any], given: str, says: str
) -> None:
    with pytest.raises(FormError) as raised:
        read(given)
    assert says in str(raised.value)
    assert not any(
        part in str(raised.value) for part in ("hunter2", "hün", "ter2", "flase", "of course")
    )


def test_a_name_that_is_like_a_setting_is_told_from_one_that_is_none() -> None:
    known = ["REDIS_URL", "DATABASE_URL", "VAULT_KEYS", "LEASE_SECONDS", "UNCERTAIN"]
    names = [
        "REDIS_ULR", "DATABASEURL", "VAULT_KEY", "LEASE_SECOND", "OF_THE_FUTURE", "ID", "API_KEY", "REDIS_URL", "UNCERTIAN",
    ]  # fmt: skip

    assert misspelt(names, known) == (
        {
            "REDIS_ULR": "REDIS_URL",
            "DATABASEURL": "DATABASE_URL",
            "VAULT_KEY": "VAULT_KEYS",
            "LEASE_SECOND": "LEASE_SECONDS",
            "UNCERTIAN": "UNCERTAIN",
        },
        ("ID", "OF_THE_FUTURE"),
    )
