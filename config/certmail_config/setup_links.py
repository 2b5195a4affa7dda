"""Set-up links: an upstream application sends a tenant's administrator to certmail's own pages, and gets them back.

A link is for one connection of one tenant, opened by one browser, and good for seven days. Making another ends it, and so
does completing it. It is signed, so that one which was altered is refused before anything is looked up; Redis knows only
the hash of its id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import Redis

from certmail_config import keys
from certmail_config.connections import DEFAULT_NAME, Connection, check_name
from certmail_config.errors import WrongUse
from certmail_config.office import Office
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.web_addresses import is_below

LIFE: Final = timedelta(days=7)
LONGEST_STATE: Final = 512
_TOKEN: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.([A-Za-z0-9_-]{32})\.([A-Za-z0-9_-]{43})")


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

    `state` is the application's own, given back to it unchanged; `link` is the hash of the link's id; `expires_at` is
    seconds since 1970.
    """

    tenant: str
    name: str
    link: str
    expires_at: float
    return_url: str = ""
    state: str = ""


def issue(
    office: Office, tenant: str, *, name: str = DEFAULT_NAME, return_url: str = "", state: str = ""
) -> SetupLink:
    """Make a link; the tenant's one before it ends. Raises Refused for an unknown tenant, WrongUse for what may not be asked."""
    check_name(name, "connection")
    if return_url and not may_return_to(office.settings, return_url):
        raise WrongUse(
            "return_url_not_allowed",
            f"The return URL {return_url[:200]!r} is not among those allowed.",
            "Add the beginning of its address to CERTMAIL_RETURN_URLS.",
        )
    if len(state) > LONGEST_STATE:
        raise WrongUse("state_too_long", f"`state` may have {LONGEST_STATE} characters at most.")
    with office.db() as db:
        registry.get_tenant(db, tenant)
        salt = registry.deployment_salt(db)
    id_, until = secrets.token_urlsafe(24), datetime.now(UTC) + LIFE
    invitation = Invitation(tenant, name, _hash(id_), until.timestamp(), return_url, state)
    office.redis.set(keys.SETUP + tenant, json.dumps(asdict(invitation)), exat=int(until.timestamp()))
    url = f"{office.settings.base_url}/connect/{tenant}.{id_}.{_signature(salt, tenant, id_)}"
    return SetupLink(tenant, name, url, until)


def invitation_of(office: Office, token: str) -> Invitation | None:
    """The link that a token is of; None if it is altered, expired, ended, or another took its place. Raises StoresUnreachable."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    tenant, id_, signature = found.groups()
    with office.db() as db:
        salt = registry.deployment_salt(db)
    if not hmac.compare_digest(signature, _signature(salt, tenant, id_)):
        return None
    return standing(office.redis, tenant, _hash(id_))


def link_of(token: str) -> str:
    """The hash of a token's id, whether or not there is such a link; empty for what is no token."""
    found = _TOKEN.fullmatch(token)
    return _hash(found[2]) if found else ""


def standing(redis: Redis, tenant: str, link: str) -> Invitation | None:
    """The tenant's link, if it is still this one; raises RedisError."""
    kept = cast("bytes | None", redis.get(keys.SETUP + tenant))
    if kept is None:
        return None
    found = Invitation(**json.loads(kept))
    if not hmac.compare_digest(found.link, link) or time.time() >= found.expires_at:
        return None
    return found


def bind(redis: Redis, invitation: Invitation, browser: str) -> bool:
    """Let a link belong to the browser with this secret; says whether it does. The first one wins. Raises RedisError."""
    left = max(1, round(invitation.expires_at - time.time()))
    redis.set(keys.SETUP_BROWSER + invitation.link, _hash(browser), nx=True, ex=left)
    return belongs_to(redis, invitation, browser)


def is_bound(redis: Redis, invitation: Invitation) -> bool:
    """Whether some browser has opened the link; raises RedisError."""
    return bool(redis.exists(keys.SETUP_BROWSER + invitation.link))


def belongs_to(redis: Redis, invitation: Invitation, browser: str) -> bool:
    """Whether it is this browser that has opened the link; raises RedisError."""
    owner = cast("bytes | None", redis.get(keys.SETUP_BROWSER + invitation.link))
    return owner is not None and hmac.compare_digest(owner.decode(), _hash(browser))


def end(redis: Redis, invitation: Invitation) -> None:
    """End a link, unless another has taken its place; raises RedisError."""
    kept = cast("bytes | None", redis.get(keys.SETUP + invitation.tenant))
    if kept is not None and json.loads(kept)["link"] == invitation.link:
        redis.delete(keys.SETUP + invitation.tenant)


def may_return_to(settings: Settings, address: str) -> bool:
    """Whether a browser may be sent there."""
    return any(is_below(address, allowed) for allowed in settings.return_urls)


def way_back(invitation: Invitation, connection: Connection) -> str:
    """The return URL with the result, for the application to check with the API."""
    parts = urlsplit(invitation.return_url)
    result = {"tenant": invitation.tenant, "connection": connection.id, "status": str(connection.state)}
    if invitation.state:
        result["state"] = invitation.state
    query = [*parse_qsl(parts.query, keep_blank_values=True), *result.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _signature(salt: bytes, tenant: str, id_: str) -> str:
    mac = hmac.new(salt, f"setup-link\0{tenant}\0{id_}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
