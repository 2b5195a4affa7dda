"""Calendars: what is certain of them, what is not, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from certmail_config.campaigns.calendar import (
    Calendar,
    Days,
    NoWorkingDay,
    estimated,
    holidays_version,
    why_off,
)


@pytest.mark.parametrize(
    ("given", "day", "why"),
    [
        ({}, "2026-11-07", "Saturday"),
        ({"country": "DE"}, "2026-12-25", "Christmas Day"),
        ({"country": "deu"}, "2026-12-25", "Christmas Day"),
        ({"closed": ["2026-11-05"]}, "2026-11-05", "closed"),
        ({"country": "AE"}, "2026-11-07", "Saturday"),
        ({}, "2026-12-25", None),
    ],
)
def test_why_a_day_is_no_working_day(given: dict[str, Any], day: str, why: str | None) -> None:
    assert why_off(Calendar.model_validate(given), date.fromisoformat(day)) == why


def test_what_is_an_estimate_is_marked() -> None:
    found = estimated(
        Calendar.model_validate({"country": "EG"}), date(2028, 1, 1), date(2028, 12, 31)
    )
    assert found
    assert all("(estimated)" in name for name in found.values())
    assert not estimated(Calendar(), date(2028, 1, 1), date(2028, 12, 31))


def test_countries_whose_holidays_have_no_english_names_have_holidays() -> None:
    assert why_off(Calendar.model_validate({"country": "IN"}), date(2027, 1, 26)) is not None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"country": "XX"}, "unknown_country"),
        ({"country": "DE", "subdivision": "XX"}, "unknown_subdivision"),
        ({"subdivision": "BE"}, "subdivision_without_country"),
        ({"days": []}, "too_short"),
        ({"days": ["monday"]}, "literal_error"),
        ({"closed": ["2026-02-30"]}, "invalid_day"),
        ({"closed": [20261224]}, "invalid_day"),
        ({"windows": "09:00-17:00"}, "extra_forbidden"),
    ],
)
def test_what_is_none_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Calendar.model_validate(given)
    assert caught.value.errors()[0]["type"] == code


def test_a_reviewers_part_must_be_one_of_their_country() -> None:
    calendar = Calendar.model_validate({"country": "DE", "subdivision": "BE"})
    assert calendar.of(None, None) is calendar
    assert calendar.of(None, "BY").subdivision == "BY"
    assert calendar.of("FR", None).subdivision is None
    with pytest.raises(PydanticCustomError, match="not a part of FR"):
        calendar.of("FR", "BY")
    with pytest.raises(PydanticCustomError, match="needs its country"):
        Calendar().of(None, "BY")


def test_a_calendar_without_any_working_day_is_said_to_be_so() -> None:
    closed = frozenset(date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(2000))
    with pytest.raises(NoWorkingDay):
        Days(Calendar(closed=closed), "UTC").on_or_after(date(2026, 11, 2))


def test_the_version_is_that_of_the_package() -> None:
    assert holidays_version().startswith("0.")
