"""A campaign and a reviewer as SQL keeps them: what is the same is written the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.written import (
    campaign_fields,
    read_kept_campaign,
    read_kept_reviewer,
    write_campaign,
    write_reviewer,
)

WRITTEN: dict[str, Any] = {
    "tenant": "acme",
    "id": "2026-q4",
    "start": "2026-11-02T09:00:00+01:00",
    "due": "2026-12-11T17:00:00+01:00",
    "owner": "grc@acme.example",
    "link": "https://iga.acme.example/c/2026-q4?r={reviewer}",
    "calendar": {
        "country": "DE",
        "subdivision": "be",
        "days": ["wed", "mon"],
        "window": "09:00-17:30",
        "closed": ["2026-12-24", "2026-12-23"],
    },
    "rule": [
        {"id": "start", "on": "start"},
        {"id": "regular", "every": "3 working days", "at_most": 5},
        {"id": "before", "before_due": [7, 3, 1]},
        {"id": "boss", "escalate_after": 3, "to": "owner"},
    ],
}


def test_a_campaign_comes_back_as_it_was() -> None:
    campaign = Campaign.model_validate(WRITTEN)
    assert read_kept_campaign(write_campaign(campaign)) == campaign


@pytest.mark.parametrize("preset", ["gentle", "standard", "strict"])
def test_of_a_preset_only_its_name_is_kept(preset: str) -> None:
    given = {name: value for name, value in WRITTEN.items() if name != "rule"} | {"preset": preset}
    campaign = Campaign.model_validate(given)
    assert "rule" not in campaign_fields(campaign)
    assert read_kept_campaign(write_campaign(campaign)) == campaign


def test_the_order_in_which_it_is_written_makes_no_difference() -> None:
    turned = dict(reversed(WRITTEN.items()))
    turned["calendar"] = {**WRITTEN["calendar"], "days": ["mon", "wed"]}
    one, other = (Campaign.model_validate(each) for each in (WRITTEN, turned))
    assert write_campaign(one) == write_campaign(other)


def test_it_is_written_as_people_write_it_and_without_what_they_left_out() -> None:
    kept = json.loads(write_campaign(Campaign.model_validate(WRITTEN)))
    assert kept["calendar"]["window"] == "09:00-17:30"
    assert kept["calendar"]["days"] == ["mon", "wed"]
    assert kept["rule"][1] == {"id": "regular", "every": "3 working days", "at_most": 5}
    assert kept["start"] == "2026-11-02T09:00:00+01:00"
    assert "cap_per_week" not in kept


def test_a_reviewer_comes_back_as_they_were() -> None:
    reviewer = Reviewer.model_validate(
        {
            "id": "r7",
            "to": "ann@people.example",
            "name": "Ann Önal",
            "time_zone": "Asia/Tokyo",
            "country": "JP",
            "manager": "max@people.example",
            "deputy": "dee@people.example",
            "deputy_from": "2026-11-09",
            "deputy_until": "2026-11-20",
            "pending": 4,
            "completed": 1,
            "link": "https://iga.acme.example/r7",
        }
    )
    record = write_reviewer(reviewer)
    assert read_kept_reviewer(record, "r7", 4, 1) == reviewer
    assert not {"id", "pending", "completed"} & set(json.loads(record)), "those lie beside it"
