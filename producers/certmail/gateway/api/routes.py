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
    campaign_reviewers,
    campaigns,
    changes,
    deliveries,
    lists,
    planned_campaigns,
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
_OF_CAMPAIGN: Final = ("invalid_query", "tenant_not_allowed", "unknown_campaign")
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
        "/v1/campaigns:planned", "listPlannedCampaigns", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_READ,
        summary="List the campaigns whose reminders certmail plans",
        does=planned_campaigns.planned,
        query=models.PlannedCampaignQuery,
        gives=("Some of them.", models.PlannedCampaignPage),
    ),
    Route(
        "PUT", "/v1/campaigns/{campaign}", "putCampaign", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Have certmail plan a campaign, whole as it is given here; the same again changes nothing",
        does=BodyHandler(models.CampaignWanted, planned_campaigns.body_of_put, planned_campaigns.put, keyed=False),
        gives={
            201: ("It is new, and runs. If-None-Match: * asks for that.", models.PlannedCampaign),
            200: ("It is as given. If-Match asks for the version before.", models.PlannedCampaign),
        },
        problems=(*_BODY, "invalid_body", "tenant_not_allowed", "no_such_tenant", "tenant_suspended", "campaign_stopped", "campaign_changed"),
        turns=_batches,
    ),
    Route(
        "GET", "/v1/campaigns/{campaign}", "getCampaign", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_READ,
        summary="Show a campaign, its reviewers counted, and its planned mails by state",
        does=planned_campaigns.show,
        query=models.CampaignOf,
        gives={200: ("As it stands.", models.PlannedCampaignDetails)},
        problems=_OF_CAMPAIGN,
        turns=_lists,
    ),
    Route(
        "DELETE", "/v1/campaigns/{campaign}", "removeCampaign", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Remove a stopped campaign with its reviewers; what went stays on record",
        does=planned_campaigns.remove,
        query=models.CampaignOf,
        gives={200: ("It is gone; this is what it was.", models.PlannedCampaign)},
        problems=(*_OF_CAMPAIGN, "campaign_running", "campaign_ending"),
        turns=_batches,
    ),
    Route(
        "GET", "/v1/campaigns/{campaign}/plan", "getCampaignPlan", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_READ,
        summary="Say what comes next: how many mails on which day, and why others do not go",
        does=planned_campaigns.plan,
        query=models.CampaignOf,
        gives={200: ("As it stands now.", models.CampaignPlan)},
        problems=(*_OF_CAMPAIGN, "campaign_unplannable"),
        turns=_batches,
    ),
    Route(
        "PUT", "/v1/campaigns/{campaign}/reviewers", "putReviewers", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Add reviewers to a campaign, or change them, by the page; with a roster, whoever is in none of its pages goes",
        does=BodyHandler(models.ReviewersWanted, campaign_reviewers.body_of_page, campaign_reviewers.put_page, keyed=False),
        query=models.CampaignOf,
        gives={200: ("What became of the page; what is wrong with one is said, the others are taken.", models.ReviewersAnswer)},
        problems=(*_BODY, "invalid_body", *_OF_CAMPAIGN, "no_such_tenant", "campaign_stopped"),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/campaigns/{campaign}/progress", "reportProgress", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Say what is left to reviewers; an older news undoes no newer one, and who is done gets nothing more",
        does=BodyHandler(models.ProgressWanted, campaign_reviewers.body_of_page, campaign_reviewers.report, keyed=False),
        query=models.CampaignOf,
        gives={200: ("An answer for each, in order.", models.ProgressAnswer)},
        problems=(*_BODY, "invalid_body", *_OF_CAMPAIGN, "no_such_tenant"),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/campaigns/{campaign}/remind", "remindNow", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Remind some reviewers now, or all who have something left; what is planned stays",
        does=BodyHandler(models.RemindWanted, campaign_reviewers.body_of_remind, campaign_reviewers.remind),
        query=models.CampaignOf,
        gives={200: ("They are reminded at the next turn.", models.Reminded)},
        problems=(*_KEYED, "invalid_body", *_OF_CAMPAIGN, "campaign_not_running", "campaign_unplannable"),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/campaigns/{campaign}/pause", "pauseCampaign", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Let nothing of a campaign leave until it is resumed",
        does=planned_campaigns.pause,
        query=models.CampaignOf,
        gives={200: ("It is paused.", models.PlannedCampaign)},
        problems=(*_OF_CAMPAIGN, "no_such_tenant", "campaign_stopped"),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/campaigns/{campaign}/resume", "resumeCampaign", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Let a paused campaign go on; what it missed is caught up on once",
        does=planned_campaigns.resume,
        query=models.CampaignOf,
        gives={200: ("It runs.", models.PlannedCampaign)},
        problems=(*_OF_CAMPAIGN, "no_such_tenant", "campaign_stopped"),
        turns=_batches,
    ),
    Route(
        "POST", "/v1/campaigns/{campaign}/stop", "stopCampaign", Tag.CAMPAIGNS, KeyScope.CAMPAIGNS_WRITE,
        summary="Let nothing of a campaign leave any more, for good",
        does=planned_campaigns.stop,
        query=models.CampaignOf,
        gives={200: ("It is stopped.", models.PlannedCampaign)},
        problems=(*_OF_CAMPAIGN, "no_such_tenant"),
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
