"""Reading reminders from CSV or JSONL: each record with the line where it starts, or with what is wrong with it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from certmail_config.errors import ReminderRejected, WrongUse
from certmail_config.reminder import Reminder, parse

REQUIRED = ("tenant", "to")
MOST_FIELD_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file; `line` is where it starts, the header being line 1."""

    line: int
    reminder: Reminder | ReminderRejected


def read_rows(source: TextIO, form: Literal["csv", "jsonl"]) -> Iterator[Row]:
    """Read all records; raises WrongUse for a file that as a whole is not what it should be, before the first row."""
    return _csv(source) if form == "csv" else _jsonl(source)


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


def _csv(source: TextIO) -> Iterator[Row]:
    csv.field_size_limit(MOST_FIELD_CHARACTERS)
    lines = _Lines(source)
    head = next(lines, "").lstrip("\ufeff")
    if not head.strip():
        raise WrongUse("empty_file", "The file is empty: its first line must name the columns.")
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = ";" if head.count(";") > head.count(",") else ","
    columns = [name.strip() for name in next(csv.reader([head], delimiter=delimiter))]
    _check_columns(columns)
    return _csv_rows(lines, columns, delimiter)


def _csv_rows(lines: _Lines, columns: list[str], delimiter: str) -> Iterator[Row]:
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
            yield Row(start, ReminderRejected("malformed_row", message))
            continue
        if not any(value.strip() for value in values):
            continue  # a blank line is no record, nor are the bare delimiters that spreadsheets leave behind
        if len(values) != len(columns):
            message = f"{len(values)} columns, but the header names {len(columns)}"
            yield Row(start, ReminderRejected("wrong_columns", message))
            continue
        yield Row(
            start, _check({name: value for name, value in zip(columns, values, strict=True) if value.strip()})
        )


def _check_columns(columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in Reminder.model_fields]
    known = ", ".join(Reminder.model_fields)
    if missing:
        raise WrongUse(
            "missing_column",
            f"The file has no column {', '.join(missing)}; nothing was enqueued.",
            f"Columns: {known}.",
        )
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise WrongUse(
            "unknown_column",
            f"The file has columns that certmail does not know: {names}; nothing was enqueued.",
            f"Columns: {known}.",
        )
    if len(set(columns)) != len(columns):
        raise WrongUse("doubled_column", "The file names a column twice; nothing was enqueued.")


def _jsonl(source: TextIO) -> Iterator[Row]:
    for number, line in enumerate(source, 1):
        text = line.lstrip("\ufeff").strip()
        if not text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Row(number, ReminderRejected("malformed_row", f"not JSON: {error}"))
            continue
        if not isinstance(value, dict):
            yield Row(number, ReminderRejected("malformed_row", "each line must be one JSON object"))
            continue
        yield Row(number, _check(value))


def _check(value: dict[str, Any]) -> Reminder | ReminderRejected:
    for name, item in value.items():
        if isinstance(item, str) and any("\ud800" <= character <= "\udfff" for character in item):
            return ReminderRejected("invalid_encoding", "not valid UTF-8", field=name)
    try:
        return parse(value)
    except ReminderRejected as rejected:
        return rejected
