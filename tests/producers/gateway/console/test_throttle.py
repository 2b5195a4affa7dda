"""How often somebody may try to sign in."""

from __future__ import annotations

from redis import Redis

from certmail.gateway.console.throttle import IN_ALL, PER_ADDRESS, WINDOW_SECONDS, signed_in, try_to_sign_in
from certmail_config import keys


def test_so_many_tries_and_no_more_until_the_window_is_over(redis: Redis) -> None:
    assert [try_to_sign_in(redis, "192.0.2.1") for _ in range(PER_ADDRESS)] == [0] * PER_ADDRESS
    assert 0 < try_to_sign_in(redis, "192.0.2.1") <= WINDOW_SECONDS
    assert try_to_sign_in(redis, "192.0.2.2") == 0


def test_trying_on_does_not_put_off_the_windows_end(redis: Redis) -> None:
    for _ in range(PER_ADDRESS):
        try_to_sign_in(redis, "192.0.2.1")
    for name in redis.scan_iter(f"{keys.LOGINS}*"):
        redis.expire(name, 100)
    assert try_to_sign_in(redis, "192.0.2.1") <= 100


def test_an_ipv6_network_counts_as_one_address(redis: Redis) -> None:
    for host in range(PER_ADDRESS):
        assert try_to_sign_in(redis, f"2001:db8::{host + 1}") == 0
    assert try_to_sign_in(redis, "2001:db8::ffff") > 0
    assert try_to_sign_in(redis, "2001:db8:0:1::1") == 0


def test_all_together_have_a_limit_too(redis: Redis) -> None:
    for number in range(IN_ALL):
        assert try_to_sign_in(redis, f"198.51.{number // 200}.{number % 200}") == 0
    assert try_to_sign_in(redis, "203.0.113.9") > 0


def test_whoever_knows_the_password_starts_anew(redis: Redis) -> None:
    for _ in range(PER_ADDRESS):
        try_to_sign_in(redis, "192.0.2.1")
    signed_in(redis, "192.0.2.1")
    assert try_to_sign_in(redis, "192.0.2.1") == 0


def test_no_address_stands_in_redis(redis: Redis) -> None:
    try_to_sign_in(redis, "192.0.2.1")
    try_to_sign_in(redis, "")
    assert not any(b"192.0.2" in name for name in redis.scan_iter("*"))
