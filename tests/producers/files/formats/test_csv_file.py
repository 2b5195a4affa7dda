"""CSV: each record with the line where it starts, or with what is wrong with it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail.files.formats.cells import garbled, says_nothing
from certmail.files.formats.csv_file import MAX_FIELD_CHARACTERS, read_csv
from certmail.files.formats.encoding import Encoding
from certmail.files.formats.lines import read_lines
from certmail.files.row import Row, Terms
from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.base.text.formulas import as_meant
from certmail_config.jobs.reminder import Reminder, parse

HEAD = "tenant,to,name\n"


def read(content: str | bytes) -> list[Row]:
    """Read what is believed to be UTF-8."""
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return list(read_csv(read_lines([raw], Encoding()), Encoding(), Terms()).rows)


def good(rows: list[Row]) -> list[tuple[int, str | None]]:
    """Line and name of each row that can be taken."""
    return [(row.line, row.reminder.name) for row in rows if isinstance(row.reminder, Reminder)]


def bad(rows: list[Row]) -> list[tuple[int, str]]:
    """Line and code of each row that cannot."""
    return [
        (row.line, row.reminder.code) for row in rows if isinstance(row.reminder, ReminderRejected)
    ]


def refusal(content: str) -> WrongUse:
    """Why a file as a whole cannot be read; said before any row."""
    with pytest.raises(WrongUse) as raised:
        read(content)
    return raised.value


class TestCsv:
    def test_each_row_is_a_reminder_with_its_line_the_header_being_line_one(self) -> None:
        rows = read(HEAD + "acme,ann@acme.example,Ann\nacme,bob@acme.example,Bob\n")
        assert good(rows) == [(2, "Ann"), (3, "Bob")]
        assert [row.reminder.to for row in rows if isinstance(row.reminder, Reminder)] == [
            "ann@acme.example",
            "bob@acme.example",
        ]

    def test_every_field_of_a_reminder_is_a_column(self) -> None:
        values = {
            "tenant": "acme",
            "to": "ann@acme.example",
            "name": "Ann",
            "kind": "final",
            "campaign": "q4",
            "campaign_name": "Q4",
            "due_at": "2026-12-11T17:00:00+01:00",
            "pending": "3",
            "completed": "39",
            "link": "https://iga.acme.example/r",
            "locale": "de",
            "time_zone": "Europe/Zurich",
            "manager": "boss@acme.example",
            "send_at": "2026-12-01T08:00:00Z",
            "expires_at": "2026-12-12T00:00:00Z",
            "priority": "0",
            "connection": "emea",
            "key": "k",
            "uncertain": "hold",
            "reply_to": "grc@acme.example",
        }

        of_other_kinds = {"about", "times_reminded", "subject", "text"}
        lists = {"items", "campaigns"}
        assert values.keys() == Reminder.model_fields.keys() - of_other_kinds - lists

        (row,) = read(",".join(values) + "\n" + ",".join(values.values()) + "\n")
        assert isinstance(row.reminder, Reminder)
        assert (row.reminder.pending, row.reminder.kind, row.reminder.key) == (3, "final", "k")

    def test_a_field_may_span_lines_and_the_next_row_knows_its_line(self) -> None:
        rows = read(HEAD + 'acme,ann@acme.example,"Ann\nof\nSales"\nacme,bob@acme.example,Bob\n')
        assert good(rows) == [(2, "Ann\nof\nSales"), (5, "Bob")]

    def test_blank_lines_and_what_spreadsheets_leave_at_the_end_are_no_rows(self) -> None:
        rows = read(
            HEAD
            + "\nacme,ann@acme.example,Ann\n\n   \nacme,bob@acme.example,Bob\n,,\n , ,\n,,,,,,\n\n"
        )
        assert good(rows) == [(3, "Ann"), (6, "Bob")]
        assert not bad(rows)

    def test_an_empty_cell_is_a_field_that_was_not_given(self) -> None:
        (row,) = read("tenant,to,pending,due_at,locale\nacme,ann@acme.example,, ,\n")
        assert isinstance(row.reminder, Reminder)
        assert (row.reminder.pending, row.reminder.due_at, row.reminder.locale) == (
            None,
            None,
            None,
        )

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("delimiter", [",", ";"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_it_may_come_from_any_spreadsheet(self, mark: str, delimiter: str, end: str) -> None:
        lines = ["tenant,to,name", 'acme,ann@acme.example,"Ann"', "acme,bob@acme.example,Böb", ""]
        rows = read(mark + end.join(lines).replace(",", delimiter))
        assert good(rows) == [(2, "Ann"), (3, "Böb")]

    def test_a_comma_in_a_cell_is_no_matter_with_semicolons_and_the_other_way_round(self) -> None:
        assert good(read("tenant;to;name\nacme;ann@acme.example;Lee, Ann\n")) == [(2, "Lee, Ann")]
        assert good(read(HEAD + 'acme,ann@acme.example,"Lee; Ann"\n')) == [(2, "Lee; Ann")]

    def test_column_names_may_be_quoted_and_spaced_and_stand_in_any_order(self) -> None:
        assert good(read('\ufeff"to", name ,"tenant"\nann@acme.example,Ann,acme\n')) == [(2, "Ann")]

    def test_the_last_line_needs_no_end(self) -> None:
        assert good(read(HEAD + "acme,ann@acme.example,Ann")) == [(2, "Ann")]

    def test_a_header_alone_is_a_file_without_rows(self) -> None:
        assert read(HEAD) == []

    def test_what_is_wrong_with_one_row_costs_no_other(self) -> None:
        rows = read(
            HEAD
            + "acme,nobody,A\n"
            + "acme,ann@acme.example\n"
            + "acme,ann@acme.example,Ann,Lee\n"
            + 'acme,ann@acme.example,"Ann" Lee\n'
            + ",ann@acme.example,Ann\n"
            + "acme,ann@acme.example,Ann\n"
        )

        assert bad(rows) == [
            (2, "invalid_address"),
            (3, "wrong_columns"),
            (4, "wrong_columns"),
            (5, "malformed_row"),
            (6, "missing"),
        ]
        assert good(rows) == [(7, "Ann")]

    def test_a_wrong_number_of_columns_is_counted_out(self) -> None:
        (row,) = read(HEAD + "acme,ann@acme.example\n")
        assert isinstance(row.reminder, ReminderRejected)
        assert row.reminder.message == "2 columns, but the header names 3"

    def test_a_quote_that_is_never_closed_is_blamed_on_the_line_where_it_opens_with_its_reach(
        self,
    ) -> None:
        rows = read(
            HEAD
            + 'acme,ann@acme.example,Ann\nacme,bob@acme.example,"Bob\nacme,eve@acme.example,Eve\n'
        )

        assert good(rows) == [(2, "Ann"), (4, "Eve")], "it costs no row but its own"
        assert bad(rows) == [(3, "malformed_row")]
        assert isinstance(rows[1].reminder, ReminderRejected)
        assert "lines 3 to 4" in rows[1].reminder.message
        assert "closing quote" in rows[1].reminder.message

    def test_reading_goes_on_after_a_quote_that_was_closed_in_the_wrong_place(self) -> None:
        rows = read(
            HEAD
            + 'acme,ann@acme.example,"Ann\nacme,bob@acme.example,"Bob"\nacme,eve@acme.example,Eve\n'
        )
        assert bad(rows) == [(2, "malformed_row")]
        assert good(rows) == [(3, "Bob"), (4, "Eve")]

    def test_rows_that_a_forgotten_quote_would_swallow_are_rows(self) -> None:
        rows = read(
            HEAD
            + 'acme,ann@acme.example,"Ann\nacme,bob@acme.example,Bob\nacme,eve@acme.example,"\n'
        )
        assert bad(rows) == [(2, "malformed_row"), (4, "malformed_row")]
        assert good(rows) == [(3, "Bob")]

    def test_a_quote_inside_a_plain_cell_is_only_a_quote(self) -> None:
        assert good(read(HEAD + 'acme,ann@acme.example,Ann "Lee"\n')) == [(2, 'Ann "Lee"')]

    def test_a_nul_byte_costs_its_own_row(self) -> None:
        rows = read(HEAD + "acme,ann@acme.example,An\0n\nacme,bob@acme.example,Bob\n")
        assert (bad(rows), good(rows)) == ([(2, "malformed_row")], [(3, "Bob")])

    def test_bytes_that_are_not_utf_8_cost_their_own_row_and_name_the_column(self) -> None:
        rows = read(HEAD.encode() + b"acme,ann@acme.example,J\xfcrg\nacme,bob@acme.example,Bob\n")
        assert bad(rows) == [(2, "invalid_encoding")]
        assert isinstance(rows[0].reminder, ReminderRejected)
        assert rows[0].reminder.field == "name"
        assert good(rows) == [(3, "Bob")]

    def test_an_endless_cell_is_cut_off_without_costing_the_rest(self) -> None:
        rows = read(
            HEAD
            + f"acme,ann@acme.example,{'x' * (MAX_FIELD_CHARACTERS + 1)}\n"
            + "acme,bob@acme.example,Bob\n"
        )
        assert bad(rows) == [(2, "malformed_row")]
        assert good(rows) == [(3, "Bob")]

    @pytest.mark.parametrize(
        ("content", "code", "sentence"),
        [
            ("", "empty_file", "empty"),
            ("\n\n", "empty_file", "empty"),
            ("\ufeff", "empty_file", "empty"),
            ("  \n", "empty_file", "empty"),
            ("to,name\n", "missing_column", "no column tenant"),
            ("name\n", "missing_column", "no column tenant, to"),
            ("acme,ann@acme.example\n", "missing_column", "no column"),
            ("tenant,to,reviewer\n", "unknown_column", "'reviewer'"),
            ("tenant,to,na\udcffme\n", "unknown_column", "udcbf"),
            ("tenant,to,bcc,cc\n", "unknown_column", "'bcc', 'cc'"),
            ("tenant,to,To\n", "doubled_column", "twice: to"),
            ("tenant,to,name,name\n", "doubled_column", "twice"),
        ],
    )
    def test_a_file_that_as_a_whole_is_wrong_is_refused_before_any_row(
        self, content: str, code: str, sentence: str
    ) -> None:
        refused = refusal(content + "acme,ann@acme.example,x\n" * (code != "empty_file"))
        assert refused.code == code
        assert sentence in refused.message
        assert refused.message.encode(), "it can be printed"

        if code in {"missing_column", "unknown_column"}:
            assert "tenant, to, name, kind" in refused.remedy
            assert "nothing was enqueued" in refused.message.lower()

    @settings(deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["acme", "beta"]),
                st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20).filter(
                    lambda text: garbled(as_meant(text)) is None
                ),
            ),
            max_size=8,
        )
    )
    def test_whatever_the_csv_module_writes_is_read_back_row_by_row(
        self, values: list[tuple[str, str]]
    ) -> None:
        file = io.StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(["tenant", "to", "name"])

        lines = []
        for tenant, name in values:
            written = file.getvalue()
            lines.append(len(io.StringIO(written, newline="").readlines()) + 1)
            writer.writerow([tenant, "ann@acme.example", name])

        rows = read(file.getvalue())
        assert [row.line for row in rows] == lines
        assert [name for _, name in good(rows)] == [
            parse({"tenant": tenant, "to": "ann@acme.example", "name": as_meant(name)}).name
            if name.strip() and not says_nothing("name", as_meant(name))
            else None
            for tenant, name in values
        ]

    @settings(deadline=None)
    @given(st.text(max_size=200))
    def test_any_text_below_a_header_is_rows_or_rejections(self, text: str) -> None:
        for row in read(HEAD + text):
            assert row.line >= 2
            if isinstance(row.reminder, ReminderRejected):
                assert row.reminder.message
