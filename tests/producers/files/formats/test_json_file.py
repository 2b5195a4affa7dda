"""JSON: an object a line, or an array; each record with its line, or with what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail.files.formats.encoding import Encoding
from certmail.files.formats.json_file import read_array, read_json_lines
from certmail.files.formats.lines import read_lines
from certmail.files.row import Row, Terms
from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.jobs.reminder import Reminder
from support.data.sentences import foreign


def read(content: str | bytes) -> list[Row]:
    """Read an object a line."""
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return list(read_json_lines(read_lines([raw], Encoding()), Encoding(), Terms()))


def array(text: str) -> list[Row]:
    """Read an array."""
    return read_array(read_lines([text.encode()], Encoding()), Encoding(), Terms())


def good(rows: list[Row]) -> list[tuple[int, str | None]]:
    """Line and name of each row that can be taken."""
    return [(row.line, row.reminder.name) for row in rows if isinstance(row.reminder, Reminder)]


def bad(rows: list[Row]) -> list[tuple[int, str]]:
    """Line and code of each row that cannot."""
    return [
        (row.line, row.reminder.code) for row in rows if isinstance(row.reminder, ReminderRejected)
    ]


class TestJsonl:
    def line(self, **more: Any) -> str:
        return json.dumps({"tenant": "acme", "to": "ann@acme.example"} | more) + "\n"

    def test_each_line_is_a_reminder_with_its_number(self) -> None:
        rows = read(
            self.line(name="Ann") + "\n  \n" + self.line(name="Bob", pending=3, due_at=None)
        )
        assert good(rows) == [(1, "Ann"), (4, "Bob")]

    def test_a_byte_order_mark_windows_line_ends_and_a_missing_end_do_no_harm(self) -> None:
        text = (
            "\ufeff" + self.line(name="Ann").replace("\n", "\r\n") + self.line(name="Bob").rstrip()
        )
        assert good(read(text)) == [(1, "Ann"), (2, "Bob")]

    def test_an_empty_file_has_no_rows(self) -> None:
        assert read("") == []

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("{", "malformed_row"),
            ('{"tenant": "acme",}', "malformed_row"),
            ("tenant,to", "malformed_row"),
            ("'x'", "malformed_row"),
            ("[]", "malformed_row"),
            ("null", "malformed_row"),
            ('"x"', "malformed_row"),
            ("5", "malformed_row"),
            pytest.param("[" * 100_000, "malformed_row", id="deep list"),
            pytest.param('{"a":' * 100_000, "malformed_row", id="deep object"),
            pytest.param(
                '{"tenant": "acme", "pending": ' + "1" * 5000 + "}",
                "malformed_row",
                id="long number",
            ),
            ('{"tenant": "acme"} {"tenant": "acme"}', "malformed_row"),
            ("{}", "missing"),
            ('{"tenant": "acme"}', "missing"),
            ('{"tenant": "acme", "to": "ann@acme.example", "cc": "x"}', "unknown_field"),
            ('{"tenant": "acme", "to": ["ann@acme.example"]}', "string_type"),
            ('{"tenant": "acme", "to": "ann@acme.example", "pending": NaN}', "malformed_row"),
            (
                '{"tenant": "acme", "to": "ann@acme.example", "to": "bob@acme.example"}',
                "malformed_row",
            ),
            ('{"tenant": "acme", "to": "ann@acme.example", "pending": 1e999}', "malformed_row"),
            ('{"tenant": "acme", "to": "ann@acme.example", "due_at": 20261211}', "invalid_time"),
            ('{"tenant": "acme", "to": "ann@acme.example", "name": "\\ud83d"}', "invalid_encoding"),
            ('{"tenant": "acme", "to": "ann@acme.example", "\\ud83d": 1}', "invalid_encoding"),
        ],
    )
    def test_what_is_wrong_with_one_line_costs_no_other(self, line: str, code: str) -> None:
        rows = read(line + "\n" + self.line(name="Ann"))
        assert bad(rows) == [(1, code)]
        assert good(rows) == [(2, "Ann")]
        assert all(str(row.reminder).encode() for row in rows), "it can be printed"
        assert code != "malformed_row" or not foreign(str(rows[0].reminder))

    def test_bytes_that_are_not_utf_8_cost_their_own_line(self) -> None:
        raw = (
            b'{"tenant": "acme", "to": "ann@acme.example", "name": "J\xfcrg"}\n'
            + self.line(name="Ann").encode()
        )
        rows = read(raw)

        assert bad(rows) == [(1, "invalid_encoding")]
        assert good(rows) == [(2, "Ann")]

    @settings(deadline=None)
    @given(
        st.text(max_size=100)
        | st.binary(max_size=100).map(lambda raw: raw.decode("utf-8", "replace"))
    )
    def test_any_text_is_rows_or_rejections(self, text: str) -> None:
        for row in read(self.line() + text):
            assert row.line >= 1

    def test_one_object_over_several_lines_is_said_as_such(self) -> None:
        with pytest.raises(WrongUse) as raised:
            read('{\n  "tenant": "acme",\n  "to": "ann@acme.example"\n}\n')
        assert raised.value.code == "json_document"


class TestArray:
    def test_elements_know_the_line_where_they_begin(self) -> None:
        text = """[
            {"tenant": "acme", "to": "ann@acme.example", "name": "Ann"},
            {
              "tenant": "acme", "to": "bob@acme.example",
              "name": "[Bob], {and} so on"
            }, {"tenant": "acme", "to": "eve@acme.example", "name": "Eve"}
        ]"""
        assert good(array(text)) == [(2, "Ann"), (3, "[Bob], {and} so on"), (6, "Eve")]

    def test_what_is_wrong_with_one_element_costs_no_other(self) -> None:
        rows = array(
            '[1, {"tenant": "acme", "to": "ann@acme.example", "name": "Ann"},\n'
            '{"to": "x", "to": "y"}, []]'
        )
        assert (bad(rows), good(rows)) == (
            [(1, "malformed_row"), (2, "malformed_row"), (2, "malformed_row")],
            [(1, "Ann")],
        )

    def test_an_empty_one_has_no_rows(self) -> None:
        assert array(" [ ]\n") == []

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[", "line 1: no value"),
            ("[{}", "closing bracket is missing"),
            ("[{}\n{}]", "line 2: a comma"),
            ("[{},]", "no value"),
            ("[]\n[]", "something follows"),
            ("[" * 100_000, "too deep"),
            ("[{},\n{]", "line 2: no value"),
        ],
    )
    def test_nothing_is_taken_of_one_that_is_broken(self, text: str, sentence: str) -> None:
        with pytest.raises(WrongUse) as raised:
            array(text)
        assert sentence in raised.value.message
