"""Campaigns and reviewers for tests of what is kept of them."""

from __future__ import annotations

from typing import Any, Final

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer

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
