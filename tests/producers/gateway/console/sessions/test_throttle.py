"""The throttle of sign-in: how often somebody may try."""

from __future__ import annotations

from redis import Redis

from certmail.gateway.console.sessions.rate import MAX_PER_MINUTE, RateLimit
from certmail.gateway.console.sessions.throttle import (
    IN_ALL,
    MAX_DELAY,
    PER_ADDRESS,
    WINDOW_SECONDS,
    Try,
    signed_in,
    try_to_sign_in,
)
from certmail_config.base import redis_keys


def test_so_many_tries_and_no_more_until_the_window_is_over(redis: Redis) -> None:
    assert [try_to_sign_in(redis, "192.0.2.1") for _ in range(PER_ADDRESS)] == [Try()] * PER_ADDRESS
    assert 0 < try_to_sign_in(redis, "192.0.2.1").wait <= WINDOW_SECONDS
    assert try_to_sign_in(redis, "192.0.2.2") == Try()


def test_trying_on_does_not_put_off_the_windows_end(redis: Redis) -> None:
    for _ in range(PER_ADDRESS):
        try_to_sign_in(redis, "192.0.2.1")
    for name in redis.scan_iter(f"{redis_keys.LOGINS}*"):
        redis.expire(name, 100)
    assert 0 < try_to_sign_in(redis, "192.0.2.1").wait <= 100


def test_an_ipv6_network_counts_as_one_address(redis: Redis) -> None:
    for host in range(PER_ADDRESS):
        assert try_to_sign_in(redis, f"2001:db8::{host + 1}") == Try()
    assert try_to_sign_in(redis, "2001:db8::ffff").wait > 0
    assert try_to_sign_in(redis, "2001:db8:0:1::1") == Try()


def test_many_tries_from_everywhere_delay_others_and_refuse_nobody(redis: Redis) -> None:
    for number in range(IN_ALL):
        assert try_to_sign_in(redis, f"198.51.{number // 200}.{number % 200}") == Try()
    delays = [try_to_sign_in(redis, f"203.0.{n // 200}.{n % 200}") for n in range(200)]
    assert all(each.wait == 0 for each in delays)
    assert [each.delay for each in delays] == sorted(each.delay for each in delays)
    assert (0 < delays[0].delay < 1, delays[-1].delay) == (True, MAX_DELAY)


def test_a_browser_that_signed_in_before_is_not_counted_with_others(redis: Redis) -> None:
    for number in range(IN_ALL + 50):
        try_to_sign_in(redis, "192.0.2.1" if number % 2 else f"203.0.113.{number}")
    assert try_to_sign_in(redis, "192.0.2.1").wait > 0
    assert [try_to_sign_in(redis, "192.0.2.1", "known") for _ in range(PER_ADDRESS)] == [
        Try()
    ] * PER_ADDRESS
    assert try_to_sign_in(redis, "192.0.2.1", "known").wait > 0, "nor may it try for ever"
    assert try_to_sign_in(redis, "192.0.2.1", "another") == Try()


def test_whoever_knows_the_password_starts_anew(redis: Redis) -> None:
    for browser in ("", "known"):
        for _ in range(PER_ADDRESS):
            try_to_sign_in(redis, "192.0.2.1", browser)
        signed_in(redis, "192.0.2.1", browser)
        assert try_to_sign_in(redis, "192.0.2.1", browser) == Try()


def test_no_number_of_addresses_fills_redis(redis: Redis) -> None:
    for number in range(300):
        try_to_sign_in(redis, f"10.{number // 250}.{number % 250}.1")
    names = {
        name
        for name in redis.scan_iter(f"{redis_keys.LOGINS}*")
        if name != f"{redis_keys.LOGINS}all".encode()
    }

    assert {len(name) for name in names} == {len(redis_keys.LOGINS) + 4}, "of 65,536 names at most"


def test_no_address_stands_in_redis(redis: Redis) -> None:
    try_to_sign_in(redis, "192.0.2.1")
    try_to_sign_in(redis, "")
    assert not any(b"192.0.2" in name for name in redis.scan_iter("*"))


def test_who_was_invited_asks_so_often_a_minute() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    assert [limit.allows("link") for _ in range(MAX_PER_MINUTE + 1)] == [True] * MAX_PER_MINUTE + [
        False
    ]
    assert limit.allows("another")
    now[0] = 60.0
    assert limit.allows("link")
