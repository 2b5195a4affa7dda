"""Tenants, their connections, and the links on which they are made."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import Model, OnlyTenant, Page, PageQuery, Time
from certmail_config.admin.setup_links import LONGEST_STATE
from certmail_config.base.ids import NAME_PATTERN
from certmail_config.tenants.models import (
    DEFAULT_NAME,
    ConnectionKind,
    ConnectionState,
    TenantState,
)
from certmail_config.tenants.state_labels import EXPLAINED


class Tenant(Model):
    """A company whose reviewers are reminded."""

    id: str
    name: str
    state: TenantState


class TenantPage(Page[Tenant]):
    """Some of the tenants, by id."""


class TenantQuery(PageQuery):
    """Which tenants."""


class Connection(Model):
    """A tenant's mailbox.

    Where it does not work, code, message and remedy say why and what to do.
    """

    id: str
    tenant: str
    name: str
    kind: ConnectionKind | None
    state: ConnectionState
    state_text: Annotated[str, Field(description=f"The state as people read it: {EXPLAINED}.")]
    code: str | None
    message: str | None
    remedy: str | None
    mailbox: str | None
    key_id: str | None
    not_after: Time | None


class ConnectionPage(Page[Connection]):
    """Some of the connections, by tenant and name."""


class ConnectionQuery(PageQuery):
    """Which connections."""

    tenant: OnlyTenant = None


class SetupLinkWanted(Model):
    """For whom a set-up link is, and where it leads back to."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tenant: Annotated[str, Field(pattern=NAME_PATTERN, description="The tenant's id.")]
    connection: Annotated[
        str, Field(pattern=NAME_PATTERN, description="The connection's name.")
    ] = DEFAULT_NAME
    return_url: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="Where the administrator is sent back to, with `tenant`, `connection`, `status` (`active`: it works) and `state` in the query; "
            "its beginning must be among CERTMAIL_RETURN_URLS.",
        ),
    ] = None
    state: Annotated[
        str | None,
        Field(max_length=LONGEST_STATE, description="Given back with the return URL, unchanged."),
    ] = None
    again: Annotated[
        bool,
        Field(
            description="Make the link even though the connection works: whoever opens it sees whose mailbox it is, and can change it."
        ),
    ] = False


class SetupLink(Model):
    """A link for a tenant's administrator.

    The address is a secret until it is used: in the first browser in which Start is pressed.
    """

    tenant: str
    connection: str
    url: str = Field(json_schema_extra={"format": "uri"})
    expires_at: Time
