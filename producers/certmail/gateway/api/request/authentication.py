"""Authentication of a request: its API key, that key's scopes, and how much it asks for.

Needs Redis and the vault, not SQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from certmail.gateway.api.request.problems import ApiProblem
from certmail_config.base import redis_keys
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.tenants.api_keys import KeyGrant, KeyScope, check

_MINUTE = 60
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="certmail"'}


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Authenticates requests by their API key, and limits their rate; used from threads."""

    box: Strongbox
    per_minute: int
    now: Callable[[], float] = time.time

    def authenticate(self, authorization: str, scope: KeyScope) -> KeyGrant:
        """The grant of the request's API key; raises ApiProblem, RedisError."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise ApiProblem(
                "unauthenticated", "The request has no bearer token.", headers=_CHALLENGE
            )

        grant = check(self.box, token.strip(), self.now())
        if grant is None:
            detail = "The API key is unknown, revoked or expired."
            raise ApiProblem("unauthenticated", detail, headers=_CHALLENGE)
        if scope not in grant.scopes:
            raise ApiProblem(
                "scope_missing", f"The API key {grant.id} does not have the scope {scope}."
            )

        self.count(grant, 1)
        return grant

    def count(self, grant: KeyGrant, cost: int) -> None:
        """Count requests and reminders of the running minute.

        Raises ApiProblem where it is too much, RedisError. What is refused does not count, so that
        one large batch does not keep out small ones.
        """
        if cost <= 0:
            return

        now = self.now()
        key = f"{redis_keys.RATE}{grant.id}:{int(now // _MINUTE)}"

        with self.box.redis.pipeline(transaction=False) as pipe:
            pipe.incrby(key, cost)
            pipe.expire(key, 2 * _MINUTE)
            total = int(pipe.execute()[0])

        if total > self.per_minute:
            self.box.redis.decrby(key, cost)
            wait = _MINUTE - int(now % _MINUTE)
            detail = f"{self.per_minute:,} requests and reminders a minute are allowed."
            raise ApiProblem("rate_limited", detail, headers={"Retry-After": str(wait)})
