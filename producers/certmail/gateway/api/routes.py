"""What the API has: one table, from which both the router and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall, ApiContext
from certmail.gateway.api.handlers import (
    campaigns,
    changes,
    deliveries,
    lists,
    reminders,
    setup_links,
)
from certmail.gateway.api.request.turns import Turns
from certmail_config.jobs.reminder import Reminder
from certmail_config.tenants.api_keys import KeyScope

ALWAYS: Final = (
    "unauthenticated", "invalid_header", "scope_missing", "rate_limited", "internal_error", "stores_unreachable",
)  # fmt: skip
_BODY: Final = (
    "malformed_body", "body_too_slow", "body_too_large", "unsupported_media_type",
)  # fmt: skip
_KEYED: Final = (*_BODY, "request_running", "idempotency_key_reused")
Handler = Callable[[ApiCall], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Writing:
    """A request with a body: how it is read and carried out; whether it may have an Idempotency-Key."""

    model: type[BaseModel]
    read: Callable[[ApiCall], Awaitable[dict[str, Any]]]
    carry_out: Callable[[ApiCall, dict[str, Any]], Awaitable[Answer]]
    keyed: bool = True


class Tag(StrEnum):
    """What a request is about, in the order in which the document shows it."""

    REMINDERS = "Reminders"
    CAMPAIGNS = "Campaigns"
    RECORD = "The record"
    TENANTS = "Tenants"


@dataclass(frozen=True, slots=True)
class Route:
    """One address and method."""

    method: str
    path: str
    name: str
    tag: Tag
    summary: str
    scope: KeyScope
    does: Handler | Writing
    gives: dict[int, tuple[str, type[BaseModel]]]
    query: type[BaseModel] | None = None
    problems: tuple[str, ...] = ()
    turns: Callable[[ApiContext], Turns] | None = None
    """Where a request costs much: how many of one API key are carried out at once."""


def _list(
    path: str,
    name: str,
    tag: Tag,
    scope: KeyScope,
    summary: str,
    does: Handler,
    query: type[BaseModel],
    answer: type[BaseModel],
    said: str,
) -> Route:
    """A GET with a query, of which a key has only so many carried out at once."""
    return Route(
        "GET",
        path,
        name,
        tag,
        summary,
        scope,
        does,
        {200: (said, answer)},
        query=query,
        problems=("invalid_query",),
        turns=lambda context: context.lists,
    )


ROUTES: Final = (
    Route(
        "POST",
        "/v1/reminders",
        "enqueueReminder",
        Tag.REMINDERS,
        "Enqueue a reminder",
        KeyScope.REMINDERS_WRITE,
        Writing(Reminder, reminders.body_of_one, reminders.enqueue),
        {
            202: ("It is taken in, durably.", models.Receipt),
            200: ("A duplicate: it was taken in before.", models.Receipt),
        },
        problems=(
            *_KEYED,
            "invalid_reminder",
            "tenant_not_allowed",
            "tenant_suspended",
            "tenant_full",
            "key_reused",
        ),
    ),
    Route(
        "POST",
        "/v1/reminders:batch",
        "enqueueReminders",
        Tag.REMINDERS,
        f"Enqueue up to {models.MAX_IN_BATCH} reminders, each answered for itself",
        KeyScope.REMINDERS_WRITE,
        Writing(models.Batch, reminders.body_of_batch, reminders.enqueue_batch),
        {200: ("An answer for each, in order.", models.BatchAnswer)},
        problems=(*_KEYED, "invalid_body"),
        turns=lambda context: context.batches,
    ),
    Route(
        "GET",
        "/v1/reminders/{id}",
        "getReminder",
        Tag.REMINDERS,
        "Ask what became of a reminder",
        KeyScope.REMINDERS_READ,
        reminders.show,
        {200: ("The reminder as it stands.", models.ReminderStatus)},
        problems=("unknown_reminder",),
    ),
    Route(
        "POST",
        "/v1/reminders:lookup",
        "lookUpReminders",
        Tag.REMINDERS,
        f"Ask what became of up to {models.MAX_IN_LOOKUP} reminders",
        KeyScope.REMINDERS_READ,
        Writing(models.Lookup, reminders.body_of_lookup, reminders.look_up, keyed=False),
        {200: ("Each as it stands, in order.", models.LookupAnswer)},
        problems=(*_BODY, "invalid_body"),
        turns=lambda context: context.lists,
    ),
    Route(
        "DELETE",
        "/v1/reminders/{id}",
        "cancelReminder",
        Tag.REMINDERS,
        "Call a reminder off, at any moment before its request is under way",
        KeyScope.REMINDERS_WRITE,
        reminders.cancel,
        {200: ("It will not be sent.", models.Called)},
        problems=("unknown_reminder", "already_sending", "already_final", "outcome_unknown"),
    ),
    _list(
        "/v1/changes", "listChanges", Tag.REMINDERS, KeyScope.REMINDERS_READ,
        "Ask which reminders have changed since, the oldest change first",
        changes.changes, models.ChangeQuery, models.ChangePage, "Some of the changes, and where to go on.",
    ),
    _list(
        "/v1/campaigns", "listCampaigns", Tag.CAMPAIGNS, KeyScope.REMINDERS_READ,
        "Count the reminders of each campaign on record, by state",
        campaigns.campaigns, models.CampaignQuery, models.CampaignPage, "Some of them.",
    ),
    Route(
        "POST",
        "/v1/campaigns:cancel",
        "cancelCampaign",
        Tag.CAMPAIGNS,
        "Call off a campaign's reminders, as far as they have not left",
        KeyScope.REMINDERS_WRITE,
        Writing(models.CancelWanted, campaigns.body_of_cancel, campaigns.cancel),
        {200: ("Those will not be sent. Interrupted, it may be asked again.", models.Cancelled)},
        problems=(*_KEYED, "invalid_body", "tenant_not_allowed"),
        turns=lambda context: context.batches,
    ),
    _list(
        "/v1/tenants", "listTenants", Tag.TENANTS, KeyScope.TENANTS_READ,
        "List the tenants that the API key reaches",
        lists.tenants, models.TenantQuery, models.TenantPage, "Some of them.",
    ),
    _list(
        "/v1/connections", "listConnections", Tag.TENANTS, KeyScope.TENANTS_READ,
        "List their connections, and what is wrong with those that do not work",
        lists.connections, models.ConnectionQuery, models.ConnectionPage, "Some of them.",
    ),
    Route(
        "POST",
        "/v1/setup-links",
        "makeSetupLink",
        Tag.TENANTS,
        "Make a link on which a tenant's administrator connects the mailbox; the tenant's link before it ends",
        KeyScope.SETUP_LINKS_WRITE,
        Writing(models.SetupLinkWanted, setup_links.body, setup_links.make),
        {201: ("Good for seven days, in the first browser in which Start is pressed.", models.SetupLink)},
        problems=(*_KEYED, "invalid_body", "tenant_not_allowed", "connection_active", "tenant_suspended"),
    ),
    _list(
        "/v1/deliveries", "listDeliveries", Tag.RECORD, KeyScope.DELIVERIES_READ,
        "List the record, the newest first",
        deliveries.deliveries, models.DeliveryQuery, models.DeliveryPage, "Some of it.",
    ),
    _list(
        "/v1/deliveries/totals", "countDeliveries", Tag.RECORD, KeyScope.DELIVERIES_READ,
        "Count the record, by state",
        deliveries.totals, models.TotalsQuery, models.Totals, "How many there are.",
    ),
)  # fmt: skip
