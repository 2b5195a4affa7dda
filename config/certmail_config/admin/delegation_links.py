"""Links for a super administrator: one page, for the delegation of one service account.

On it, domain-wide delegation is asked for.

Whoever administers a mailbox is often not who may authorise an application for the whole Workspace.
Such a link shows what is to be authorised and whether it works yet; it lets nothing be changed. It
is for one connection and its present service account, good for seven days, and ends with the next
one, with the connection, and once it works: then it says so, and shows nothing else. Redis knows
only the hash of its id; what it leads to is sealed there.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.ledger import Act
from certmail_config.tenants.models import (
    Connection,
    ConnectionKind,
    ConnectionState,
    Tenant,
    TenantState,
)

LIFE: Final = timedelta(days=7)
PATH: Final = "/connect/delegation"
_TOKEN: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.([A-Za-z0-9_-]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class DelegationLink:
    """A link as it is handed on; the address is a secret."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Delegation:
    """What is known of a link: for whom and what, and until when.

    `link` is the hash of the link's id, `form` what the page's form sends back; `expires_at` is
    seconds since 1970. `done`: it was seen to work, so that there is nothing more to show.
    """

    tenant: str
    connection: ConnectionId
    service_account: str
    link: str
    form: str
    expires_at: float
    done: bool = False

    def fits(self, tenant: Tenant, connection: Connection) -> bool:
        """Whether it is still this service account's matter, and somebody waits for it."""
        waits = connection.state in {
            ConnectionState.PENDING,
            ConnectionState.ATTENTION,
            ConnectionState.ACTIVE,
        }

        return (
            waits
            and tenant.state != TenantState.SUSPENDED
            and connection.service_account == self.service_account
        )


def issue_delegation(admin: Admin, connection: Connection) -> DelegationLink:
    """Make a link; the connection's one before it ends.

    Raises Refused where nothing is to be authorised, RedisError.
    """
    if (
        connection.kind is not ConnectionKind.CUSTOMER_OWNED_APP
        or connection.service_account is None
    ):
        raise Refused(
            "nothing_to_authorise",
            "Only a service account is authorised by a super administrator.",
            "Go back to the connection.",
        )

    if connection.state not in {ConnectionState.PENDING, ConnectionState.ATTENTION}:
        raise Refused(
            "nothing_to_authorise",
            "There is nothing to be authorised: it works, or is suspended.",
            "Go back to the connection.",
        )

    id_, form = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    until = datetime.now(UTC) + LIFE
    made = Delegation(
        connection.tenant,
        connection.id,
        connection.service_account,
        hash_of_secret(id_),
        form,
        until.timestamp(),
    )

    _put(admin.strongbox, made)
    admin.record(Act.DELEGATION_LINK_MADE, connection.tenant, connection=connection.id)
    return DelegationLink(f"{admin.settings.base_url}{PATH}/{connection.id}.{id_}", until)


def delegation_of(box: Strongbox, token: str) -> Delegation | None:
    """What a token leads to; None if it is altered, expired, or another took its place.

    Raises RedisError.
    """
    found = _TOKEN.fullmatch(token)
    kept = box.get(redis_keys.DELEGATION + found[1]) if found is not None else None
    if found is None or kept is None:
        return None

    delegation = Delegation(**kept)
    if time.time() >= delegation.expires_at or not hmac.compare_digest(
        delegation.link, hash_of_secret(found[2])
    ):
        return None

    return delegation


def complete(box: Strongbox, delegation: Delegation) -> None:
    """Note that the delegation works: from now on the link only says so. Raises RedisError."""
    _put(box, replace(delegation, done=True))


def _put(box: Strongbox, delegation: Delegation) -> None:
    left = max(1, round(delegation.expires_at - time.time()))
    box.put(redis_keys.DELEGATION + delegation.connection, asdict(delegation), seconds=left)
