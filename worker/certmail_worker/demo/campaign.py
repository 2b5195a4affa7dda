"""The campaign files of the demo: 60 reviewers for each tenant, with due dates that lie ahead."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

DAYS_AHEAD = 9
WRITTEN_FOR = "acme"


def campaign_file(tenant: str, now: datetime) -> str:
    """The packaged reviewers as this tenant's campaign file, in CSV.

    They are due some days from now, at the hours that the package names.
    """
    text = files("certmail_sandbox").joinpath("data/reviewers.csv").read_text("utf-8")
    reader = csv.DictReader(io.StringIO(text.replace(WRITTEN_FOR, tenant)))
    assert reader.fieldnames is not None, "the file has a header"

    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames, lineterminator="\n")
    writer.writeheader()
    for row in reader:
        writer.writerow({**row, "due_at": _ahead(row["due_at"], row["time_zone"], now)})

    return out.getvalue()


def _ahead(due_at: str, zone: str, now: datetime) -> str:
    if not due_at:
        return due_at
    day = now.date() + timedelta(days=DAYS_AHEAD)
    written = datetime.fromisoformat(due_at).replace(year=day.year, month=day.month, day=day.day)
    # The file's offsets are December's.
    return (written.replace(tzinfo=ZoneInfo(zone)) if zone else written).isoformat()
