"""Versions understand each other.

What one enqueued another reads, and the same reminder stays the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from certmail_config.base.web_links import SCHEMA_PATTERN
from certmail_config.jobs.contract import (
    OF_THE_JOB,
    VERSION,
    ContractTooNew,
    PayloadUnreadable,
    read_payload,
    schema,
    write_payload,
)
from certmail_config.jobs.kinds import Kind
from certmail_config.jobs.reminder import EXAMPLE, Reminder
from support.data.garbage import PAYLOADS

FOLDER = Path(__file__).parent / "contract"
"""What the first version of each contract published and stored: never to be changed."""
PUBLISHED = Path(__file__).parents[3] / "config" / "reminder.schema.json"
MIN = {"tenant": "acme", "to": "a@acme.example"}
STORED = [
    json.loads(line)
    for name in ("1.jsonl", "2.jsonl")
    for line in (FOLDER / name).read_text("utf-8").splitlines()
]

REPLACED = {(r"^https?://[^\s/]+\S*$", SCHEMA_PATTERN)}
"""Patterns in whose place another stands.

What it refuses more no mail has ever carried (a link was left out instead).
"""


def refuses(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What the new schema would refuse that the old one took.

    As far as it is said by what can be compared.
    """
    found = [f"{name} is gone" for name in old["properties"].keys() - new["properties"].keys()]
    found += [f"{name} is needed now" for name in set(new["required"]) - set(old["required"])]
    for name, before in old["properties"].items():
        after = new["properties"].get(name, before)
        for one, other in zip(forms(before, old), forms(after, new), strict=False):
            found += [f"{name}: {words}" for words in narrower(one, other)]
        if len(forms(after, new)) < len(forms(before, old)):
            found.append(f"{name} takes fewer types")
    return found


