"""Tenants and their connections, as SQL, the working copy in Redis and every process know them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from certmail_config.base.errors import WrongUse
from certmail_config.base.ids import NAME_PATTERN, ConnectionId
from certmail_config.ledger import Lane
from certmail_config.ledger.lanes import SEND_UNITS

DEFAULT_NAME = "default"
SEND_SCOPE = "https://www.googleapis.com/auth/gmail.send"
METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
"""Lets certmail look for its own mail among the sent ones; only where the customer grants it."""
OUR_PROJECT = "ours"
"""The name of our own OAuth client's project, which all linked accounts share.

No keyed hash looks like it.
"""
_SERVICE_ACCOUNTS = ".iam.gserviceaccount.com"
_MAX = 2_000_000_000  # fits SQL's integer


class TenantState(StrEnum):
    """What is done for a tenant."""

    ACTIVE = "active"
    """Reminders are taken in and leave."""
    PAUSED = "paused"
    """They are taken in and wait, until an operator lets them leave again."""
    SUSPENDED = "suspended"
    """Nothing is taken in either."""


class ConnectionKind(StrEnum):
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
class GoogleLimits:
    """What Google allows a mailbox and its Google Cloud project.

    Raises WrongUse for what `BOUNDS` does not allow.

    The defaults are those that Google documents for projects made since 2026-05-01; sending one
    message costs 100 units.

    Attributes:
        units_per_minute: Quota units of the mailbox; 15000 in older projects.
        in_flight: Requests at once to the mailbox. Google has a limit, shared with all that use
            the mailbox, but names none.
        per_day: Messages of the mailbox in any 24 hours; 500 for trial accounts.
        project_units_per_minute: Quota units of the project, whatever the mailbox.
        project_units_per_day: The same for a day; the threshold beyond which Google will charge.
        warm_up_days: For how many days a mailbox that is new sends less, growing in even daily
            steps; 0 is off.
    """

    units_per_minute: int = 6000
    in_flight: int = 4
    per_day: int = 2000
    project_units_per_minute: int = 1_200_000
    project_units_per_day: int = 80_000_000
    warm_up_days: int = 0

    def __post_init__(self) -> None:
        for name, (minimum, maximum) in BOUNDS.items():
            value = getattr(self, name)
            if not minimum <= value <= maximum:
                message = f"{name} is {value}: it must be from {minimum} to {maximum}."
                raise WrongUse("invalid_limit", message)


BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "units_per_minute": (SEND_UNITS, _MAX),  # with less not one message could ever leave
    "in_flight": (1, _MAX),
    "per_day": (1, _MAX),
    "project_units_per_minute": (SEND_UNITS, _MAX),
    "project_units_per_day": (SEND_UNITS, _MAX),
    "warm_up_days": (0, 60),
}
"""The minimum and the maximum of each limit."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company whose reviewers are reminded; `name` is what they read.

    `private_key` is sealed, `salt` keys the hashes that identify its jobs.

    `state` is one of `TenantState`; `uncertain` is its rule for unknown outcomes (see
    uncertain_policy.py); None means the deployment's. `domains` are those that it may send from
    (see domains.py); '' means any. `reply_to` is the address, sealed, that its reviewers may write
    to; None means that its mails name nobody.
    """

    id: str
    state: str
    public_key: bytes
    private_key: bytes
    salt: bytes
    version: int
    name: str = ""
    uncertain: str | None = None
    domains: str = ""
    reply_to: bytes | None = None

    @property
    def organisation(self) -> str:
        """What its mails call it."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Connection:
    """A way to one mailbox.

    `version` grows with every change but one of its limits alone: tokens are keyed by it, and
    suspensions and links that are under way name it, none of which another limit makes untrue.

    A customer owned application has `service_account`, `private_key` (sealed), `certificate`, and
    once it was seen at Google a `key_id`; while it is rotated the next key and certificate too.
    `refused_since` says since when Google refuses what an administrator may have set up just now. A
    linked account has `sub`, Google's name for it, and `refresh_token` (sealed). `verify` says that
    the customer granted `gmail.metadata` too, so that unknown outcomes can be looked up.
    """

    id: ConnectionId
    tenant: str
    name: str
    kind: ConnectionKind | None = None
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
    next_private_key: bytes | None = None
    next_certificate: str | None = None
    next_not_after: datetime | None = None
    refused_since: datetime | None = None
    sub: str | None = None
    refresh_token: bytes | None = None
    verify: bool = False
    limits: GoogleLimits = GoogleLimits()
    version: int = 1

    @property
    def owner(self) -> str:
        """The name that binds sealed values to this connection."""
        return f"{self.tenant}/{self.id}"

    def before_it_worked(self) -> ConnectionState | None:
        """The state that it had if it never worked, whatever happened to it since.

        None for one that did work.
        """
        if self.kind is None:
            return ConnectionState.DRAFT

        linked = self.kind is ConnectionKind.SERVICE_PROVIDER_APP
        proof = self.refresh_token if linked else self.key_id
        return ConnectionState.PENDING if proof is None else None

    def waits_for(self) -> tuple[str, str]:
        """Why its lane is stopped: a code and a sentence for whoever asks about a waiting job."""
        if self.state is ConnectionState.DRAFT:
            return (
                "connection_draft",
                f"the connection {self.name!r} of {self.tenant} is not set up yet",
            )
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
        """The connection once it was seen to work."""
        return replace(
            self,
            state=ConnectionState.ACTIVE,
            code=None,
            message=None,
            remedy=None,
            refused_since=None,
            key_id=key_id or self.key_id,
        )

    def failing(
        self, code: str, message: str, remedy: str, *, since: datetime | None = None
    ) -> Connection:
        """The connection seen not to work; `since` when, if Google may only need a while."""
        return replace(
            self,
            state=ConnectionState.ATTENTION,
            code=code,
            message=message,
            remedy=remedy,
            refused_since=since,
        )

    def rotated(self, *, key_id: str | None) -> Connection:
        """The connection with its next key and certificate in the place of the present ones.

        Google knows them under this id.
        """
        return replace(
            self,
            private_key=self.next_private_key,
            certificate=self.next_certificate,
            not_after=self.next_not_after,
            key_id=key_id,
            next_private_key=None,
            next_certificate=None,
            next_not_after=None,
        )

    def lane(self, deployment_salt: bytes, project_share: float = 1.0) -> Lane:
        """The lane that paces it.

        Of its project's units it has the share that this deployment may use.
        """
        return Lane(
            connection=self.id,
            tenant=self.tenant,
            mailbox=mailbox_id(self.mailbox, deployment_salt) if self.mailbox else "",
            units_per_minute=self.limits.units_per_minute,
            in_flight=self.limits.in_flight,
            version=self.version,
            verify=self.verify,
            project=project_id(self.service_account, deployment_salt),
            per_day=self.limits.per_day,
            project_units_per_minute=_share(self.limits.project_units_per_minute, project_share),
            project_units_per_day=_share(self.limits.project_units_per_day, project_share),
            warm_up_days=self.limits.warm_up_days,
        )


