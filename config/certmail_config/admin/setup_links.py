"""Set-up links, which bring a tenant's administrator from an upstream application to certmail.

They lead to certmail's own pages, and back in the end.

A link is for one connection of one tenant, opened by one browser, and good for seven days. Making
another ends it, and so do completing it, and removing the connection. Redis knows only the hash of
its id; what it leads to is sealed there, so that whoever can write Redis can make none, and whoever
can read it learns nothing of `state` and `return_url`.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import Redis

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.urls import is_below
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.ledger import Act
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.models import (
    DEFAULT_NAME,
    Connection,
    ConnectionState,
    Tenant,
    TenantState,
    check_name,
)

LIFE: Final = timedelta(days=7)
LONGEST_STATE: Final = 512
_TOKEN: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.([A-Za-z0-9_-]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A link as the application gets it; the address is a secret until it is used."""

    tenant: str
    connection: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """What is known of a link: for whom, until when, and where it leads back to.

    `state` is the application's own, given back to it unchanged; `link` is the hash of the link's
    id; `expires_at` is seconds since 1970.
    """

    tenant: str
    name: str
    link: str
    expires_at: float
    return_url: str = ""
    state: str = ""


def issue(
    admin: Admin,
    tenant: str,
    *,
    name: str = DEFAULT_NAME,
    return_url: str = "",
    state: str = "",
    again: bool = False,
) -> SetupLink:
    """Make a link; the tenant's one before it ends.

    For a connection that works only where it is to be set up `again`: a link shows whose mailbox it
    is, and lets that be changed. Raises Refused for an unknown tenant or one that is suspended,
    WrongUse for what may not be asked.
    """
    check_name(name, "connection")

    if return_url and not may_return_to(admin.settings, return_url):
        raise WrongUse(
            "return_url_not_allowed",
            f"The return URL {return_url[:200]!r} is not among those allowed.",
            "Add the beginning of its address to CERTMAIL_RETURN_URLS.",
        )

    if len(state) > LONGEST_STATE:
        raise WrongUse("state_too_long", f"`state` may have {LONGEST_STATE} characters at most.")

    with admin.db() as db:
        found = registry.get_tenant(db, tenant)
        connection = registry.find_connection(db, tenant, name)

    _check_allowed(found, connection, again=again)
    id_, until = secrets.token_urlsafe(24), datetime.now(UTC) + LIFE
    invitation = Invitation(tenant, name, hash_of_secret(id_), until.timestamp(), return_url, state)
    admin.strongbox.put(
        redis_keys.SETUP + tenant, asdict(invitation), seconds=int(LIFE.total_seconds())
    )

    where = connection.id if connection is not None else ""
    admin.record(Act.SETUP_LINK_MADE, tenant, connection=where, reason=f"for {name}")

    return SetupLink(tenant, name, f"{admin.settings.base_url}/connect/{tenant}.{id_}", until)


def _check_allowed(tenant: Tenant, connection: Connection | None, *, again: bool) -> None:
    if tenant.state == TenantState.SUSPENDED:
        raise Refused(
            "tenant_suspended",
            f"The tenant {tenant.id!r} is suspended.",
            f"First: certmail tenants resume {tenant.id}",
        )

    if connection is not None and connection.state is ConnectionState.ACTIVE and not again:
        raise Refused(
            "connection_active",
            f"The connection {connection.name!r} of {tenant.id} works; whoever opens the link could change its mailbox.",
            "If that is meant, ask for the link with `again` (`certmail connections setup-link --again`).",
        )


def invitation_of(box: Strongbox, token: str) -> Invitation | None:
    """The invitation behind a link's token.

    None if the token is altered, expired, ended, or another took its place. Raises RedisError.
    """
    found = _TOKEN.fullmatch(token)
    return standing(box, found[1], hash_of_secret(found[2])) if found is not None else None


def link_of(token: str) -> str:
    """The hash of a token's id, whether or not there is such a link; empty for what is no token."""
    found = _TOKEN.fullmatch(token)
    return hash_of_secret(found[2]) if found else ""


def latest(box: Strongbox, tenant: str) -> Invitation | None:
    """The tenant's link, if there is one; raises RedisError."""
    kept = box.get(redis_keys.SETUP + tenant)
    found = Invitation(**kept) if kept is not None else None
    return found if found is not None and time.time() < found.expires_at else None


def standing(box: Strongbox, tenant: str, link: str) -> Invitation | None:
    """The tenant's link, if it is still this one; raises RedisError."""
    found = latest(box, tenant)
    return found if found is not None and hmac.compare_digest(found.link, link) else None


def bind(box: Strongbox, invitation: Invitation, browser: str) -> bool:
    """Let a link belong to the browser with this secret; says whether it does.

    The first one wins. Raises RedisError.
    """
    left = max(1, round(invitation.expires_at - time.time()))
    box.put_first(
        redis_keys.SETUP_BROWSER + invitation.link,
        {"browser": hash_of_secret(browser)},
        seconds=left,
    )

    return belongs_to(box, invitation, browser)


def is_bound(redis: Redis, invitation: Invitation) -> bool:
    """Whether some browser has opened the link; raises RedisError."""
    return bool(redis.exists(redis_keys.SETUP_BROWSER + invitation.link))


def belongs_to(box: Strongbox, invitation: Invitation, browser: str) -> bool:
    """Whether it is this browser that has opened the link; raises RedisError."""
    owner = box.get(redis_keys.SETUP_BROWSER + invitation.link)
    return owner is not None and hmac.compare_digest(owner["browser"], hash_of_secret(browser))


def end(box: Strongbox, invitation: Invitation) -> None:
    """End a link, unless another has taken its place; raises RedisError."""
    if standing(box, invitation.tenant, invitation.link) is not None:
        box.redis.delete(redis_keys.SETUP + invitation.tenant)


def end_for(box: Strongbox, tenant: str, name: str) -> None:
    """End the tenant's link if it is for the connection of this name; raises RedisError."""
    found = latest(box, tenant)
    if found is not None and found.name == name:
        box.redis.delete(redis_keys.SETUP + tenant)


def may_return_to(settings: Settings, address: str) -> bool:
    """Whether a browser may be sent there."""
    return any(is_below(address, allowed) for allowed in settings.return_urls)


def way_back(invitation: Invitation, connection: Connection) -> str:
    """The return URL with the result, for the application to check with the API."""
    parts = urlsplit(invitation.return_url)
    result = {
        "tenant": invitation.tenant,
        "connection": connection.id,
        "status": str(connection.state),
    }

    if invitation.state:
        result["state"] = invitation.state

    query = [*parse_qsl(parts.query, keep_blank_values=True), *result.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
