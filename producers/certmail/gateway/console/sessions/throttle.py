"""The throttle on signing in: tries are counted before the password is looked at.

So trying many at once gains nothing.

A browser that has signed in before is told from others, so that nobody's wrong tries keep an
operator out. Tries at one account are counted from wherever they come, and whether there is such an
account or not.
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
PER_ACCOUNT: Final = 20
"""Tries at one account in a window, from all browsers that have not signed in to it before."""
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


def try_to_sign_in(redis: Redis, address: str, browser: str = "", account: str = "") -> Try:
    """Count a try; raises RedisError.

    `browser` names one that has signed in to this account before, and counts instead of its
    address. `account` is the name that was typed; empty for the console's password.
    """
    limits = {_name(address, browser, account): PER_ADDRESS}
    if not browser:
        limits |= {_name_of_account(account): PER_ACCOUNT} if account else {}
        limits[redis_keys.LOGINS + "all"] = 0

    with redis.pipeline() as pipe:
        for name in limits:
            pipe.set(name, 0, ex=WINDOW_SECONDS, nx=True)
            pipe.incr(name)
            pipe.ttl(name)
        answers = pipe.execute()

    counted = list(zip(limits.values(), answers[1::3], answers[2::3], strict=True))
    waits = [max(1, left) for limit, count, left in counted if limit and count > limit]
    if waits:
        return Try(wait=max(waits))

    in_all = 0 if browser else counted[-1][1]
    return Try(delay=min(MAX_DELAY, max(0, in_all - IN_ALL) / 20))


def signed_in(redis: Redis, address: str, browser: str = "", account: str = "") -> None:
    """Forget the tries of whoever knew the password; raises RedisError.

    Those at the account stay, which others may have made.
    """
    redis.delete(_name(address, browser, account))


def _name(address: str, browser: str, account: str) -> str:
    if browser:
        whose = f"{browser}/{account}" if account else browser
        return f"{redis_keys.LOGINS}browser:{hashlib.sha256(whose.encode()).hexdigest()}"
    return redis_keys.LOGINS + _digits(network_of(address))


def _name_of_account(account: str) -> str:
    return f"{redis_keys.LOGINS}account:{_digits(account)}"


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
