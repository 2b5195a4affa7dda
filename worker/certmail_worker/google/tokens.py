"""Access tokens: minted once per fleet, kept sealed in Redis, renewed before they end.

One call per process (a shared task) and per fleet (a lock of 20 s; who does not get it waits for
the winner's token). Tokens are keyed by the connection's version, so that a relinked connection can
never send with the old account.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from cachetools import LRUCache
from redis.asyncio import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId, uuid7
from certmail_config.base.redis_answers import avalue_of
from certmail_config.crypto.vault import Vault
from certmail_config.google.token_errors import Blame, Denied
from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.tenants.models import Connection
from certmail_worker.google.tenant_cache import KNOWN
from certmail_worker.google.token_client import Purpose, TokenClient
from certmail_worker.google.token_refusals import MARGIN_SECONDS as HOLD_MARGIN_SECONDS
from certmail_worker.google.token_refusals import TokenRefusals, refused

log = logging.getLogger(__name__)

RENEW_SECONDS = 300.0
"""A token is renewed when it has less than this left, give or take a fifth.

So that a fleet's tokens do not end together.
"""
MARGIN_SECONDS = 30.0
"""A token with less than this left is not used: the request must arrive before it ends."""
LOCK_SECONDS = 20.0
_RELEASE = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token in memory.

    `expires_at` is wall-clock seconds; `mark` tells it from its successors.
    """

    secret: str
    expires_at: float
    mark: str


Key = tuple[ConnectionId, int, Purpose]