def forms(field: dict[str, Any], whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a field, sorted by type."""
    each = [
        whole["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for one in field.get("anyOf", [field])
    ]
    return sorted(each, key=lambda one: str(one.get("type")))


def narrower(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    found = []
    if old.get("type") != new.get("type"):
        found.append("another type")
    if set(old.get("enum", [])) - set(new.get("enum", old.get("enum", []))):
        found.append("fewer values")
    maxima = [name for name in ("maxLength", "maximum") if new.get(name, 1e9) < old.get(name, 1e9)]
    minima = [name for name in ("minLength", "minimum") if new.get(name, 0) > old.get(name, 0)]
    found += [f"another {name}" for name in (*maxima, *minima)]

    if (
        old.get("pattern") != new.get("pattern")
        and (old.get("pattern"), new.get("pattern")) not in REPLACED
    ):
        found.append("another pattern")

    return found


class TestTheSchema:
    def test_the_published_one_is_the_one_that_the_code_would_write(self) -> None:
        assert json.loads(PUBLISHED.read_text("utf-8")) == schema()

    @pytest.mark.parametrize("version", range(1, VERSION + 1))
    def test_it_takes_all_that_the_first_of_each_contract_took(self, version: int) -> None:
        first = json.loads((FOLDER / f"{version}.schema.json").read_text("utf-8"))
        assert refuses(first, schema()) == []

    def test_a_change_that_would_break_others_is_seen(self) -> None:
        first = schema()
        changes: list[Callable[[Any], object]] = [
            lambda new: new["properties"].pop("link"),
            lambda new: new["required"].append("campaign"),
            lambda new: new["properties"]["pending"]["anyOf"].pop(),
            lambda new: new["properties"]["kind"]["enum"].remove("final"),
            lambda new: new["properties"]["to"].update(maxLength=100),
            lambda new: new["properties"]["priority"].update(minimum=1),
            lambda new: new["properties"]["tenant"].update(pattern="^a$"),
        ]
        for change in changes:
            new = json.loads(json.dumps(first))
            change(new)
            assert refuses(first, new), change

    def test_every_field_says_what_it_means_and_the_example_holds(self) -> None:
        assert all(field.description for field in Reminder.model_fields.values())
        assert Reminder.model_validate(EXAMPLE)


class TestPayloads:
    @pytest.mark.parametrize(
        "stored",
        STORED,
        ids=["least", "example", "all", "items", "overdue", "escalation", "digest", "custom"],
    )
    def test_what_was_stored_before_is_read_and_is_still_the_same_reminder(
        self, stored: dict[str, Any]
    ) -> None:
        read = read_payload(stored["payload"].encode())
        assert read == Reminder.model_validate(stored["given"])
        assert read.canonical().decode() == stored["canonical"]
        assert read.dedupe_source().decode() == stored["dedupe"]
        assert json.loads(write_payload(read)) == json.loads(stored["payload"])

    def test_fields_that_a_later_version_added_are_passed_over(self) -> None:
        later = {
            **json.loads(write_payload(Reminder(**EXAMPLE))),
            "sms": "+41 00",
            "contract": VERSION,
        }
        assert read_payload(json.dumps(later).encode()) == Reminder(**EXAMPLE)

    @pytest.mark.parametrize("kind", get_args(Kind))
    def test_only_kinds_that_the_first_contract_did_not_know_ask_for_more(self, kind: str) -> None:
        first = {"reminder", "notice", "final"}
        payload = json.loads(write_payload(Reminder(**EXAMPLE).model_copy(update={"kind": kind})))
        assert payload.get("contract", 1) == (1 if kind in first else VERSION)

    def test_a_later_contract_is_not_taken_for_this_one(self) -> None:
        later = {**json.loads(write_payload(Reminder(**EXAMPLE))), "contract": VERSION + 1}
        with pytest.raises(ContractTooNew, match="this certmail knows"):
            read_payload(json.dumps(later).encode())

    @pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
    def test_whatever_else_was_stored_is_said_to_be_unreadable_and_quoted_nowhere(
        self, payload: bytes
    ) -> None:
        with pytest.raises(PayloadUnreadable) as caught:
            read_payload(payload)
        assert len(caught.value.message) < 200
        assert "ann@" not in caught.value.message
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        ("zone", "end"),
        [
            ("America/Los_Angeles", "2027-01-01T07:59:59+00:00"),
            ("Pacific/Kiritimati", "2026-12-31T09:59:59+00:00"),
            (None, "2026-12-31T23:59:59+00:00"),
        ],
    )
    def test_a_due_date_travels_as_the_end_of_that_day_which_older_versions_read(
        self, zone: str | None, end: str
    ) -> None:
        reminder = Reminder.model_validate(MIN | {"due_at": "2026-12-31", "time_zone": zone})
        payload = write_payload(reminder)
        assert datetime.fromisoformat(json.loads(payload)["due_at"]) == datetime.fromisoformat(end)
        assert read_payload(payload) == reminder

    @pytest.mark.parametrize("zone", ["localtime", "Factory", "Europe/Kiyv", "a\0b", ""])
    def test_a_zone_that_this_version_does_not_know_leaves_the_reminder_without_one(
        self, zone: str
    ) -> None:
        stored = {**MIN, "due_at": "2026-12-31T17:00:00Z", "time_zone": zone}
        assert read_payload(json.dumps(stored).encode()).time_zone is None

    def test_what_applications_give_is_taken_strictly_all_the_same(self) -> None:
        with pytest.raises(ValidationError):
            Reminder.model_validate({**EXAMPLE, "sms": "+41 00"})

    def test_a_reminder_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError):
            Reminder(**EXAMPLE).to = "b@acme.example"  # type: ignore[misc]  # what the test is about


def test_without_what_the_ledger_keeps_beside_it_it_reads_as_the_same_mail() -> None:
    """As campaigns write it; every version reads it, since none of it was ever needed."""
    given = {**EXAMPLE, "key": "k", "priority": 3, "send_at": "2099-12-01T09:00:00Z"}
    reminder = Reminder.model_validate({**given, "expires_at": "2099-12-09T09:00:00Z"})
    short = write_payload(reminder, leave_out=OF_THE_JOB)
    assert not OF_THE_JOB & json.loads(short).keys()
    assert read_payload(short) == Reminder.model_validate(EXAMPLE)
    assert not OF_THE_JOB & set(json.loads(PUBLISHED.read_text("utf-8"))["required"])


def test_a_day_stays_one_in_it() -> None:
    reminder = Reminder.model_validate(MIN | {"due_at": "2099-12-11", "time_zone": "Asia/Tokyo"})
    assert read_payload(write_payload(reminder, leave_out=OF_THE_JOB)).due_at == reminder.due_at
