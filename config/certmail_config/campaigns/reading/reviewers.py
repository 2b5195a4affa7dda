"""Reviewers from a CSV file or JSON lines: each row is a reviewer, or is said to be wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from certmail_config.base.errors import WrongUse
from certmail_config.base.json_text import NotJson, read_object
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.reviewer import Reviewer

FIELDS: Final = tuple(Reviewer.model_fields)
REQUIRED: Final = ("id", "to")
_DELIMITERS: Final = ",;\t"

_Places = dict[tuple[str | None, str | None], tuple[str, str] | None]
"""What is wrong with a country and subdivision, asked once for each pair."""


class BadRow(NamedTuple):
    """A row that is no reviewer: the line where it starts, what is wrong with which field."""

    row: int
    field: str | None
    code: str
    message: str


@dataclass(slots=True)
class Reviewers:
    """What a file holds; rows = reviewers + bad rows."""

    reviewers: list[Reviewer] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_reviewers(data: bytes, file: str, campaign: Campaign) -> Reviewers:
    """Read all rows; raises WrongUse for a file that as a whole is not what it should be."""
    text = _text(data, file)
    first = text.lstrip()[:1]
    if first == "[":
        raise WrongUse(
            "wrong_form", f"{file} is one JSON array.", "Write an object a line (JSONL), or CSV."
        )

    found = Reviewers()
    places: _Places = {}
    lines: dict[str, int] = {}
    for line, given in _json_lines(text) if first == "{" else _csv(text, file):
        row = given if isinstance(given, BadRow) else _reviewer(line, given)
        if isinstance(row, Reviewer):
            row = _fits(line, row, campaign, places, lines)

        if isinstance(row, Reviewer):
            lines[row.id] = line
            found.reviewers.append(row)
        else:
            found.bad.append(row)

    return found


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


def _reviewer(line: int, given: Mapping[str, Any]) -> Reviewer | BadRow:
    try:
        return Reviewer.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return BadRow(line, faults.place(first) or None, faults.code(first), faults.words(first))


def _fits(
    line: int,
    row: Reviewer,
    campaign: Campaign,
    places: _Places,
    lines: Mapping[str, int],
) -> Reviewer | BadRow:
    """What a row alone does not tell: whether it is there already, and fits the campaign."""
    if row.id in lines:
        message = f"line {lines[row.id]} has this id already; only that one is planned"
        return BadRow(line, "id", "doubled_reviewer", message)

    place = (row.country, row.subdivision)
    if place not in places:
        try:
            campaign.calendar.of(*place)
            places[place] = None
        except PydanticCustomError as error:
            places[place] = (error.type, error.message())
    wrong = places[place]
    return row if wrong is None else BadRow(line, "subdivision", *wrong)


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            yield line, {n: v for n, v in read_object(written.strip()).items() if v is not None}
        except NotJson as error:
            yield line, BadRow(line, None, "invalid_json", f"not one JSON object: {error.why}")


def _csv(text: str, file: str) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
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
                _check(columns, file)
            else:
                yield line, _row(line, columns, cells)
    except csv.Error as error:
        raise WrongUse(
            "invalid_csv",
            f"{file} cannot be read as CSV from line {before + 1} on: {error}.",
            "A quotation mark may be missing there, or be one too many.",
        ) from None

    if not columns:
        raise WrongUse("missing_column", f"{file} is empty.", f"Columns: {', '.join(FIELDS)}.")


def _row(line: int, columns: list[str], cells: list[str]) -> dict[str, Any] | BadRow:
    if len(cells) != len(columns):
        message = f"{len(cells)} columns, but the header names {len(columns)}"
        return BadRow(line, None, "wrong_columns", message)
    return {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}


def _check(columns: list[str], file: str) -> None:
    known = f"Columns: {', '.join(FIELDS)}."
    if missing := [name for name in REQUIRED if name not in columns]:
        message = f"{file} has no column {', '.join(missing)}; its columns are {json.dumps(columns[:20])}."
        raise WrongUse("missing_column", message, known)
    if unknown := [name for name in columns if name not in FIELDS]:
        message = f"{file} has columns that certmail does not know: {json.dumps(unknown[:20])}."
        raise WrongUse("unknown_column", message, known)
    if doubled := [name for name in FIELDS if columns.count(name) > 1]:
        raise WrongUse("doubled_column", f"{file} names a column twice: {', '.join(doubled)}.")
