"""Deliveries as a file: CSV for spreadsheets, JSON lines for programs; a line at a time. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from certmail_config.base.dates import rfc3339
from certmail_config.base.text.formulas import harmless
from certmail_config.sql.deliveries import SHOWN_COLUMNS, Row


class ExportForm(StrEnum):
    """The form of an export."""

    CSV = "csv"
    JSONL = "jsonl"

    @property
    def encoding(self) -> str:
        """Spreadsheets take a CSV file without a mark for another encoding; programs want none."""
        return "utf-8-sig" if self is ExportForm.CSV else "utf-8"


def heading(form: ExportForm) -> str:
    """What stands before the first delivery."""
    return _csv_line(SHOWN_COLUMNS) if form is ExportForm.CSV else ""


def lines(form: ExportForm, rows: Iterable[Row]) -> Iterator[str]:
    """Each delivery as its line of the file."""
    for row in rows:
        values = [_plain(row[name]) for name in SHOWN_COLUMNS]
        if form is ExportForm.CSV:
            yield _csv_line(harmless(value) for value in values)
        else:
            yield (
                json.dumps(dict(zip(SHOWN_COLUMNS, values, strict=True)), ensure_ascii=False) + "\n"
            )


def _csv_line(cells: Iterable[Any]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _plain(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value
