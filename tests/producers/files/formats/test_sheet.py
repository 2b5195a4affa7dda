"""Excel workbooks: what their cells mean, and rejected rows as they were."""

# ruff: noqa: DTZ001 - a cell of a spreadsheet has no zone

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from certmail.files.columns import Layout
from certmail.files.dates import DateDefaults
from certmail.files.formats import sheet
from certmail.files.row import Row, Terms
from certmail.files.source import Source, open_source
from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.jobs.reminder import Reminder

ZURICH = Terms(dates=DateDefaults("Europe/Zurich"))


def workbook(
    path: Path, rows: Sequence[Sequence[Any]], *others: str, formats: dict[str, str] | None = None
) -> Path:
    """A workbook as Excel would save it."""
    book = Workbook()
    made: Any = book.active
    made.title = "People"

    for row in rows:
        made.append(row)
    for place, form in (formats or {}).items():
        made[place].number_format = form
    for other in others:
        book.create_sheet(other)

    book.save(path)
    return path


def read(path: Path, terms: Terms = ZURICH, sheet: str | None = None) -> list[Row]:
    with open_source(str(path), terms, sheet=sheet) as source:
        return list(source)


def reminders(rows: Sequence[Row]) -> list[Reminder]:
    found = [row.reminder for row in rows]
    assert not [each for each in found if isinstance(each, ReminderRejected)], found
    return [each for each in found if isinstance(each, Reminder)]


class TestValues:
    def test_cells_are_what_they_mean(self, tmp_path: Path) -> None:
        day, evening = date(2099, 12, 31), datetime(2099, 12, 31, 17)
        morning = datetime(2026, 12, 1, 8, 30)
        rows: list[list[Any]] = [
            ["Tenant", "To", "Name", "Campaign", "Key", "Pending", "Due at", "Send at"],
            ["acme", "a@acme.example", "Jürg", 2026, 42, 3, day, morning],
            ["acme", "b@acme.example", "山田", "q4", 4200000000, 0, evening, None],
        ]
        formats = {"E2": "00000", "F2": "#,##0", "G3": "dd.mm.yyyy hh:mm"}
        first, second = reminders(read(workbook(tmp_path / "a.xlsx", rows, formats=formats)))

        assert (first.name, first.campaign, first.key, first.pending) == (
            "Jürg",
            "2026",
            "00042",
            3,
        )
        assert first.due_at == date(2099, 12, 31)
        assert str(first.send_at) == "2026-12-01 08:30:00+01:00"
        assert (second.name, second.key, second.pending) == ("山田", "4200000000", 0)
        assert str(second.due_at) == "2099-12-31 17:00:00+01:00"

    @pytest.mark.parametrize(
        ("value", "form", "text"),
        [
            (3.0, "General", "3"),
            (0.5, "0", "0.5"),
            (-7, "0", "-7"),
            (True, "General", "TRUE"),
            (1e300, "General", "1e+300"),
            (datetime(2026, 12, 1, 0, 0), "dd.mm.yyyy", "2026-12-01"),
            (datetime(2026, 12, 1, 0, 0), "yyyy-mm-dd hh:mm", "2026-12-01 00:00:00"),
            (datetime(2026, 12, 1, 16, 59, 59, 999_999), "h:mm", "2026-12-01 17:00:00"),
            (datetime(2026, 12, 1), 'd" his"', "2026-12-01"),
            (time(17, 0), "h:mm", "17:00:00"),
        ],
    )
    def test_numbers_and_dates_as_text(self, value: Any, form: str, text: str) -> None:
        assert sheet._text(value, form) == text

    def test_a_title_blank_rows_and_columns_without_a_name_are_passed_over(
        self, tmp_path: Path
    ) -> None:
        rows: list[list[Any]] = [
            ["Access review"],
            [],
            ["tenant", "to", None, "name"],
            [],
            ["acme", "a@acme.example", None, "Ann"],
        ]

        with open_source(str(workbook(tmp_path / "a.xlsx", rows)), Terms()) as source:
            [row] = list(source)
        assert row.line == 5
        assert source.notes == ["Passed over above the header: 1 rows."]

    def test_errors_are_no_names(self, tmp_path: Path) -> None:
        rows = [
            ["tenant", "to", "name"],
            ["acme", "a@acme.example", "#N/A"],
            ["acme", "#REF!", "Bob"],
        ]
        first, second = read(workbook(tmp_path / "a.xlsx", rows))

        assert isinstance(first.reminder, Reminder)
        assert first.reminder.name is None
        assert isinstance(second.reminder, ReminderRejected)
        assert (second.reminder.field, second.reminder.code) == ("to", "spreadsheet_error")

    def test_a_formula_that_was_never_calculated_is_not_taken_for_an_empty_cell(
        self, tmp_path: Path
    ) -> None:
        rows: list[list[Any]] = [
            ["tenant", "to", "name"],
            ["acme", "a@acme.example", '="An"&"n"'],
            ["acme", "b@acme.example", "Bob"],
        ]
        first, second = read(workbook(tmp_path / "a.xlsx", rows))

        assert isinstance(first.reminder, ReminderRejected)
        assert first.reminder.code == "not_calculated"
        assert isinstance(second.reminder, Reminder)