@dataclass(slots=True)
class Tokens:
    """The access tokens of all connections; `now` is wall-clock seconds."""

    redis: Redis
    vault: Vault
    token_client: TokenClient
    confirm_seconds: float = 60.0
    meters: WorkerMeters = field(default_factory=WorkerMeters)
    now: Callable[[], float] = time.time
    _known: MutableMapping[Key, Token] = field(default_factory=partial(LRUCache, KNOWN))
    _asking: dict[Key, asyncio.Task[Token | Denied]] = field(default_factory=dict)
    _jitter: random.Random = field(default_factory=random.Random)

    async def get(
        self, connection: Connection, purpose: Purpose = Purpose.SEND, *, anew: bool = False
    ) -> Token | Denied:
        """A token that is good for a request now; raises SealBroken, RedisError.

        SealBroken: the vault lacks the key. `anew` gets the fleet's, whatever this process
        remembers: Gmail has refused one, and another worker has dropped it.
        """
        key = (connection.id, connection.version, purpose)
        known = None if anew else self._known.get(key)
        token = known or await self._cached(connection, purpose)
        left = token.expires_at - self.now() if token else 0.0

        if token and left > MARGIN_SECONDS:
            if left < RENEW_SECONDS * self._jitter.uniform(0.8, 1.2):
                self._renewal(connection, purpose)  # type: ignore[unused-awaitable]  # it goes on
            return token

        return await asyncio.shield(self._renewal(connection, purpose))

    async def drop(
        self, connection: Connection, token: Token, purpose: Purpose = Purpose.SEND
    ) -> None:
        """Forget a token that Gmail refused, unless another has taken its place."""
        key = (connection.id, connection.version, purpose)
        if (known := self._known.get(key)) and known.mark == token.mark:
            self._known.pop(key, None)

        cached = await self._cached(connection, purpose)
        if cached and cached.mark == token.mark:
            await self.redis.delete(_name(connection, purpose))
            self._known.pop(key, None)

    async def close(self) -> None:
        """Wait for renewals under way: their tokens are worth keeping."""
        if self._asking:
            await asyncio.wait(self._asking.values(), timeout=5)

    def _renewal(self, connection: Connection, purpose: Purpose) -> asyncio.Task[Token | Denied]:
        key = (connection.id, connection.version, purpose)
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._renew(connection, purpose))
            task.add_done_callback(lambda done: self._renewed(key, done))
            self._asking[key] = task
        return task

    def _renewed(self, key: Key, task: asyncio.Task[Token | Denied]) -> None:
        del self._asking[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning(
                "token_not_renewed", extra={"connection": key[0], "error": type(error).__name__}
            )

    async def _renew(self, connection: Connection, purpose: Purpose) -> Token | Denied:
        """Be the one in the fleet who asks Google, or wait for who is."""
        lock, nonce = f"{redis_keys.TOKEN_LOCK}{connection.id}:{purpose}", uuid4().hex
        before = await self._cached(connection, purpose)
        deadline = time.monotonic() + LOCK_SECONDS + 5

        if denied := await self._not_yet(connection, purpose):
            return denied

        while not await self.redis.set(lock, nonce, nx=True, px=int(LOCK_SECONDS * 1000)):
            await asyncio.sleep(self._jitter.uniform(0.05, 0.2))
            if (after := await self._cached(connection, purpose)) and self._renewed_since(
                after, before
            ):
                return after
            if time.monotonic() > deadline:
                return Denied(
                    Blame.NOBODY,
                    "token_unavailable",
                    "Another worker has been asking for a token for too long.",
                    "It is tried again.",
                )

        try:
            # Somebody may have finished just before.
            if (after := await self._cached(connection, purpose)) and self._renewed_since(
                after, before
            ):
                return after
            return await self._not_yet(connection, purpose) or await self._ask(connection, purpose)
        finally:
            await self.redis.eval(_RELEASE, 1, lock, nonce)

    async def _ask(self, connection: Connection, purpose: Purpose) -> Token | Denied:
        asked_at = time.monotonic()
        granted = await self.token_client.mint(connection, purpose)
        self.meters.google.note(time.monotonic() - asked_at, "token")
        kind = str(connection.kind)
        if isinstance(granted, Denied):
            self.meters.refused.add(kind, granted.blame.value)
            return await self._refused(connection, purpose, granted)

        self.meters.minted.add(kind)
        await self._refusals.forget(connection, purpose)
        await self.redis.hset(redis_keys.GRANTED, connection.id, str(int(self.now() * 1000)))

        token = Token(
            granted.access_token, self.now() + granted.expires_in, uuid7(int(self.now() * 1000))
        )
        value = json.dumps(
            {"secret": token.secret, "expires_at": token.expires_at, "mark": token.mark}
        ).encode()
        sealed = self.vault.seal(value, owner=_owner(connection, purpose))
        await self.redis.set(_name(connection, purpose), sealed, ex=max(int(granted.expires_in), 1))
        self._known[connection.id, connection.version, purpose] = token

        return token

    async def _not_yet(self, connection: Connection, purpose: Purpose) -> Denied | None:
        """What is known already, while it is too early to ask Google again."""
        known, now = await self._refusals.known(connection, purpose), self.now()
        if known is not None and now < known.again_at:
            return known.until_then(now)
        if held := await self._refusals.held_for(connection):
            message = "Google has had too many requests for tokens from this project."
            return Denied(
                Blame.NOBODY, "token_unavailable", message, "It is tried again.", wait=held
            )

        return None

    async def _refused(self, connection: Connection, purpose: Purpose, denied: Denied) -> Denied:
        known, now = await self._refusals.known(connection, purpose), self.now()
        refusal = refused(known, denied, now, self.confirm_seconds)
        await self._refusals.note(connection, purpose, refusal, now)
        if denied.limited:
            await self._refusals.hold(connection, refusal.again_at - now - HOLD_MARGIN_SECONDS)
        return refusal.until_then(now)

    @property
    def _refusals(self) -> TokenRefusals:
        return TokenRefusals(self.redis, self.vault)

    async def _cached(self, connection: Connection, purpose: Purpose) -> Token | None:
        sealed = await avalue_of(self.redis, _name(connection, purpose))
        if sealed is None:
            return None

        try:
            token = Token(**json.loads(self.vault.open(sealed, owner=_owner(connection, purpose))))
        except (SealBroken, ValueError, TypeError) as error:
            # Its vault key is gone, or it is broken: as if there were none, another is asked for
            # and takes its place.
            log.warning(
                "token_unreadable",
                extra={"connection": connection.id, "error": type(error).__name__},
            )
            return None

        self._known[connection.id, connection.version, purpose] = token
        return token

    def _renewed_since(self, after: Token, before: Token | None) -> bool:
        return (
            before is None
            or after.mark != before.mark
            or after.expires_at - self.now() > RENEW_SECONDS * 1.2
        )


def _name(connection: Connection, purpose: Purpose) -> str:
    return f"{redis_keys.TOKEN}{connection.id}:{connection.version}:{purpose}"


def keys_of(connection: Connection) -> list[str]:
    """Every Redis key that may hold an access token of a connection, or a refusal.

    Those of its earlier versions too.
    """
    return [
        f"{prefix}{connection.id}:{version}:{purpose}"
        for version in range(1, connection.version + 1)
        for prefix in (redis_keys.TOKEN, redis_keys.REFUSAL)
        for purpose in Purpose
    ]


def _owner(connection: Connection, purpose: Purpose) -> str:
    return f"{connection.owner}/token/{connection.version}/{purpose}"
