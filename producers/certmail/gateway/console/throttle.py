"""How often somebody may try to sign in: counted before the password is looked at, so that trying at once gains nothing."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final

from redis import Redis

from certmail_config import keys

WINDOW_SECONDS: Final = 900
PER_ADDRESS: Final = 5
"""Tries from one address in a window; an IPv6 address counts by its /64, which one person has."""
IN_ALL: Final = 100
"""Tries from everywhere: a guess in a million takes longer than anybody has."""


def try_to_sign_in(redis: Redis, address: str) -> int:
    """Count a try; gives for how many seconds none is allowed, 0 if this one is. Raises RedisError."""
    names = (_name(address), keys.LOGINS + "all")
    with redis.pipeline() as pipe:
        for name in names:
            pipe.set(name, 0, ex=WINDOW_SECONDS, nx=True)
            pipe.incr(name)
            pipe.ttl(name)
        answers = pipe.execute()
    counts, left = answers[1::3], answers[2::3]
    waits = [
        wait for count, wait, most in zip(counts, left, (PER_ADDRESS, IN_ALL), strict=True) if count > most
    ]
    return max(1, *waits) if waits else 0


def signed_in(redis: Redis, address: str) -> None:
    """Whoever knows the password starts anew; raises RedisError."""
    redis.delete(_name(address))


def _name(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        network = address  # a Unix socket has none
    else:
        bits = 32 if parsed.version == 4 else 64
        network = str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))
    return keys.LOGINS + hashlib.sha256(network.encode()).hexdigest()
