"""The campaign file of the demo, with due dates that lie ahead."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from importlib.resources import files

DAYS_AHEAD = 9


def campaign_file(now: datetime) -> str:
    """The CSV, its due dates moved to some days from now at the hours that they name."""
    text = files("certmail_sandbox").joinpath("data/reviewers.csv").read_text("utf-8")
    reader = csv.DictReader(io.StringIO(text))
    assert reader.fieldnames is not None, "the file has a header"
    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames, lineterminator="\n")
    writer.writeheader()
    for row in reader:
        writer.writerow({**row, "due_at": _ahead(row["due_at"], now)})
    return out.getvalue()


def _ahead(due_at: str, now: datetime) -> str:
    if not due_at:
        return due_at
    day = now.date() + timedelta(days=DAYS_AHEAD)
    return datetime.fromisoformat(due_at).replace(year=day.year, month=day.month, day=day.day).isoformat()
