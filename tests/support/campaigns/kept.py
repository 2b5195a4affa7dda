"""Campaigns and reviewers for tests of what is kept of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.sql.campaigns import campaigns
from certmail_config.sql.campaigns.planning import note_failed

WRITTEN: Final[dict[str, Any]] = {
    "tenant": "acme",
    "id": "2026-q4",
    "name": "Quarterly access review",
    "start": "2026-11-02T09:00:00+01:00",
    "due": "2026-12-11T17:00:00+01:00",
    "link": "https://iga.acme.example/c/2026-q4?r={reviewer}",
    "time_zone": "Europe/Berlin",
    "rule": [
        {"id": "start", "on": "start"},
        {"id": "regular", "every": "3 working days", "at_most": 5},
    ],
}


def a_campaign(**changes: Any) -> Campaign:
    """A campaign of acme's."""
    return Campaign.model_validate(WRITTEN | changes)


def a_reviewer(id_: str, **fields: Any) -> Reviewer:
    """A reviewer whose address follows from the id."""
    return Reviewer.model_validate({"id": id_, "to": f"{id_}@people.example", **fields})


def unplanned(engine: Engine) -> None:
    """Keep one of acme's that could not be planned."""
    now = datetime(2026, 11, 2, 8, tzinfo=UTC)
    with engine.begin() as db:
        campaigns.add_campaign(db, a_campaign(), now)
        [kept] = campaigns.list_campaigns(db, frozenset({"acme"}))
        note_failed(db, kept, "unknown_connection: it is gone", now + timedelta(seconds=30))
