"""The demo's reviewers, all round the world: what their mails say of time holds in every season."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from certmail_config.compose.content import content
from certmail_config.compose.letter import Letter
from certmail_config.jobs.reminder import Reminder, parse
from certmail_worker.demo.campaign import campaign_file

SEASON = re.compile(r"summer|daylight|verano|été|avancée|sommer|夏|letni", re.IGNORECASE)


def reviewers(now: datetime) -> list[Reminder]:
    rows = csv.DictReader(io.StringIO(campaign_file("acme", now)))
    good = [row for row in rows if re.fullmatch(r"[\w.+'-]+@[\w-]+\.[\w.-]+", row["to"], re.ASCII)]
    return [parse({name: value for name, value in row.items() if value}) for row in good]


def letter(reminder: Reminder, now: datetime) -> Letter:
    return Letter(
        job_id="01937e6c-5a00-7000-8000-0000000000aa",
        kind=reminder.kind,
        sender="reviews@acme.example",
        sender_name="ACME",
        reply_to=None,
        to=reminder.to,
        name=reminder.name,
        campaign_name=reminder.campaign_name,
        due_at=reminder.due_at,
        pending=reminder.pending,
        completed=reminder.completed,
        link=reminder.link,
        locale=reminder.locale,
        time_zone=reminder.time_zone,
        organisation="ACME",
        now=now,
    )


@pytest.mark.parametrize("month", [1, 4, 7, 10])
def test_they_read_the_hour_of_the_file_and_a_zone_without_a_season(month: int) -> None:
    now = datetime(2027, month, 15, 9, tzinfo=UTC)
    winter = {each.to: each.due_at for each in reviewers(datetime(2026, 12, 1, tzinfo=UTC))}
    seen = 0

    for reminder in reviewers(now):
        at, before = reminder.due_at, winter[reminder.to]
        if not isinstance(at, datetime) or not isinstance(before, datetime):
            continue

        zone = ZoneInfo(reminder.time_zone or "UTC")
        assert at.astimezone(zone).hour == before.astimezone(zone).hour, reminder.time_zone
        due = content(letter(reminder, now)).due
        assert due is not None
        assert due.zone is not None
        assert not SEASON.search(str(due.zone)), due.zone
        assert not re.search(r"\d", str(due.zone)), due.zone
        seen += 1

    assert seen > 50
