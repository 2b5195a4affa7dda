"""Which cells say nothing, which say that something is wrong, and which are a name."""

from __future__ import annotations

import pytest

from certmail.files.formats.cells import garbled, says_nothing
from certmail_config.base.errors import ReminderRejected

ERRORS = [
    "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#ERROR!",
    "#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#ÜBERLAUF!", "#N/D", "#VALEUR!", "#NOM?", "#NOMBRE!",
    "#¡REF!", "#¿NOMBRE?", "#########", "#GETTING_DATA",
]  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_a_spreadsheets_error_is_no_name_and_elsewhere_a_fault(text: str) -> None:
    assert says_nothing("name", f" {text} ")
    for field in ("to", "tenant", "campaign", "key", "pending", "due_at", "send_at", "link"):
        with pytest.raises(ReminderRejected) as raised:
            says_nothing(field, text)
        assert (raised.value.code, raised.value.field) == ("spreadsheet_error", field)


@pytest.mark.parametrize(
    "text", ["NULL", "null", "None", "nan", "NaN", "NA", "n/a", "<NA>", "-", "—", " - ", "?"]
)
def test_a_programs_word_for_nothing_is_none(text: str) -> None:
    assert says_nothing("name", text)
    assert says_nothing("due_at", text)


@pytest.mark.parametrize(
    "text",
    ["Null", "Nan", "Na", "None Such", "Christopher Null", "#1 Fan", "# 5", "N", "Anne-Marie"],
)
def test_people_may_be_called_so(text: str) -> None:
    assert not says_nothing("name", text)


def test_what_may_be_meant_is_left_as_it_is() -> None:
    assert not says_nothing("pending", "-"), "Excel's accounting format shows 0 so"
    assert not says_nothing("connection", "na"), "a mailbox of North America"
    assert not says_nothing("tenant", "none")
    assert not says_nothing("locale", "nan"), "Min Nan"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman"])
@pytest.mark.parametrize("name", ["Jürg Müller", "Hélène", "O’Neill", "山田"])
def test_utf_8_that_was_taken_for_something_else_and_saved_is_no_name(
    name: str, encoding: str
) -> None:
    assert garbled(name) is None
    try:
        wrong = name.encode().decode(encoding)
    except UnicodeDecodeError:
        return  # that program could not have done it
    assert repr(name) in (garbled(wrong) or "")


@pytest.mark.parametrize(
    "name",
    ["JOÃO", "São Tomé", "Ÿ", "Ænima ß", "Нина", "Ålesund Ø", "n°1", "“Ann”", "½", "Ã", "Dvořák"],
)
def test_letters_that_stand_together_in_names_are_a_name(name: str) -> None:
    assert garbled(name) is None


def test_a_character_that_was_lost_is_said() -> None:
    assert "lost" in (garbled("J\ufffdrg") or "")
