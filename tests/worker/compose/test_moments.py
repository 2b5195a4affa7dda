from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from babel import Locale, localedata

from certmail_worker.compose.moments import Moment, moment, time_zone

DUE = datetime(2026, 12, 11, 16, 0, tzinfo=UTC)


def told(due: datetime, now: datetime, zone: str, locale: str = "en_GB") -> Moment:
    there = moment(due, now, time_zone(zone), Locale.parse(locale))
    assert there is not None
    return there


@pytest.mark.parametrize(
    ("zone", "locale", "expected"),
    [
        ("Europe/Berlin", "en_GB", "Friday, 11 December 2026|17:00|Central European Time"),
        ("Europe/Berlin", "en_US", "Friday, December 11, 2026|5:00\u00a0PM|Central European Time"),
        ("America/New_York", "en_US", "Friday, December 11, 2026|11:00\u00a0AM|Eastern Time"),
        ("Asia/Tokyo", "ja", "2026年12月12日土曜日|1:00|日本時間"),
        ("Asia/Kolkata", "de", "Freitag, 11. Dezember 2026|21:30|Indien, Ortszeit"),
        ("Europe/London", "en_GB", "Friday, 11 December 2026|16:00|United Kingdom Time"),
        ("Pacific/Auckland", "en_NZ", "Saturday, 12 December 2026|5:00\u00a0am|New Zealand Time"),
        ("America/Toronto", "fr_CA", "vendredi 11 décembre 2026|11\u00a0h\u00a000|heure de l\u2019Est"),
        ("Europe/Warsaw", "pl", "piątek, 11 grudnia 2026|17:00|czas środkowoeuropejski"),
        ("America/Mexico_City", "es_ES", "viernes, 11 de diciembre de 2026|10:00|hora central"),
        ("UTC", "en_GB", "Friday, 11 December 2026|16:00|Coordinated Universal Time"),
        ("Etc/GMT+5", "en_GB", "Friday, 11 December 2026|11:00|GMT-05:00"),
    ],
)
def test_a_moment_is_told_in_the_reviewers_zone_and_language(zone: str, locale: str, expected: str) -> None:
    there = told(DUE, DUE, zone, locale)
    assert f"{there.day}|{there.time}|{there.zone}" == expected


@pytest.mark.parametrize(
    ("now", "zone", "days", "passed"),
    [
        ("2026-12-08T09:00Z", "Europe/Berlin", 3, False),
        ("2026-12-10T22:59Z", "Europe/Berlin", 1, False),  # 23:59 in Berlin
        ("2026-12-10T23:01Z", "Europe/Berlin", 0, False),  # past midnight in Berlin, not in UTC
        ("2026-12-11T15:59Z", "Europe/Berlin", 0, False),
        ("2026-12-11T16:00Z", "Europe/Berlin", 0, False),
        ("2026-12-11T16:01Z", "Europe/Berlin", 0, True),
        ("2026-12-11T23:01Z", "Europe/Berlin", -1, True),
        ("2026-12-11T14:00Z", "Asia/Tokyo", 1, False),  # 23:00 there; due at 1:00 tomorrow
        ("2026-12-11T14:00Z", "America/Los_Angeles", 0, False),
    ],
)
def test_days_are_counted_on_the_reviewers_calendar(now: str, zone: str, days: int, passed: bool) -> None:
    there = told(DUE, datetime.fromisoformat(now), zone)
    assert (there.days_ahead, there.passed) == (days, passed)


def test_summer_and_winter_time_move_the_clock_and_not_the_count_of_days() -> None:
    # Berlin leaves summer time on 25 October 2026: that day has 25 hours.
    evening = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)  # Saturday 23:30
    due = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # Sunday 23:30, 25 hours later
    there = told(due, evening, "Europe/Berlin")
    assert (there.time, there.days_ahead, there.zone) == ("23:30", 1, "Central European Time")
    assert told(due - timedelta(hours=25), evening, "Europe/Berlin").time == "23:30"
    # New York enters it on 14 March 2027: 2:30 does not exist.
    assert told(datetime(2027, 3, 14, 7, 30, tzinfo=UTC), due, "America/New_York").time == "03:30"


def test_the_offset_that_came_with_a_time_does_not_matter() -> None:
    same = DUE.astimezone(timezone(timedelta(hours=-8)))
    assert told(same, DUE, "Asia/Seoul") == told(DUE, DUE, "Asia/Seoul")


@pytest.mark.parametrize(
    "name",
    [
        "",
        None,
        "Mars/Olympus",
        "Europe",
        "../../etc/passwd",
        "/etc/localtime",
        "localtime",
        "a\0b",
        "x" * 9000,
        "é",
    ],
)
def test_an_unknown_zone_is_utc(name: str | None) -> None:
    assert time_zone(name) is UTC


def test_zones_have_names_that_people_know() -> None:
    for zone in (
        "Asia/Ho_Chi_Minh",
        "Africa/Lagos",
        "America/Coyhaique",
        "Asia/Kathmandu",
        "Antarctica/Troll",
        "GMT",
    ):
        name = told(DUE, DUE, zone).zone
        assert name
        assert "Unknown" not in name
        assert "(" not in name


def test_where_the_calendar_ends_there_is_no_moment() -> None:
    assert moment(datetime.max.replace(tzinfo=UTC), DUE, time_zone("Asia/Tokyo"), Locale("en")) is None


class TestEveryLocaleAndEveryZone:
    """Babel lacks something for many a pair of them; a reminder must never fail for that."""

    def test_every_locale_tells_a_moment_in_each_kind_of_zone(self) -> None:
        kinds = ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "Etc/GMT+5", "UTC", None]
        for locale in localedata.locale_identifiers():
            for zone in kinds:
                there = moment(DUE, DUE, time_zone(zone), Locale.parse(locale))
                assert there is not None
                assert all([there.day, there.short_day, there.time, there.zone]), (locale, zone)

    def test_every_zone_is_told_in_each_kind_of_locale(self) -> None:
        for zone in sorted(available_timezones()):
            for locale in ("en", "en_Shaw", "nnh", "zh_Latn_CN", "fr_CA", "pl"):
                assert told(DUE, DUE, zone, locale).zone, (locale, zone)

    @pytest.mark.parametrize("locale", ["en_Shaw", "rw", "gv"])
    def test_where_a_locale_has_no_name_for_a_zone_it_is_its_offset(self, locale: str) -> None:
        assert told(DUE, DUE, "Europe/Berlin", locale).zone.endswith("+01:00")
