"""What somebody asks of the record: typed, as an address, as questions."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from certmail.gateway.console.form_fields import WrongField
from certmail.gateway.console.record.filter_form import (
    OWNER,
    ListFilter,
    ListLinks,
    from_form,
    from_query,
)
from certmail_config.base.errors import WrongUse
from certmail_config.crypto.vault import Vault
from certmail_config.jobs.states import State

VAULT = Vault([("k1", b"k" * 32)])
NOTHING = dict.fromkeys(("tenant", "campaign", "to", "state", "since", "until"), "")


def opened(sealed: bytes) -> bytes:
    return VAULT.open(sealed, owner=OWNER)


def links(**fields: str) -> ListLinks:
    wanted = ListFilter(**fields)
    return ListLinks(wanted, wanted.sealed(lambda text: VAULT.seal(text, owner=OWNER)))


def test_an_address_says_only_what_is_asked_for_and_no_recipient_in_clear() -> None:
    assert links().to() == "/console/deliveries"
    given = links(tenant="acme", to="anna@people.example")
    path = given.to(state="failed")
    assert "anna" not in path
    assert "people" not in path
    query = dict(parse_qsl(urlsplit(path).query))
    assert from_query(query, opened) == ListFilter("acme", to="anna@people.example", state="failed")


def test_the_recipient_is_looked_for_as_the_record_has_it() -> None:
    assert from_form(NOTHING | {"to": "Anna@PEOPLE.example"}).to == "anna@people.example"


def test_both_days_are_included() -> None:
    asked = ListFilter(since="2026-11-24", until="2026-11-25").question()
    assert (asked.since, asked.until) == (
        datetime(2026, 11, 24, tzinfo=UTC),
        datetime(2026, 11, 26, tzinfo=UTC),
    )


def test_a_group_of_states_is_a_question_for_each() -> None:
    assert [asked.state for asked in ListFilter(state="not-sent").questions()] == [
        State.FAILED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED,
    ]  # fmt: skip
    assert [asked.state for asked in ListFilter().questions()] == [None]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("to", "anna"),
        ("to", "a@" + "b" * 320),
        ("campaign", "c" * 10_000),
        ("tenant", "acme\0"),
        ("state", "lost"),
        ("since", "yesterday"),
        ("until", "9999-12-31"),
        ("until", "2026-02-30"),
    ],
)
def test_what_cannot_be_looked_for_is_said_at_its_field(field: str, text: str) -> None:
    with pytest.raises(WrongField) as raised:
        from_form(NOTHING | {field: text})
    assert raised.value.field == field


@pytest.mark.parametrize("sealed", ["a", "!", "anna@people.example", "AQ", "AQJrMQ" + "A" * 200])
def test_a_forged_recipient_is_wrong_use(sealed: str) -> None:
    with pytest.raises(WrongUse) as raised:
        from_query({"to": sealed}, opened)
    assert raised.value.code == "invalid_recipient"
