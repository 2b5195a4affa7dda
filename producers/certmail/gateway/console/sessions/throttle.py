"""The throttle on signing in: tries are counted before the password is looked at.

So trying many at once gains nothing.

A browser that has signed in before is told from others, so that nobody's wrong tries keep an
operator out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from redis import Redis

from certmail.gateway.peers import network_of
from certmail_config.base import redis_keys

WINDOW_SECONDS: Final = 900
PER_ADDRESS: Final = 5
"""Tries from one address in a window, or from one browser that has signed in before."""
IN_ALL: Final = 100
"""After so many tries from everywhere each waits a little longer, up to the longest."""
MAX_DELAY: Final = 5.0
"""Seconds that a try waits at most."""
_DIGITS: Final = 4
"""Addresses share 65,536 counters, so that no number of addresses fills Redis."""


@dataclass(frozen=True, slots=True)
class Try:
    """A try to sign in.

    `wait` is for how many seconds none is allowed, 0 if this one is; `delay` how many seconds this
    one has to wait.
    """

    wait: int = 0
    delay: float = 0.0


def try_to_sign_in(redis: Redis, address: str, browser: str = "") -> Try:
    """Count a try; raises RedisError.

    `browser` names one that has signed in before, and counts instead of its address.
    """
    names = [_name(address, browser)]
    if not browser:
        names.append(redis_keys.LOGINS + "all")

    with redis.pipeline() as pipe:
        for name in names:
            pipe.set(name, 0, ex=WINDOW_SECONDS, nx=True)
            pipe.incr(name)
            pipe.ttl(name)
        answers = pipe.execute()

    count, left = answers[1:3]
    if count > PER_ADDRESS:
        return Try(wait=max(1, left))

    in_all = answers[4] if len(answers) > 3 else 0
    return Try(delay=min(MAX_DELAY, max(0, in_all - IN_ALL) / 20))


def signed_in(redis: Redis, address: str, browser: str = "") -> None:
    """Forget the tries of whoever knew the password; raises RedisError."""
    redis.delete(_name(address, browser))


def _name(address: str, browser: str) -> str:
    if browser:
        return f"{redis_keys.LOGINS}browser:{hashlib.sha256(browser.encode()).hexdigest()}"
    return redis_keys.LOGINS + hashlib.sha256(network_of(address).encode()).hexdigest()[:_DIGITS]
