"""News of progress from a CSV file or JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.reading.rows import BadRow, Columns, read_rows
from certmail_config.campaigns.running.progress import ProgressNews

FIELDS: Final = tuple(ProgressNews.model_fields)
REQUIRED: Final = ("reviewer", "pending")


@dataclass(slots=True)
class NewsRead:
    """What a file holds, each with its line; rows = news + bad rows."""

    news: list[tuple[int, ProgressNews]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_news(data: bytes, file: str, now: datetime) -> NewsRead:
    """Read all rows; those without time and sequence are news of now. Raises WrongUse."""
    found = NewsRead()
    for line, given in read_rows(data, file, Columns(FIELDS, REQUIRED)):
        row = given if isinstance(given, BadRow) else _news(line, given, now)
        if isinstance(row, BadRow):
            found.bad.append(row)
        else:
            found.news.append((line, row))
    return found


def _news(line: int, given: Mapping[str, Any], now: datetime) -> ProgressNews | BadRow:
    placed = given if {"at", "sequence"} & given.keys() else {**given, "at": now}
    try:
        return ProgressNews.model_validate(placed)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return BadRow(line, faults.place(first) or None, faults.code(first), faults.words(first))