def mailbox_id(address: str, deployment_salt: bytes) -> str:
    """The name of a mailbox in Redis.

    It is a keyed hash, the same for all connections of the deployment.
    """
    return hmac.new(deployment_salt, address.casefold().encode(), hashlib.sha256).hexdigest()[:32]


def project_id(service_account: str | None, deployment_salt: bytes) -> str:
    """The name of a Google Cloud project in Redis.

    It is a keyed hash of the project that a service account belongs to.

    `name@PROJECT.iam.gserviceaccount.com` names its project (PROJECT.example.com for a
    domain-scoped one); any other service account counts as a project of its own. Without one, as
    for a linked account, it is ours.
    """
    if service_account is None:
        return OUR_PROJECT

    address = service_account.casefold()
    _, _, domain = address.rpartition("@")
    project = (
        domain.removesuffix(_SERVICE_ACCOUNTS) if domain.endswith(_SERVICE_ACCOUNTS) else address
    )

    # No mailbox has NUL in its address, so that no mailbox's hash is a project's.
    return hmac.new(deployment_salt, f"project\0{project}".encode(), hashlib.sha256).hexdigest()[
        :16
    ]


def _share(units: int, share: float) -> int:
    """Rounded down, but enough for one message: else a small share would stop a lane for good."""
    return max(SEND_UNITS, int(units * share))


def check_name(value: str, what: str) -> str:
    """Check the id of a tenant or the name of a connection; raises WrongUse."""
    # Not `match`: its `$` also fits before a last line feed.
    if not re.fullmatch(NAME_PATTERN, value):
        message = f"{what} {value!r} is not usable: lower-case letters, digits and hyphens, starting with a letter or digit, 63 at most."
        raise WrongUse("invalid_name", message)
    return value
