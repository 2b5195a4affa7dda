"""The OpenAPI document does not follow our classes' names and line breaks.

Clients are generated from it.
"""

from __future__ import annotations

from certmail.gateway.api.document.openapi import document

SCHEMAS = document("https://reminders.example", "1")["components"]["schemas"]


def test_the_schemas_keep_the_names_that_clients_know_them_by() -> None:
    assert sorted(SCHEMAS) == [
        "Attempt", "AttemptOutcome", "Batch", "BatchAnswer", "BatchItem", "BlockText", "Brand",
        "Called", "Campaign", "CampaignPage", "CancelWanted", "Cancelled", "Change", "ChangePage",
        "Connection", "ConnectionPage", "ConnectionState", "Delivery", "DeliveryPage",
        "DigestCampaign", "Fault", "FindingSeverity", "Item", "Kind", "Logo", "Lookup",
        "LookupAnswer", "LookupItem", "Problem", "Receipt", "Reminder", "ReminderStatus", "Rule",
        "SetupLink", "SetupLinkWanted", "State", "TemplateFinding", "Templates", "TemplatesWanted",
        "Tenant", "TenantPage", "TenantState", "TenantTemplates", "Totals",
    ]  # fmt: skip
    assert SCHEMAS["Kind"]["title"] == "Kind"
    assert SCHEMAS["Connection"]["properties"]["kind"]["anyOf"][0] == {
        "$ref": "#/components/schemas/Kind"
    }


def test_a_description_is_one_paragraph_however_its_docstring_is_wrapped() -> None:
    fields = [field for each in SCHEMAS.values() for field in each.get("properties", {}).values()]
    described = [each.get("description", "") for each in (*SCHEMAS.values(), *fields)]

    assert not [text for text in described if "\n" in text]
