"""Ending certmail's access at Google, before the means to do so are erased.

What an account's owner allowed is revoked; what the customer gave to a service account of its own,
the customer takes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from certmail_config.admin.account_use import turn, users_of
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.tenants.models import Connection, ConnectionKind
from certmail_config.tenants.sealed_fields import open_from

PERMISSIONS: Final = "myaccount.google.com/permissions"


class Access(StrEnum):
    """What became of certmail's access to a mailbox."""

    NONE = "none"
    """There was none."""
    REVOKED = "revoked"
    """Google confirmed that it is over."""
    UNCONFIRMED = "unconfirmed"
    """Google did not confirm it: it may go on."""
    IN_USE = "in_use"
    """Another connection sends from the same account, and Google would end both."""
    THEIRS = "theirs"
    """The customer gave it to a service account of its own, and takes it back itself."""


@dataclass(frozen=True, slots=True)
class EndedAccess:
    """What became of the access of one connection, and what is still to be done, in words."""

    connection: str
    name: str
    mailbox: str | None
    access: Access
    remedy: str = ""

    @property
    def sentence(self) -> str:
        """What became of the access, and above all what Google confirmed."""
        return _SENTENCES[self.access]


_SENTENCES: Final[Mapping[Access, str]] = {
    Access.NONE: "certmail had no access at Google.",
    Access.REVOKED: "Google confirmed that certmail's access is over.",
    Access.UNCONFIRMED: "Google did not confirm that certmail's access is over.",
    Access.IN_USE: "certmail's access goes on, for another connection.",
    Access.THEIRS: "The key that certmail used is erased here, but still listed at Google.",
}


def end_access(admin: Admin, connections: Collection[Connection]) -> list[EndedAccess]:
    """Revoke what was linked; connections that are not removed go on. Raises StoresUnreachable."""
    linked = [each for each in connections if each.refresh_token is not None]

    with ExitStack() as turns:
        # Always in this order: no two wait for each other.
        for sub in sorted({str(each.sub) for each in linked}):
            turns.enter_context(turn(admin.redis, sub))

        leaving = {each.id for each in connections}
        with admin.db() as db:
            others = {each.id: users_of(db, str(each.sub), leaving=leaving) for each in linked}
        tokens = {each.id: _open(admin, each) for each in linked if not others[each.id]}
        confirmed = asyncio.run(_revoke(admin, tokens)) if tokens else {}

    return [
        _ended_access(each, others.get(each.id, []), confirmed.get(each.id)) for each in connections
    ]


def _open(admin: Admin, connection: Connection) -> str | None:
    assert connection.refresh_token is not None, "only what was linked is revoked"
    try:
        return open_from(
            admin.vault, connection.refresh_token, connection.owner, "refresh_token"
        ).decode()
    except SealBroken:
        return None  # without the vault's key nobody can say to Google what is meant


async def _revoke(
    admin: Admin, tokens: Mapping[ConnectionId, str | None]
) -> dict[ConnectionId, bool]:
    # aiohttp takes a tenth of a second to import.
    from certmail_config.google.http import google_session, revoke  # noqa: PLC0415

    settings = admin.settings
    async with google_session(
        ca_file=settings.google_ca_file,
        timeout_seconds=settings.http_timeout_seconds,
        proxy=settings.proxy,
    ) as session:

        async def one(token: str | None) -> bool:
            return token is not None and await revoke(session, settings.google_revoke_url, token)

        # Side by side: a turn does not last for ever.
        confirmed = await asyncio.gather(*map(one, tokens.values()))
    return dict(zip(tokens, confirmed, strict=True))


def _ended_access(
    connection: Connection, others: Sequence[Connection], confirmed: bool | None
) -> EndedAccess:
    access, remedy = Access.NONE, ""

    if connection.kind is ConnectionKind.CUSTOMER_OWNED_APP:
        access = Access.THEIRS
        account = connection.service_account

        if connection.key_id:
            remedy = (
                f"The tenant's administrator deletes the key {connection.key_id} of {account} in the Google Cloud console, "
                "and its domain-wide delegation in the Admin console."
            )
        else:  # it was never seen at Google
            access = Access.NONE
            remedy = (
                f"Nothing, unless something was set up for it at Google already. Then the tenant's administrator deletes certmail's key "
                f"of {account} in the Google Cloud console, and its domain-wide delegation in the Admin console."
            )
    elif confirmed:
        access = Access.REVOKED
    elif confirmed is not None:
        access = Access.UNCONFIRMED
        remedy = f"The owner of {connection.mailbox} removes certmail's access at {PERMISSIONS}."
    elif connection.refresh_token is not None:
        access = Access.IN_USE
        still = others[0]
        remedy = f"Nothing, as long as {still.tenant}/{still.name} sends from {connection.mailbox}: its access is the same."

    return EndedAccess(connection.id, connection.name, connection.mailbox, access, remedy)
