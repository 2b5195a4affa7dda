"""Each kind of mail says what it needs, and refuses what it would leave out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from certmail_config.base.errors import ReminderRejected
from certmail_config.jobs.lists import MAX_CAMPAIGNS, MAX_ITEMS, Item
from certmail_config.jobs.reminder import Reminder, parse, parse_json

MIN = {"tenant": "acme", "to": "a@acme.example"}
ESCALATION: dict[str, Any] = {"kind": "escalation", "about": "Ben Ray"}
DIGEST: dict[str, Any] = {"kind": "digest", "campaigns": [{"name": "Q4", "pending": 2}]}
CUSTOM: dict[str, Any] = {"kind": "custom", "subject": "Hello", "text": "One.\n\nTwo."}


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"kind": "escalation"}, "about", "missing"),
        ({**ESCALATION, "about": " "}, "about", "missing"),
        ({"kind": "digest"}, "campaigns", "missing"),
        ({**DIGEST, "campaigns": []}, "campaigns", "missing"),
        ({"kind": "custom", "text": "One."}, "subject", "missing"),
        ({"kind": "custom", "subject": "One."}, "text", "missing"),
        ({"about": "Ben Ray"}, "about", "wrong_kind"),
        ({"kind": "overdue", "times_reminded": 2}, "times_reminded", "wrong_kind"),
        ({"text": "One."}, "text", "wrong_kind"),
        ({**ESCALATION, "subject": "One."}, "subject", "wrong_kind"),
        ({"campaigns": DIGEST["campaigns"]}, "campaigns", "wrong_kind"),
        ({**DIGEST, "pending": 2}, "pending", "wrong_kind"),
        ({**DIGEST, "due_at": "2026-12-11"}, "due_at", "wrong_kind"),
        ({**DIGEST, "items": [{"what": "SAP"}]}, "items", "wrong_kind"),
        ({"items": [{"what": ""}]}, "items/0/what", "string_too_short"),
        ({"items": [{"what": "SAP"}, {"who": "Ben"}]}, "items/1/what", "missing"),
        ({"items": [{"what": "SAP", "owner": "Ben"}]}, "items/0/owner", "unknown_field"),
        ({"items": [{"what": "x" * 121}]}, "items/0/what", "too_long"),
        ({"items": [{"what": "x"}] * (MAX_ITEMS + 1)}, "items", "too_long"),
        ({**DIGEST, "campaigns": [{"name": "x"}] * (MAX_CAMPAIGNS + 1)}, "campaigns", "too_long"),
        ({**DIGEST, "campaigns": [{"name": "x", "link": "iga"}]}, "campaigns/0/link", "invalid_link"),
        ({**DIGEST, "campaigns": [{"name": "x", "pending": -1}]}, "campaigns/0/pending", "invalid_number"),
        ({**CUSTOM, "text": "a\n" * 41}, "text", "too_many_paragraphs"),
        ({**CUSTOM, "text": "a" * 5001}, "text", "too_long"),
        ({**CUSTOM, "subject": "a" * 151}, "subject", "too_long"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(
    fields: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(ReminderRejected) as caught:
        parse(MIN | fields)
    assert (caught.value.field, caught.value.code) == (field, code)
    found = parse_json(MIN | fields)
    assert isinstance(found, list)
    assert (found[0].field, found[0].code) == (field, code)


def test_python_code_is_told_as_well() -> None:
    with pytest.raises(ValidationError, match="a mail of kind custom needs it"):
        Reminder(**MIN, kind="custom", subject="Hello")
    assert Reminder(**MIN, items=(Item(what="SAP"),)).items == (Item(what="SAP"),)


@pytest.mark.parametrize(
    ("fields", "other"),
    [
        (ESCALATION, {"about": "Cem Ay"}),
        (DIGEST, {"campaigns": [{"name": "Q4", "pending": 1}]}),
        (CUSTOM, {"text": "Three."}),
        (CUSTOM, {"subject": "Again"}),
    ],
)
def test_mails_that_say_something_else_are_not_the_same(
    fields: dict[str, Any], other: dict[str, Any]
) -> None:
    one, two = parse(MIN | fields), parse(MIN | fields | other)
    assert one.dedupe_source() == parse(MIN | fields).dedupe_source() != two.dedupe_source()
    assert one.canonical() != two.canonical()


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({}, True),
        ({"pending": 0}, False),
        ({"pending": 1}, True),
        (DIGEST, True),
        ({**DIGEST, "campaigns": [{"name": "a", "pending": 0}]}, False),
        ({**DIGEST, "campaigns": [{"name": "a", "pending": 0}, {"name": "b"}]}, True),
    ],
)
def test_it_is_known_when_nothing_is_left_to_decide(fields: dict[str, Any], left: bool) -> None:
    assert parse(MIN | fields).nothing_left() is not left
