"""What a Redis that answers and refuses is said to want.

Seen on a real server, and in the words of older ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from certmail_config.base.durability import FSYNC
from certmail_config.base.errors import StoresUnreachable
from certmail_config.base.redis_errors import refused
from certmail_config.stores.connect import check_channels, check_redis

DOCS = Path(__file__).parents[3] / "docs" / "redis-user.md"
ALL_BUT = {
    "info": ("~{certmail}:* allchannels +@all -info", "INFO", "+info"),
    "config": ("~{certmail}:* allchannels +@all -config", "CONFIG", "+config|get"),
    "channels": (
        "~{certmail}:* resetchannels +@all",
        "channels",
        "&{certmail}:celery:/0.celery.pidbox",
    ),
}


def rules() -> list[str]:
    """The line of the documentation."""
    [line] = [
        line for line in DOCS.read_text().splitlines() if line.startswith("ACL SETUSER certmail")
    ]
    return line.split()[3:]


def acl(redis: Redis, *words: str) -> None:
    redis.execute_command("ACL", *words)  # type: ignore[no-untyped-call]  # redis-py has no type for it


def as_user(redis: Redis, redis_url: str, given: list[str]) -> str:
    acl(redis, "SETUSER", "certmail", "reset", *given)
    return redis_url.replace("unix://", "unix://certmail:PASSWORD@")


@pytest.mark.parametrize("lacking", ["info", "channels"])
def test_the_right_that_is_missing_is_named_with_the_rule_that_gives_it(
    redis: Redis, redis_url: str, lacking: str
) -> None:
    given, what, rule = ALL_BUT[lacking]
    url = as_user(redis, redis_url, ["on", ">PASSWORD", *given.split()])

    try:
        with pytest.raises(StoresUnreachable) as raised:
            (check_channels if lacking == "channels" else check_redis)(url)
    finally:
        acl(redis, "DELUSER", "certmail")

    assert raised.value.code == "redis_no_permission"
    assert "the user certmail" in raised.value.message
    assert what in raised.value.message
    assert raised.value.remedy.startswith("ACL SETUSER certmail ")
    assert rule in raised.value.remedy
    assert "PASSWORD" not in str(raised.value.as_json())


def test_the_user_of_the_documentation_may_do_what_is_needed_to_start(
    redis: Redis, redis_url: str
) -> None:
    url = as_user(redis, redis_url, rules())
    try:
        check_channels(url)
        assert check_redis(url, FSYNC)[0] == "Valkey"
    finally:
        acl(redis, "DELUSER", "certmail")


@pytest.mark.parametrize(
    ("words", "message", "rule"),
    [
        ("User certmail has no permissions to run the 'config|get' command", "the command CONFIG GET", "+config|get"),
        ("this user has no permissions to run the 'info' command or its subcommand", "the command INFO", "+info"),
        ("this user has no permissions to access one of the keys used as arguments", "keys", "'~{certmail}:*'"),
        ("No permissions to access a key", "keys", "'~{certmail}:*'"),
        ("this user has no permissions to access one of the channels used as arguments", "channels", "'&{certmail}:celery:/3.celeryev/*'"),
    ],
)  # fmt: skip
def test_every_servers_words_are_understood(words: str, message: str, rule: str) -> None:
    known = refused(NoPermissionError(words), database=3)
    assert known is not None
    assert message in known.message
    assert rule in known.remedy


@pytest.mark.parametrize(
    ("words", "says", "remedy"),
    [
        ("Error 1 connecting to r:6379. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006).", "is not trusted: unable to get local issuer certificate.", "ssl_ca_certs="),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'r'. (_ssl.c:1006)", "Hostname mismatch", "its host"),
        ("Error 1 connecting to r:6379. [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006).", "does not speak TLS", "redis://"),
    ],
)  # fmt: skip
def test_mistakes_with_tls_are_named(words: str, says: str, remedy: str) -> None:
    known = refused(RedisConnectionError(words))
    assert known is not None
    assert (known.code, says in known.message, remedy in known.remedy) == ("redis_tls", True, True)


def test_a_server_that_does_not_answer_has_refused_nothing() -> None:
    assert (
        refused(RedisConnectionError("Error 111 connecting to r:6379. Connection refused.")) is None
    )
