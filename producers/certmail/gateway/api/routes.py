"""The API's routes: one table, from which the router and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel

from certmail.gateway.api import models
from certmail.gateway.api.context import Answer, ApiCall, ApiContext
from certmail.gateway.api.handlers import (
    attention,
    campaigns,
    changes,
    deliveries,
    lists,
    reminders,
    setup_links,
    templates,
    webhooks,
)
from certmail.gateway.api.request.concurrency import Turns
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
class BodyHandler:
    """The handler of a request with a body.

    `keyed` says whether the request may have an Idempotency-Key.
    """

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
    WEBHOOKS = "Webhooks"


@dataclass(frozen=True, slots=True)
class Route:
    """One method and address: what the router needs, and what the document says of it."""

    method: str
    path: str
    name: str
    tag: Tag
    scope: KeyScope
    _: KW_ONLY
    summary: str
    does: Handler | BodyHandler
    gives: dict[int, tuple[str, type[BaseModel]]]
    """What is answered, by status: a sentence and the model."""
    query: type[BaseModel] | None = None
    problems: tuple[str, ...] = ()
    """Codes of what can go wrong, beside those of `ALWAYS`."""
    turns: Callable[[ApiContext], Turns] | None = None
    """Where a request costs much: the limit on how many of one API key are carried out at once."""


def _list(
    path: str,
    name: str,
    tag: Tag,
    scope: KeyScope,
    *,
    summary: str,
    does: Handler,
    query: type[BaseModel],
    gives: tuple[str, type[BaseModel]],
) -> Route:
    """A GET with a query, of which a key has only so many carried out at once."""
    return Route(
        "GET", path, name, tag, scope,
        summary=summary, does=does, query=query, gives={200: gives},
        problems=("invalid_query",), turns=_lists,
    )  # fmt: skip


def _batches(context: ApiContext) -> Turns:
    return context.batches


def _lists(context: ApiContext) -> Turns:
    return context.lists


ROUTES: Final = (
    Route(
        "POST", "/v1/reminders", "enqueueReminder", Tag.REMINDERS, KeyScope.REMINDERS_WRITE,
        summary="Enqueue a reminder",
        does=BodyHandler(Reminder, reminders.body_of_one, reminders.enqueue),
        gives={
            202: ("It is taken in, durably.", models.Receipt),
            200: ("A duplicate: it was taken in before.", models.Receipt),
        },
        problems=(*_KEYED, "invalid_reminder", "tenant_not_allowed", "tenant_suspended", "tenant_full", "key_reused"),
    ),
    Route(
        "POST", "/v1/reminders:batch", "enqueueReminders", Tag.REMINDERS, KeyScope.REMINDERS_WRITE,
        summary=f"Enqueue up to {models.MAX_IN_BATCH} reminders, each answered for itself",
        does=BodyHandler(models.Batch, reminders.body_of_batch, reminders.enqueue_batch),
        gives={200: ("An answer for each, in order.", models.BatchAnswer)},
        problems=(*_KEYED, "invalid_body"),
        turns=_batches,
    ),
    Route(
        "GET", "/v1/reminders/{id}", "getReminder", Tag.REMINDERS, KeyScope.REMINDERS_READ,
        summary="Ask what became of a reminder",
        does=reminders.show,
        gives={200: ("The reminder as it stands.", models.ReminderStatus)},
        problems=("unknown_reminder",),
    ),
    Route(
        "POST", "/v1/reminders:lookup", "lookUpReminders", Tag.REMINDERS, KeyScope.REMINDERS_READ,
        summary=f"Ask what became of up to {models.MAX_IN_LOOKUP} reminders",
        does=BodyHandler(models.Lookup, reminders.body_of_lookup, reminders.look_up, keyed=False),
        gives={200: ("Each as it stands, in order.", models.LookupAnswer)},
        problems=(*_BODY, "invalid_body"),
        turns=_lists,
    ),
    Route(
        "DELETE", "/v1/reminders/{id}", "cancelReminder", Tag.REMINDERS, KeyScope.REMINDERS_WRITE,
        summary="Call a reminder off, at any moment before its request is under way",
        does=reminders.cancel,
        gives={200: ("It will not be sent.", models.Called)},
        problems=("unknown_reminder", "already_sending", "already_final", "outcome_unknown"),
    ),
    _list(
        "/v1/changes", "listChanges", Tag.REMINDERS, KeyScope.REMINDERS_READ,
        summary="Ask which reminders have changed since, the oldest change first",
        does=changes.changes,
        query=models.ChangeQuery,
        gives=("Some of the changes, and where to go on.", models.ChangePage),
    ),
    _list(
        "/v1/campaigns", "listCampaigns", Tag.CAMPAIGNS, KeyScope.REMINDERS_READ,
        summary="Count the reminders of each campaign on record, by state",
        does=campaigns.campaigns,
        query=models.CampaignQuery,
        gives=("Some of them.", models.CampaignPage),
    ),
    Route(
        "POST", "/v1/campaigns:cancel", "cancelCampaign", Tag.CAMPAIGNS, KeyScope.REMINDERS_WRITE,
        summary="Call off a campaign's reminders, as far as they have not left",
        does=BodyHandler(models.CancelWanted, campaigns.body_of_cancel, campaigns.cancel),
        gives={200: ("Those will not be sent. Interrupted, it may be asked again.", models.Cancelled)},
        problems=(*_KEYED, "invalid_body", "tenant_not_allowed"),
        turns=_batches,
    ),
    _list(
        "/v1/tenants", "listTenants", Tag.TENANTS, KeyScope.TENANTS_READ,
        summary="List the tenants that the API key reaches",
        does=lists.tenants,
        query=models.TenantQuery,
        gives=("Some of them.", models.TenantPage),
    ),
    _list(
        "/v1/connections", "listConnections", Tag.TENANTS, KeyScope.TENANTS_READ,
        summary="List their connections, and what is wrong with those that do not work",
        does=lists.connections,
        query=models.ConnectionQuery,
        gives=("Some of them.", models.ConnectionPage),
    ),
    Route(
        "POST", "/v1/setup-links", "makeSetupLink", Tag.TENANTS, KeyScope.SETUP_LINKS_WRITE,
        summary="Make a link on which a tenant's administrator connects the mailbox; the tenant's link before it ends",
        does=BodyHandler(models.SetupLinkWanted, setup_links.body, setup_links.make),
        gives={201: ("Good for seven days, in the first browser in which Start is pressed.", models.SetupLink)},
        problems=(*_KEYED, "invalid_body", "tenant_not_allowed", "connection_active", "tenant_suspended"),
    ),
    Route(
        "GET", "/v1/tenants/{tenant}/templates", "getTemplates", Tag.TENANTS, KeyScope.TENANTS_READ,
        summary="Show what a tenant writes in its mails itself",
        does=templates.show,
        gives={200: ("The newest version.", models.TenantTemplates)},
        problems=("tenant_not_allowed", "no_such_tenant"),
        turns=_lists,
    ),
    Route(
        "PUT", "/v1/tenants/{tenant}/templates", "publishTemplates", Tag.TENANTS, KeyScope.TEMPLATES_WRITE,
        summary="Publish what a tenant writes in its mails itself; they are written with it from the next minute on",
        does=BodyHandler(models.TemplatesWanted, templates.body, templates.put, keyed=False),
        gives={200: ("It is published, or was already.", models.TenantTemplates)},
        problems=(*_BODY, "invalid_body", "invalid_templates", "tenant_not_allowed", "no_such_tenant", "templates_changed"),
        turns=_batches,
    ),
    _list(
        "/v1/deliveries", "listDeliveries", Tag.RECORD, KeyScope.DELIVERIES_READ,
        summary="List the record, the newest first",
        does=deliveries.deliveries,
        query=models.DeliveryQuery,
        gives=("Some of it.", models.DeliveryPage),
    ),
    _list(
        "/v1/deliveries/totals", "countDeliveries", Tag.RECORD, KeyScope.DELIVERIES_READ,
        summary="Count the record, by state and by groups of states",
        does=deliveries.totals,
        query=models.TotalsQuery,
        gives=("How many there are.", models.Totals),
    ),
    _list(
        "/v1/deliveries/reasons", "countReasons", Tag.RECORD, KeyScope.DELIVERIES_READ,
        summary="Count why reminders were not sent, wait or are uncertain",
        does=deliveries.reasons,
        query=models.TotalsQuery,
        gives=("The reasons.", models.ReasonCounts),
    ),
    _list(
        "/v1/deliveries/hours", "countHours", Tag.RECORD, KeyScope.DELIVERIES_READ,
        summary="Count what was enqueued on a day, by the hour and by state",
        does=deliveries.hours,
        query=models.HoursQuery,
        gives=("The hours.", models.HourCounts),
    ),
    _list(
        "/v1/attention", "getAttention", Tag.RECORD, KeyScope.DELIVERIES_READ,
        summary="Say what does not go on by itself, and what to do about it",
        does=attention.attention,
        query=models.AttentionQuery,
        gives=("What needs a person.", models.Attention),
    ),
    _list(
        "/v1/webhooks", "listWebhooks", Tag.WEBHOOKS, KeyScope.WEBHOOKS_READ,
        summary="List the webhooks whose tenants the API key reaches",
        does=webhooks.webhooks,
        query=models.WebhookQuery,
        gives=("Some of them.", models.WebhookPage),
    ),
    Route(
        "POST", "/v1/webhooks", "addWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Tell an address what becomes of reminders from now on",
        does=BodyHandler(models.WebhookWanted, webhooks.body_of_add, webhooks.add),
        gives={201: ("It is told from now on. Its secret is shown this once.", models.WebhookWithSecret)},
        problems=(*_KEYED, "invalid_body", "tenant_not_allowed", "too_many_webhooks"),
        turns=_batches,
    ),
    Route(
        "GET", "/v1/webhooks/{webhook}", "getWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_READ,
        summary="Show a webhook, what waits for it, and its newest messages",
        does=webhooks.show,
        gives={200: ("As it stands.", models.WebhookDetails)},
        problems=("unknown_webhook",),
        turns=_lists,
    ),
    Route(
        "PATCH", "/v1/webhooks/{webhook}", "changeWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Change where a webhook leads, what it is told of, or its name",
        does=BodyHandler(models.WebhookChange, webhooks.body_of_change, webhooks.change),
        gives={200: ("It is changed; its secret stays.", models.Webhook)},
        problems=(*_KEYED, "invalid_body", "unknown_webhook"),
        turns=_batches,
    ),
    Route(
        "DELETE", "/v1/webhooks/{webhook}", "removeWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Remove a webhook, with its secret and what waits for it",
        does=webhooks.remove,
        gives={200: ("It is gone; this is what it was.", models.Webhook)},
        problems=("unknown_webhook",),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/webhooks/{webhook}/test", "testWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Send a signed trial now, and say what came back",
        does=webhooks.try_one,
        gives={200: ("What came back, within 15 seconds.", models.WebhookTrial)},
        problems=("unknown_webhook",),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/webhooks/{webhook}/pause", "pauseWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Send nothing more; what happens is kept",
        does=webhooks.pause,
        gives={200: ("It is paused.", models.Webhook)},
        problems=("unknown_webhook",),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/webhooks/{webhook}/resume", "resumeWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Let a paused or disabled webhook be sent what waits for it",
        does=webhooks.resume,
        gives={200: ("It is active.", models.Webhook)},
        problems=("unknown_webhook",),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/webhooks/{webhook}/rotate", "rotateWebhookSecret", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Make another secret; the one before signs as well for a while",
        does=BodyHandler(models.RotateWanted, webhooks.body_of_change, webhooks.rotate),
        gives={200: ("The new secret is shown this once.", models.WebhookWithSecret)},
        problems=(*_KEYED, "invalid_body", "unknown_webhook"),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/webhooks/{webhook}/replay", "replayWebhook", Tag.WEBHOOKS, KeyScope.WEBHOOKS_WRITE,
        summary="Send messages again, under the same webhook-id",
        does=BodyHandler(models.ReplayWanted, webhooks.body_of_change, webhooks.replay),
        gives={200: ("They are sent as soon as the webhook is sent anything.", models.Replayed)},
        problems=(*_KEYED, "invalid_body", "unknown_webhook", "unknown_message"),
        turns=_batches,
    ),
    Route(
        "GET", "/v1/deliveries/{id}", "getDelivery", Tag.RECORD, KeyScope.DELIVERIES_READ,
        summary="Show all that is on record of one reminder: its requests to Gmail, and what happened to it",
        does=deliveries.story,
        gives={200: ("Its story.", models.DeliveryStory)},
        problems=("unknown_reminder",),
        turns=_lists,
    ),
)  # fmt: skip
