"""A year of campaigns, in short: played against the sandbox it goes as another hand has planned it.

`make year` plays it with 200 companies.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from certmail_config.jobs.states import State
from year.picture import draw
from year.report import report, wrong
from year.run import YearPlan, YearPlayed, play_year

YEAR = 2035


@pytest.fixture(scope="module")
def played() -> YearPlayed:
    """Two companies, one of them with a linked account."""
    return play_year(YearPlan(YEAR, tenants=2, reviewers=20), lambda _: None)


def test_all_of_it_goes_as_planned(played: YearPlayed) -> None:
    assert wrong(played) == []
    whole = played.whole
    assert whole.plan == whole.jobs[State.ACCEPTED] == whole.mails.total() == played.answers[200]
    assert whole.plan > 2 * 4 * 20
    assert whole.jobs[State.SUPPRESSED] > 0
    assert set(played.answers) == {200}


def test_what_is_wrong_is_said_and_counts(played: YearPlayed) -> None:
    whole = report(played)
    assert whole.endswith("As planned.")

    ill = YearPlayed(
        dict(played.by_quarter), ["t000/2035-q1: start 1 of r1 went before its moment"]
    )
    ill.answers = played.answers + type(played.answers)({429: 1})
    assert len(wrong(ill)) == 2
    assert "WRONG: Gmail answered 429 1 times" in report(ill)


def test_its_picture_shows_each_day_of_the_year(played: YearPlayed) -> None:
    picture = ET.fromstring(draw(played, YEAR))
    titles = [each.text or "" for each in picture.iter("{http://www.w3.org/2000/svg}title")]
    days = [each for each in titles if each.startswith(f"{YEAR}-")]
    assert len(days) == 365
    assert sum(int(each.partition(": ")[2].replace(",", "")) for each in days) == (
        played.whole.mails.total()
    )
