"""Reading reminders from CSV or JSONL: each record with the line where it starts, or with what is wrong with it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal

from certmail_config.errors import ReminderRejected, WrongUse
from certmail_config.json_text import NotJson, read_object
from certmail_config.reminder import Reminder, parse

REQUIRED = ("tenant", "to")
MOST_FIELD_CHARACTERS = 1_000_000
REASON = "rejected_because"
"""A column that is passed over: rows that were rejected come back with it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file, as `given`; `line` is where it starts, the header being line 1."""

    line: int
    reminder: Reminder | ReminderRejected
    given: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file's columns are named, where that is not as the fields are; '' leaves a column out. `fixed`: on every row."""

    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, column: str) -> str | None:
        """The field that a column holds; None where it is left out."""
        named = self.names.get(column)
        return None if column == REASON or named == "" else named or column

    def fields(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A record by fields; what it says itself is not overwritten."""
        named = {
            name: value for column, value in given.items() if (name := self.field_of(column)) is not None
        }
        return {**self.fixed, **named}


AS_IT_IS = Layout()


def read_rows(
    source: Iterable[str], form: Literal["csv", "jsonl"], layout: Layout = AS_IT_IS
) -> Iterator[Row]:
    """Read all records; raises WrongUse for a file that as a whole is not what it should be, before the first row."""
    unknown = [
        name for name in (*layout.names.values(), *layout.fixed) if name and name not in Reminder.model_fields
    ]
    if unknown:
        message = f"certmail knows no field {', '.join(map(repr, unknown))}; nothing was enqueued."
        raise WrongUse("unknown_field", message, f"Fields: {', '.join(Reminder.model_fields)}.")
    return _csv(source, layout) if form == "csv" else _jsonl(source, layout)


def sniff(name: str, first: str) -> Literal["csv", "jsonl"]:
    """Tell the form from the file's name, or from its first line."""
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return "jsonl"
    return "jsonl" if not name.endswith(".csv") and first.lstrip("\ufeff \t").startswith("{") else "csv"


class _Lines:
    """Counts the physical lines that the CSV reader takes, since a record may span several."""

    def __init__(self, source: Iterable[str]) -> None:
        self._source = iter(source)
        self.taken = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.taken += 1
        return line.replace("\x00", "\ufffd")


def _csv(source: Iterable[str], layout: Layout) -> Iterator[Row]:
    csv.field_size_limit(MOST_FIELD_CHARACTERS)
    lines = _Lines(source)
    head = next(lines, "").lstrip("\ufeff")
    if not head.strip():
        raise WrongUse("empty_file", "The file is empty: its first line must name the columns.")
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = ";" if head.count(";") > head.count(",") else ","
    columns = [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]
    _check_columns(columns, layout)
    return _csv_rows(lines, columns, delimiter, layout)


def _csv_rows(lines: _Lines, columns: list[str], delimiter: str, layout: Layout) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.taken + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"not proper CSV: {error}"
            if lines.taken > start:
                message += (
                    f"; lines {start} to {lines.taken} were taken for one record: is a closing quote missing?"
                )
            yield Row(start, ReminderRejected("malformed_row", message), dict.fromkeys(columns, ""))
            continue
        if not any(value.strip() for value in values):
            continue  # a blank line is no record, nor are the bare delimiters that spreadsheets leave behind
        if len(values) != len(columns):
            message = f"{len(values)} columns, but the header names {len(columns)}"
            padded = dict(zip_longest(columns, values[: len(columns)], fillvalue=""))
            yield Row(start, ReminderRejected("wrong_columns", message), padded)
            continue
        given = dict(zip(columns, values, strict=True))
        filled = {name: value for name, value in given.items() if value.strip()}
        yield Row(start, _check(layout.fields(filled)), given)


def _check_columns(columns: Sequence[str], layout: Layout) -> None:
    fields = [name for column in columns if (name := layout.field_of(column)) is not None]
    missing = [name for name in REQUIRED if name not in fields and name not in layout.fixed]
    absent = [column for column in layout.names if column not in columns]
    unknown = [
        column
        for column in columns
        if (name := layout.field_of(column)) is not None and name not in Reminder.model_fields
    ]
    known = ", ".join(Reminder.model_fields)
    if absent:
        raise WrongUse(
            "missing_column",
            f"The file has no column {', '.join(map(repr, absent))}, which --map names; nothing was enqueued.",
            f"Its columns: {', '.join(columns)}.",
        )
    if missing:
        raise WrongUse(
            "missing_column",
            f"The file has no column {', '.join(missing)}; nothing was enqueued.",
            f"Columns: {known}. Others are named with --map COLUMN=FIELD, and what all rows share with --set FIELD=VALUE.",
        )
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise WrongUse(
            "unknown_column",
            f"The file has columns that certmail does not know: {names}; nothing was enqueued.",
            f"Columns: {known}. --map COLUMN=FIELD says what one is, --map COLUMN= leaves it out.",
        )
    if len(set(columns)) != len(columns) or len(set(fields)) != len(fields):
        raise WrongUse("doubled_column", "The file names a column twice; nothing was enqueued.")


def _jsonl(source: Iterable[str], layout: Layout) -> Iterator[Row]:
    for number, line in enumerate(source, 1):
        text = line.lstrip("\ufeff").strip()
        if not text:
            continue
        try:
            value = read_object(text)
        except NotJson as error:
            yield Row(number, ReminderRejected("malformed_row", f"not one JSON object: {error.why}"))
            continue
        yield Row(number, _check(layout.fields(value)), value)


def _check(value: dict[str, Any]) -> Reminder | ReminderRejected:
    for name, item in value.items():
        if isinstance(item, str) and any("\ud800" <= character <= "\udfff" for character in item):
            return ReminderRejected("invalid_encoding", "not valid UTF-8", field=name)
    try:
        return parse(value)
    except ReminderRejected as rejected:
        return rejected
