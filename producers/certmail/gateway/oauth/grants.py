"""Grants that are not going to be used: they are revoked, unless something else needs them."""

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
async def account_lock(admin: Admin, sub: str | None) -> AsyncIterator[None]:
    """Hold the lock on an account, while nobody else links or revokes it.

    Of an account that is not known nothing is kept or revoked. Raises Refused.
    """
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
    """Revoke a grant that is not going to be used, unless a connection sends by it.

    That may be the one to be linked, or another.

    Of an account that is not known nobody can say whether one does, so its grant stays: unused,
    until its owner withdraws it.
    """
    fields = {"connection": connection, "code": code}
    if sub is None or await asyncio.to_thread(_is_used, admin, sub):
        log.info("grant_left", extra=fields)
        return

    revoked = await google.revoke(granted.refresh_token or granted.access_token)
    log.info("grant_given_back", extra=fields | {"confirmed": revoked})


async def give_back_former(admin: Admin, google: Google, before: Connection) -> None:
    """Revoke the grant that a connection has sent by until now, by the same rule."""
    try:
        token = open_from(
            admin.vault, before.refresh_token or b"", before.owner, "refresh_token"
        ).decode()
    # Without the vault's key nobody can say to Google what is meant.
    except SealBroken:
        return

    async with account_lock(admin, before.sub):
        former = Granted("", 1, frozenset(), token, before.sub)
        await give_back(admin, google, before.id, former, before.sub, "another_account_took_over")


def _is_used(admin: Admin, sub: str) -> bool:
    with admin.db() as db:
        return bool(users_of(db, sub))