class TestSheets:
    def test_the_first_that_is_shown_is_read_or_the_one_that_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        book = Workbook()
        hidden: Any = book.active
        hidden.title, hidden.sheet_state = "Lists", "hidden"

        for title, name in [("Q3", "Ann"), ("Q4", "Bob")]:
            made = book.create_sheet(title)
            made.append(["tenant", "to", "name"])
            made.append(["acme", "a@acme.example", name])

        book.save(path)
        assert [each.name for each in reminders(read(path))] == ["Ann"]
        assert [each.name for each in reminders(read(path, sheet="Q4"))] == ["Bob"]

        with open_source(str(path), Terms()) as source:
            assert "'Q3'" in source.notes[0]
        with pytest.raises(WrongUse, match="no sheet 'Q5'") as raised:
            read(path, sheet="Q5")
        assert "Lists, Q3, Q4" in raised.value.remedy

    def test_one_without_a_header_is_refused_before_any_row(self, tmp_path: Path) -> None:
        for rows, code in [([], "empty_file"), ([["name"], ["Ann"]], "missing_column")]:
            with pytest.raises(WrongUse) as raised:
                read(workbook(tmp_path / "a.xlsx", rows))
            assert raised.value.code == code

    def test_a_damaged_one_and_one_that_unpacks_without_end_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = workbook(
            tmp_path / "a.xlsx",
            [["tenant", "to"], *(["acme", f"r{n}@acme.example"] for n in range(500))],
        )
        damaged = tmp_path / "b.xlsx"
        with zipfile.ZipFile(path) as good, zipfile.ZipFile(damaged, "w") as bad:
            for name in good.namelist():
                content = good.read(name)
                bad.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)

        for file, bound, code in [(damaged, 10**9, "unreadable_file"), (path, 1000, "too_large")]:
            monkeypatch.setattr(sheet, "MAX_SHEET_BYTES", bound)
            with pytest.raises(WrongUse) as raised:
                read(file)
            assert raised.value.code == code


class TestRejected:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[Source]:
        rows: list[list[Any]] = [
            ["tenant", "to", "name", "due_at", "pending"],
            ["acme", "nobody", "=1+1", datetime(2099, 12, 31, 17), 3],
            ["acme", "a@acme.example", "Ann", None, "many"],
        ]
        path = workbook(tmp_path / "a.xlsx", rows)
        book = load_workbook(path)
        book["People"]["C2"].data_type = "s"  # a text that only looks like a formula
        book.save(path)

        with open_source(str(path), ZURICH) as source:
            yield source

    def corrected(self, source: Source, path: Path) -> tuple[list[Row], list[Row]]:
        target = io.BytesIO()
        writer = source.writer(target, path.name)
        rows = list(source)
        for row in rows:
            writer.add(row, f"line {row.line}: wrong")
        writer.close()
        path.write_bytes(target.getvalue())
        return rows, read(path)

    def test_a_workbook_again_with_values_as_they_were(
        self, source: Source, tmp_path: Path
    ) -> None:
        before, after = self.corrected(source, tmp_path / "b.xlsx")
        assert [[cell.value for cell in row.kept[1:]] for row in after] == [
            [cell.value for cell in row.kept] for row in before
        ]
        assert [str(row.reminder) for row in after] == [str(row.reminder) for row in before]
        assert load_workbook(tmp_path / "b.xlsx")["rejected"]["D2"].data_type == "s", (
            "nothing in it calculates"
        )

    def test_or_csv_that_spreadsheets_open_and_do_not_calculate(
        self, source: Source, tmp_path: Path
    ) -> None:
        before, after = self.corrected(source, tmp_path / "b.csv")
        raw = (tmp_path / "b.csv").read_bytes()
        assert raw.startswith(b"\xef\xbb\xbfrejected_because,tenant,to,")
        assert b",'=1+1,2099-12-31 17:00:00,3" in raw
        assert [str(row.reminder) for row in after] == [str(row.reminder) for row in before]

    def test_what_was_rejected_twice_has_one_reason(self, source: Source, tmp_path: Path) -> None:
        path = tmp_path / "b.xlsx"
        self.corrected(source, path)
        with open_source(str(path), ZURICH) as again:
            self.corrected(again, tmp_path / "c.xlsx")

        for row in load_workbook(tmp_path / "c.xlsx")["rejected"].iter_rows(
            max_row=1, values_only=True
        ):
            assert row == ("rejected_because", "tenant", "to", "name", "due_at", "pending")


def test_columns_are_named_and_fixed_as_in_csv(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["E-Mail", "Shoe size"], ["a@acme.example", 41]])
    [one] = reminders(
        read(path, Terms(Layout({"e-mail": "to", "Shoe size": ""}, {"tenant": "acme"})))
    )
    assert one.to == "a@acme.example"
