"""The fleet's memory of refused tokens.

So that nobody asks again too soon, nor believes a single answer.

A refusal that blames the customer counts when it is given again, `confirm_seconds` later: Google's
machines do not all learn of a change at once, and a single answer may be wrong (google.md §3.4).
Until then, and while Google asks to wait, everybody gets the refusal that is known. Kept in Redis,
sealed like tokens: Google's words name accounts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from redis.asyncio import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.base.redis_answers import avalue_of
from certmail_config.crypto.vault import Vault
from certmail_config.google.token_errors import Blame, Denied
from certmail_config.tenants.models import OUR_PROJECT, Connection
from certmail_worker.google import backoff
from certmail_worker.google.token_client import Purpose

MARGIN_SECONDS = 1.0
"""Added to each deadline that Google names."""
REMEMBERED_SECONDS = 3600.0
"""A refusal that nobody has asked about for so long is forgotten: the next one is a first one."""


@dataclass(frozen=True, slots=True)
class TokenRefusal:
    """A known refusal: how often in a row, since when, and when somebody may ask again.

    Times are wall-clock seconds.
    """

    denied: Denied
    count: int
    since: float
    again_at: float

    def until_then(self, now: float) -> Denied:
        """The refusal as whoever asks before `again_at` gets it."""
        return replace(self.denied, wait=max(0.0, self.again_at - now))


def refused(
    known: TokenRefusal | None, denied: Denied, now: float, confirm_seconds: float
) -> TokenRefusal:
    """The refusal that is known after one more. Pure but for the jitter of back-offs."""
    count, since = (known.count + 1, known.since) if known else (1, now)
    named = 0.0 if denied.wait is None else denied.wait + MARGIN_SECONDS

    if denied.blame is not Blame.CUSTOMER:
        again_at = now + max(named, backoff.seconds(backoff.TOKEN, count))
        return TokenRefusal(denied, count, since, again_at)

    blamed_before = known is not None and known.denied.blame is Blame.CUSTOMER
    confirmed = denied.confirmed or (blamed_before and now >= since + confirm_seconds)
    since = since if blamed_before else now
    again_at = now + max(named, confirm_seconds)

    return TokenRefusal(replace(denied, confirmed=confirmed), count, since, again_at)


@dataclass(slots=True)
class TokenRefusals:
    """The fleet's memory of refusals; every method raises RedisError."""

    redis: Redis
    vault: Vault

    async def known(self, connection: Connection, purpose: Purpose) -> TokenRefusal | None:
        """The last refusal, unless a token was granted since."""
        sealed = await avalue_of(self.redis, _name(connection, purpose))
        if sealed is None:
            return None

        try:
            value = json.loads(self.vault.open(sealed, owner=_owner(connection, purpose)))
        except SealBroken:
            return None  # under a key that is gone: asking again is right then

        denied = Denied(**{**value.pop("denied"), "blame": Blame(value.pop("blame"))})
        return TokenRefusal(denied, **value)

    async def note(
        self, connection: Connection, purpose: Purpose, refusal: TokenRefusal, now: float
    ) -> None:
        """Remember a refusal."""
        denied = asdict(refusal.denied)
        value = {
            "denied": denied,
            "blame": denied.pop("blame").value,
            "count": refusal.count,
            "since": refusal.since,
            "again_at": refusal.again_at,
        }

        sealed = self.vault.seal(json.dumps(value).encode(), owner=_owner(connection, purpose))
        life = int(refusal.again_at - now + REMEMBERED_SECONDS) + 1
        await self.redis.set(_name(connection, purpose), sealed, ex=life)

    async def forget(self, connection: Connection, purpose: Purpose) -> None:
        """Forget the refusal, once a token was granted."""
        await self.redis.delete(_name(connection, purpose))

    async def held_for(self, connection: Connection) -> float:
        """For how many seconds nobody may ask in this connection's name; 0 if it may be asked.

        Google wants to hear nothing meanwhile.
        """
        left = await self.redis.pttl(_hold(connection))
        return max(0.0, left / 1000)

    async def hold(self, connection: Connection, seconds: float) -> None:
        """Let all that ask in the same name wait: Google has had too many requests.

        Limits are per project (google.md §3.4).
        """
        await self.redis.set(_hold(connection), "", px=int((seconds + MARGIN_SECONDS) * 1000))


def _name(connection: Connection, purpose: Purpose) -> str:
    return f"{redis_keys.REFUSAL}{connection.id}:{connection.version}:{purpose}"


def _owner(connection: Connection, purpose: Purpose) -> str:
    return f"{connection.owner}/refusal/{connection.version}/{purpose}"


def _hold(connection: Connection) -> str:
    """Linked accounts ask in the name of our own OAuth client; a service account in its own."""
    account = connection.service_account
    who = hashlib.sha256(account.casefold().encode()).hexdigest()[:32] if account else OUR_PROJECT
    return redis_keys.TOKEN_HOLD + who
