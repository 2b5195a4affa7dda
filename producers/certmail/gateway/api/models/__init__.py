"""What the API takes and answers, as Pydantic models, one module for each subject.

The OpenAPI document is made from them, their docstrings included. Start with `base`.
"""

from __future__ import annotations

from pydantic import BaseModel

from certmail.gateway.api.models.base import MAX_IN_PAGE, PageQuery
from certmail.gateway.api.models.campaigns import (
    Campaign,
    CampaignPage,
    CampaignQuery,
    Cancelled,
    CancelWanted,
)
from certmail.gateway.api.models.changes import Change, ChangePage, ChangeQuery
from certmail.gateway.api.models.deliveries import (
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryPage,
    DeliveryQuery,
    DeliveryStory,
    Totals,
    TotalsQuery,
)
from certmail.gateway.api.models.problems import Fault, Problem
from certmail.gateway.api.models.reminders import (
    MAX_IN_BATCH,
    MAX_IN_LOOKUP,
    Attempt,
    Batch,
    BatchAnswer,
    BatchItem,
    Called,
    Lookup,
    LookupAnswer,
    LookupItem,
    Receipt,
    ReminderStatus,
)
from certmail.gateway.api.models.templates import (
    TemplateFinding,
    TemplatesWanted,
    TenantTemplates,
)
from certmail.gateway.api.models.tenants import (
    Connection,
    ConnectionPage,
    ConnectionQuery,
    SetupLink,
    SetupLinkWanted,
    Tenant,
    TenantPage,
    TenantQuery,
)
from certmail.gateway.api.models.webhooks import (
    Replayed,
    ReplayWanted,
    RotateWanted,
    Webhook,
    WebhookDetails,
    WebhookPage,
    WebhookQuery,
    WebhookTrial,
    WebhookWanted,
    WebhookWithSecret,
)
from certmail_config.jobs.reminder import Reminder

PUBLISHED: tuple[type[BaseModel], ...] = (
    Reminder,
    Receipt,
    Batch,
    BatchAnswer,
    ReminderStatus,
    Called,
    Lookup,
    LookupAnswer,
    CampaignPage,
    CancelWanted,
    Cancelled,
    ChangePage,
    SetupLinkWanted,
    SetupLink,
    TenantPage,
    ConnectionPage,
    TemplatesWanted,
    TenantTemplates,
    DeliveryPage,
    DeliveryStory,
    Totals,
    WebhookWanted,
    Webhook,
    WebhookWithSecret,
    WebhookDetails,
    WebhookPage,
    WebhookTrial,
    RotateWanted,
    ReplayWanted,
    Replayed,
    Problem,
)
"""The models that the document names."""

__all__ = [
    "MAX_IN_BATCH",
    "MAX_IN_LOOKUP",
    "MAX_IN_PAGE",
    "PUBLISHED",
    "Attempt",
    "Batch",
    "BatchAnswer",
    "BatchItem",
    "Called",
    "Campaign",
    "CampaignPage",
    "CampaignQuery",
    "CancelWanted",
    "Cancelled",
    "Change",
    "ChangePage",
    "ChangeQuery",
    "Connection",
    "ConnectionPage",
    "ConnectionQuery",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryEvent",
    "DeliveryPage",
    "DeliveryQuery",
    "DeliveryStory",
    "Fault",
    "Lookup",
    "LookupAnswer",
    "LookupItem",
    "PageQuery",
    "Problem",
    "Receipt",
    "ReminderStatus",
    "ReplayWanted",
    "Replayed",
    "RotateWanted",
    "SetupLink",
    "SetupLinkWanted",
    "TemplateFinding",
    "TemplatesWanted",
    "Tenant",
    "TenantPage",
    "TenantQuery",
    "TenantTemplates",
    "Totals",
    "TotalsQuery",
    "Webhook",
    "WebhookDetails",
    "WebhookPage",
    "WebhookQuery",
    "WebhookTrial",
    "WebhookWanted",
    "WebhookWithSecret",
]
