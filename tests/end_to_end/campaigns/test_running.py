"""A campaign as people run one: two files, a worker, and mail in a mailbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.deployment.deployment import QUICK, Deployment, new_deployment, wait_for

CAMPAIGN = """
tenant = "acme"
id = "2026-q4"
name = "Quarterly access review"
start = {start}
due = {due}
link = "https://iga.acme.example/c/2026-q4?r={{reviewer}}"
time_zone = "UTC"

[calendar]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
window = "00:00-24:00"

[[rule]]
id = "start"
on = "start"
[[rule]]
id = "regular"
every = "2 days"
at_most = 3
"""
REVIEWERS = """id,to,name,pending
r1,anna@people.example,Anna,4
r2,ben@people.example,Ben,2
r3,cleo@people.example,Cleo,0
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with new_deployment(tmp_path, **QUICK) as made:
        yield made


def told(deployment: Deployment) -> set[str]:
    return {each["to"] for each in deployment.messages()}


def test_who_has_something_left_is_reminded_and_who_is_done_is_not(
    deployment: Deployment, tmp_path: Path
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    campaign, reviewers = tmp_path / "campaign.toml", tmp_path / "reviewers.csv"
    due = now + timedelta(days=20)
    campaign.write_text(CAMPAIGN.format(start=now.isoformat(), due=due.isoformat()))
    reviewers.write_text(REVIEWERS)

    deployment.link()
    deployment.worker()
    ran = deployment.run("campaign", "run", str(campaign), "--reviewers", str(reviewers))
    assert ran.status == 0, ran
    wait_for(
        "two mails",
        lambda: told(deployment) == {"anna@people.example", "ben@people.example"},
        120,
    )

    # Whoever is done meanwhile hears nothing of what is asked for now.
    news = tmp_path / "news.csv"
    news.write_text("reviewer,pending\nr1,0\n")
    assert deployment.run("campaign", "progress", "acme/2026-q4", str(news)).status == 0
    assert deployment.run("campaign", "remind", "acme/2026-q4", "--all").status == 0
    wait_for("one more", lambda: len(deployment.messages()) == 3, 120)
    assert [each["to"] for each in deployment.messages()].count("ben@people.example") == 2

    assert deployment.run("campaign", "stop", "acme/2026-q4").status == 0
    wait_for(
        "what waits to be withdrawn",
        lambda: set(deployment.recorded().values()) == {"accepted", "suppressed"},
        120,
    )
    findings = json.loads(deployment.run("doctor", "--json").out)["findings"]
    assert not [each for each in findings if each["check"].startswith("campaign")]
