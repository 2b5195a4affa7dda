"""Rows of a CSV file or of JSON lines: each with the line where it starts, or said to be wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final, NamedTuple

from certmail_config.base.errors import WrongUse
from certmail_config.base.json_text import NotJson, read_object

_DELIMITERS: Final = ",;\t"
ARCHIVE: Final = b"PK\x03\x04"
"""How a file of Excel begins, which is an archive."""
_NAMED: Final = 20
"""Columns that a message names."""


class BadRow(NamedTuple):
    """A row that cannot be taken: the line where it starts, what is wrong with which field."""

    row: int
    field: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file may have, and those that it must."""

    known: Sequence[str]
    required: Sequence[str]


def read_rows(
    data: bytes, file: str, columns: Columns
) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    """Each row's fields, without those that are empty; raises WrongUse.

    It is raised for a file that as a whole is not what it should be.
    """
    if data.startswith(ARCHIVE):
        raise WrongUse(
            "wrong_form", f"{file} is an Excel file, or another archive.", 'Save it as "CSV UTF-8".'
        )
    text = _text(data, file)
    first = text.lstrip()[:1]
    if first == "[":
        raise WrongUse(
            "wrong_form", f"{file} is one JSON array.", "Write an object a line (JSONL), or CSV."
        )
    return _json_lines(text) if first == "{" else _csv(text, file, columns)


def _text(data: bytes, file: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise WrongUse(
            "other_encoding", f"{file} is not UTF-8 (line {line}).", 'Save it as "CSV UTF-8".'
        ) from None
    if "\0" in text:
        raise WrongUse("wrong_form", f"{file} is no text.", "Write CSV, or an object a line.")
    return text


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            yield line, {n: v for n, v in read_object(written.strip()).items() if v is not None}
        except NotJson as error:
            yield line, BadRow(line, None, "invalid_json", f"not one JSON object: {error.why}")


def _csv(text: str, file: str, known: Columns) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)

    columns: list[str] = []
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = [cell.strip().lower() for cell in cells]
                _check(columns, file, known)
            else:
                yield line, _row(line, columns, cells)
    except csv.Error as error:
        raise WrongUse(
            "invalid_csv",
            f"{file} cannot be read as CSV from line {before + 1} on: {error}.",
            "A quotation mark may be missing there, or be one too many.",
        ) from None

    if not columns:
        raise WrongUse("missing_column", f"{file} is empty.", f"Columns: {', '.join(known.known)}.")


def _row(line: int, columns: list[str], cells: list[str]) -> dict[str, Any] | BadRow:
    if len(cells) != len(columns):
        message = f"{len(cells)} columns, but the header names {len(columns)}"
        return BadRow(line, None, "wrong_columns", message)
    return {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}


def _check(columns: list[str], file: str, known: Columns) -> None:
    remedy = f"Rename columns, or leave them out. certmail knows: {', '.join(known.known)}."
    if missing := [name for name in known.required if name not in columns]:
        message = f"{file} has no column {', '.join(missing)}; its columns are {_named(columns)}."
        raise WrongUse("missing_column", message, remedy)
    if unknown := [name for name in columns if name not in known.known]:
        message = f"{file} has columns that certmail does not know: {_named(unknown)}."
        raise WrongUse("unknown_column", message, remedy)
    if doubled := [name for name in known.known if columns.count(name) > 1]:
        raise WrongUse("doubled_column", f"{file} names a column twice: {', '.join(doubled)}.")


def _named(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _NAMED} more" if len(columns) > _NAMED else ""
    return ", ".join(map(repr, columns[:_NAMED])) + more
