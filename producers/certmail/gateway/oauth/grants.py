"""What Google granted and is not going to be used: given back, unless something else hangs on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.exceptions import LockError

from certmail.gateway.oauth.google_client import Google
from certmail_config.admin.account_use import turn, users_of
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused, SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.google.oauth import Granted
from certmail_config.tenants.models import Connection
from certmail_config.tenants.sealed_fields import open_from

log = logging.getLogger(__name__)


@asynccontextmanager
async def turn_of(admin: Admin, sub: str | None) -> AsyncIterator[None]:
    """While nobody else links or revokes the account; of one that is not known nothing is kept or revoked."""
    if sub is None:
        yield
        return

    lock = turn(admin.redis, sub)
    if not await asyncio.to_thread(lock.acquire):
        raise Refused(
            "account_busy", "Somebody else is linking this account.", "Link it again in a minute."
        )

    try:
        yield
    finally:
        with suppress(LockError):  # it ran out: nothing is to be returned
            await asyncio.to_thread(lock.release)


async def give_back(
    admin: Admin,
    google: Google,
    connection: ConnectionId,
    granted: Granted,
    sub: str | None,
    code: str,
) -> None:
    """Revoke what is not going to be used, unless that would end what connections send by: the one to be linked, or others.

    Of an account that is not known nobody can say whether one does, so its grant stays: unused,
    until its owner withdraws it.
    """
    told = {"connection": connection, "code": code}
    if sub is None or await asyncio.to_thread(_is_used, admin, sub):
        log.info("grant_left", extra=told)
        return

    revoked = await google.revoke(granted.refresh_token or granted.access_token)
    log.info("grant_given_back", extra=told | {"confirmed": revoked})


async def give_back_former(admin: Admin, google: Google, before: Connection) -> None:
    """The account that a connection has sent from until now, by the same rule."""
    try:
        token = open_from(
            admin.vault, before.refresh_token or b"", before.owner, "refresh_token"
        ).decode()
    except SealBroken:
        return  # without the vault's key nobody can say to Google what is meant
    async with turn_of(admin, before.sub):
        former = Granted("", 1, frozenset(), token, before.sub)
        await give_back(admin, google, before.id, former, before.sub, "another_account_took_over")


def _is_used(admin: Admin, sub: str) -> bool:
    with admin.db() as db:
        return bool(users_of(db, sub))
