"""The OpenAPI document does not follow our classes' names and line breaks.

Clients are generated from it.
"""

from __future__ import annotations

import jsonschema_rs

from certmail.gateway.api.document.openapi import document
from certmail.gateway.api.document.page import page
from certmail_config.webhooks.catalogue import WebhookType

SCHEMAS = document("https://reminders.example", "1")["components"]["schemas"]


def test_the_schemas_keep_the_names_that_clients_know_them_by() -> None:
    assert sorted(SCHEMAS) == [
        "Attempt", "AttemptOutcome", "Attention", "Batch", "BatchAnswer", "BatchItem", "BlockText",
        "Brand", "CadenceRule", "Calendar", "Called", "Campaign", "CampaignPage", "CampaignPlan",
        "CampaignState", "CampaignWanted", "CancelWanted", "Cancelled", "Change", "ChangePage",
        "Connection", "ConnectionPage", "ConnectionState", "Delivery", "DeliveryAttempt",
        "DeliveryEvent", "DeliveryPage", "DeliveryStory", "DigestCampaign", "EndingCertificate",
        "Fault", "FindingSeverity", "HourCount", "HourCounts", "Item", "Kind", "Logo", "Lookup",
        "LookupAnswer", "LookupItem", "OpenOutcome", "OpenOutcomeList", "PlannedCampaign",
        "PlannedCampaignDetails", "PlannedCampaignPage", "Problem", "ProgressAnswer",
        "ProgressItem", "ProgressNews", "ProgressVerdict", "ProgressWanted", "ReasonCount",
        "ReasonCounts", "Receipt", "RejectedItem", "RemindWanted", "Reminded", "Reminder",
        "ReminderStatus", "ReplayWanted", "Replayed", "Reviewer", "ReviewerNumbers",
        "ReviewersAnswer", "ReviewersWanted", "RotateWanted", "Rule", "SetupLink",
        "SetupLinkWanted", "State", "StateGroup", "Stop", "StoppedWebhook", "TemplateFinding",
        "Templates", "TemplatesWanted", "Tenant", "TenantPage", "TenantState", "TenantTemplates",
        "Totals", "TroubledMailbox", "UnplannedCampaign", "Webhook", "WebhookChange", "WebhookDetails", "WebhookMessage",
        "WebhookMessageState", "WebhookPage", "WebhookState", "WebhookTrial", "WebhookWanted",
        "WebhookWithSecret",
    ]  # fmt: skip
    assert SCHEMAS["Kind"]["title"] == "Kind"
    assert SCHEMAS["Connection"]["properties"]["kind"]["anyOf"][0] == {
        "$ref": "#/components/schemas/Kind"
    }


def test_a_description_is_one_paragraph_however_its_docstring_is_wrapped() -> None:
    fields = [field for each in SCHEMAS.values() for field in each.get("properties", {}).values()]
    described = [each.get("description", "") for each in (*SCHEMAS.values(), *fields)]

    assert not [text for text in described if "\n" in text]


def test_each_type_of_event_is_there_with_its_schema_and_an_example_of_it() -> None:
    told = document("https://reminders.example", "1")["webhooks"]
    assert list(told) == [str(kind) for kind in WebhookType]

    for kind, each in told.items():
        operation = each["post"]
        content = operation["requestBody"]["content"]["application/json"]
        jsonschema_rs.validate(content["schema"], content["example"])
        assert content["example"]["type"] == kind
        names = [parameter["name"] for parameter in operation["parameters"]]
        assert names == ["webhook-id", "webhook-timestamp", "webhook-signature"]


def test_the_page_shows_people_what_webhooks_tell() -> None:
    shown = page(document("https://reminders.example", "1"))
    for kind in WebhookType:
        assert f'<section id="{kind}">' in shown
