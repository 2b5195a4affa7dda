"""Tenants and their connections, as SQL, the working copy in Redis and every process know them."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from certmail_config.errors import WrongUse
from certmail_config.ids import ConnectionId
from certmail_config.ledger import Lane
from certmail_config.reminder import TENANT_PATTERN

DEFAULT_NAME = "default"
SEND_SCOPE = "https://www.googleapis.com/auth/gmail.send"
METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
"""Lets certmail look for its own mail among the sent ones; only where the customer grants it."""


class Kind(StrEnum):
    """How a tenant's mailbox is connected."""

    SERVICE_PROVIDER_APP = "service_provider_app"
    """An account linked by OAuth consent; a refresh token is kept."""
    CUSTOMER_OWNED_APP = "customer_owned_app"
    """A service account of the customer's, impersonating the mailbox; a private key is kept."""


class ConnectionState(StrEnum):
    """Where a connection is in its life."""

    DRAFT = "draft"
    """Named, but not yet set up."""
    PENDING = "pending"
    """Set up; waiting for the administrator's steps at Google and a first successful probe."""
    ACTIVE = "active"
    """Works; its lane is open."""
    ATTENTION = "attention"
    """Does not work, for the reason on record; jobs wait."""
    DISABLED = "disabled"
    """Switched off by a person."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What Google allows one mailbox; the defaults are those documented for projects made since 2026-05-01."""

    units_per_minute: int = 6000
    in_flight: int = 4


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company; `private_key` is sealed, `salt` keys the hashes that identify its jobs, `name` is what reviewers read."""

    id: str
    state: str
    public_key: bytes
    private_key: bytes
    salt: bytes
    version: int
    name: str = ""

    @property
    def organisation(self) -> str:
        """What its mails call it."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Connection:
    """A way to one mailbox. `version` grows with every change.

    A customer owned application has `service_account`, `private_key` (sealed), `certificate`, and once it was seen at
    Google a `key_id`; a linked account has `sub`, Google's name for it, and `refresh_token` (sealed). `verify` says that
    the customer granted `gmail.metadata` too, so that unknown outcomes can be looked up.
    """

    id: ConnectionId
    tenant: str
    name: str
    kind: Kind | None = None
    state: ConnectionState = ConnectionState.DRAFT
    code: str | None = None
    message: str | None = None
    remedy: str | None = None
    mailbox: str | None = None
    service_account: str | None = None
    private_key: bytes | None = None
    certificate: str | None = None
    not_after: datetime | None = None
    key_id: str | None = None
    sub: str | None = None
    refresh_token: bytes | None = None
    verify: bool = False
    limits: Limits = Limits()
    version: int = 1

    @property
    def owner(self) -> str:
        """The name that binds sealed values to this connection."""
        return f"{self.tenant}/{self.id}"

    def waits_for(self) -> tuple[str, str]:
        """Why its lane is stopped: a code and a sentence for whoever asks about a waiting job."""
        if self.state is ConnectionState.DRAFT:
            return "connection_draft", f"the connection {self.name!r} of {self.tenant} is not set up yet"
        if self.state is ConnectionState.PENDING:
            return (
                "connection_pending",
                f"the connection {self.name!r} of {self.tenant} has not been probed successfully yet",
            )
        return (
            self.code or f"connection_{self.state}",
            self.message or f"the connection {self.name!r} is {self.state}",
        )

    def working(self, *, key_id: str | None) -> Connection:
        """It was seen to work."""
        return replace(
            self,
            state=ConnectionState.ACTIVE,
            code=None,
            message=None,
            remedy=None,
            key_id=key_id or self.key_id,
        )

    def troubled(self, code: str, message: str, remedy: str) -> Connection:
        """It was seen not to work."""
        return replace(self, state=ConnectionState.ATTENTION, code=code, message=message, remedy=remedy)

    def lane(self, deployment_salt: bytes) -> Lane:
        """The lane that paces it."""
        return Lane(
            connection=self.id,
            tenant=self.tenant,
            mailbox=mailbox_id(self.mailbox, deployment_salt) if self.mailbox else "",
            units_per_minute=self.limits.units_per_minute,
            in_flight=self.limits.in_flight,
            version=self.version,
            verify=self.verify,
        )


def mailbox_id(address: str, deployment_salt: bytes) -> str:
    """The name of a mailbox in Redis: a keyed hash, the same for all connections of the deployment."""
    return hmac.new(deployment_salt, address.casefold().encode(), hashlib.sha256).hexdigest()[:32]


def check_name(value: str, what: str) -> str:
    """Check the id of a tenant or the name of a connection; raises WrongUse."""
    if not re.fullmatch(TENANT_PATTERN, value):  # not `match`: its `$` also fits before a last line feed
        message = f"{what} {value!r} is not usable: lower-case letters, digits and hyphens, starting with a letter or digit, 63 at most."
        raise WrongUse("invalid_name", message)
    return value
