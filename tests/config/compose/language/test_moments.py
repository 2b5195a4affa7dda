from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from babel import Locale, localedata
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.compose.language.moments import LocalMoment, moment, time_zone

DUE = datetime(2026, 12, 11, 16, 0, tzinfo=UTC)


def told(due: date, now: datetime, zone: str | None, locale: str = "en_GB") -> LocalMoment:
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
        ("Asia/Kolkata", "de", "Freitag, 11. Dezember 2026|21:30|Indische Normalzeit"),
        ("Asia/Calcutta", "pl", "piątek, 11 grudnia 2026|21:30|czas indyjski standardowy"),
        ("Asia/Saigon", "en_GB", "Friday, 11 December 2026|23:00|Indochina Time"),
        ("Europe/Kiev", "fr", "vendredi 11 décembre 2026|18:00|heure d\u2019Europe de l\u2019Est"),
        ("Europe/Istanbul", "fr_CA", "vendredi 11 décembre 2026|19\u00a0h\u00a000|heure : Turquie"),
        (
            "Europe/London",
            "es_MX",
            "viernes, 11 de diciembre de 2026|4:00\u00a0p.m.|hora de Reino Unido",
        ),
        (
            "America/Argentina/Buenos_Aires",
            "es_AR",
            "viernes, 11 de diciembre de 2026|1:00\u00a0p.\u00a0m.|hora de Argentina",
        ),
        (
            "America/Phoenix",
            "en_US",
            "Friday, December 11, 2026|9:00\u00a0AM|Mountain Standard Time",
        ),
        ("Europe/London", "en_GB", "Friday, 11 December 2026|16:00|United Kingdom Time"),
        ("Pacific/Auckland", "en_NZ", "Saturday, 12 December 2026|5:00\u00a0am|New Zealand Time"),
        (
            "America/Toronto",
            "fr_CA",
            "vendredi 11 décembre 2026|11\u00a0h\u00a000|heure de l\u2019Est",
        ),
        ("Europe/Warsaw", "pl", "piątek, 11 grudnia 2026|17:00|czas środkowoeuropejski"),
        (
            "America/Mexico_City",
            "es_ES",
            "viernes, 11 de diciembre de 2026|10:00|hora estándar central",
        ),
        ("UTC", "en_GB", "Friday, 11 December 2026|16:00|Coordinated Universal Time"),
        ("Etc/GMT+5", "en_GB", "Friday, 11 December 2026|11:00|GMT-05:00"),
    ],
)
def test_a_moment_is_told_in_the_reviewers_zone_and_language(
    zone: str, locale: str, expected: str
) -> None:
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
def test_days_are_counted_on_the_reviewers_calendar(
    now: str, zone: str, days: int, passed: bool
) -> None:
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


class TestUntilADayEnds:
    """Midnight ends a day, whatever calendars make of it.

    "due 12 December, 12:00 AM" is read a day too late.
    """

    @pytest.mark.parametrize(
        ("due", "zone"),
        [
            ("2026-12-12T00:00+01:00", "Europe/Berlin"),
            ("2026-12-11T23:00Z", "Europe/Berlin"),
            # Nobody said where the reviewer is: where it was written, then.
            ("2026-12-12T00:00+01:00", None),
            ("2026-12-12T00:00Z", None),
            ("2026-12-12T08:00Z", "America/Los_Angeles"),
            ("2026-12-11T15:00Z", "Asia/Tokyo"),
        ],
    )
    def test_midnight_is_the_end_of_the_day_before(self, due: str, zone: str | None) -> None:
        end = datetime.fromisoformat(due)
        there = told(end, end - timedelta(hours=1), zone)
        assert (there.day, there.short_day, there.time) == (
            "Friday, 11 December 2026",
            "11 December",
            None,
        )
        assert (there.days_ahead, there.passed) == (0, False)
        assert told(end, end - timedelta(hours=30), zone).days_ahead == 1

        after = told(end, end, zone)
        assert (after.days_ahead, after.passed) == (-1, True)

    @pytest.mark.parametrize(
        ("due", "zone", "time"),
        [
            # True there, where "end of day" would be too late.
            ("2026-12-12T00:00Z", "America/Los_Angeles", "16:00"),
            ("2026-12-12T00:01+01:00", "Europe/Berlin", "00:01"),
            ("2026-12-12T00:00:01+01:00", "Europe/Berlin", "00:00"),
            ("2026-12-11T23:59+01:00", "Europe/Berlin", "23:59"),
        ],
    )
    def test_no_other_time_is(self, due: str, zone: str, time: str) -> None:
        assert told(datetime.fromisoformat(due), DUE, zone).time == time

    def test_a_day_that_begins_at_one_ends_the_day_before_as_well(self) -> None:
        # In Cairo the clock goes from 0:00 to 1:00 on 24 April 2026: an application that adds a day
        # gets 1:00.
        there = told(datetime(2026, 4, 23, 22, tzinfo=UTC), DUE, "Africa/Cairo")
        assert (there.day, there.time) == ("Thursday, 23 April 2026", None)

    @pytest.mark.parametrize(
        ("zone", "still", "over"),
        [
            ("America/Los_Angeles", "2026-12-12T07:59Z", "2026-12-12T08:00Z"),
            ("Asia/Tokyo", "2026-12-11T14:59Z", "2026-12-11T15:00Z"),
            (None, "2026-12-11T23:59Z", "2026-12-12T00:00Z"),
        ],
    )
    def test_a_date_ends_with_its_day_where_the_reviewer_is(
        self, zone: str | None, still: str, over: str
    ) -> None:
        before, after = (
            told(date(2026, 12, 11), datetime.fromisoformat(now), zone) for now in (still, over)
        )
        assert (before.day, before.time) == ("Friday, 11 December 2026", None)
        assert (before.days_ahead, before.passed) == (0, False)
        assert (after.days_ahead, after.passed) == (-1, True)
        assert bool(before.zone) == bool(zone), "a day of which nobody said where is a day"

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Africa/Cairo", None])
    @settings(deadline=None)
    @given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(946_684_800, 4_102_444_800))
    def test_a_day_that_has_not_passed_is_never_behind_us(
        self, zone: str | None, due: date, now: int
    ) -> None:
        there = told(due, datetime.fromtimestamp(now, UTC), zone)
        assert there.passed == (there.days_ahead < 0)


@pytest.mark.parametrize(
    ("zone", "locale", "first", "second", "names"),
    [
        ("America/New_York", "en_US", "2026-11-01T05:30Z", "2026-11-01T06:30Z", "Eastern Daylight Time|Eastern Standard Time"),
        ("Europe/Berlin", "de", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "Mitteleuropäische Sommerzeit|Mitteleuropäische Normalzeit"),
        ("Europe/London", "en_GB", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "British Summer Time|Greenwich Mean Time"),
        ("Europe/Dublin", "en_IE", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "Irish Standard Time|Greenwich Mean Time"),
        ("America/Santiago", "pl", "2026-04-05T02:30Z", "2026-04-05T03:30Z", "Chile, czas letni|Chile, czas standardowy"),
        ("Africa/Cairo", "ja", "2026-10-29T20:30Z", "2026-10-29T21:30Z", "東ヨーロッパ夏時間|東ヨーロッパ標準時"),
        ("Africa/Casablanca", "fr", "2026-02-15T01:30Z", "2026-02-15T02:30Z", "UTC+01:00|UTC+00:00"),
    ],
)  # fmt: skip
def test_the_hour_that_the_clock_shows_twice_is_told_apart(
    zone: str, locale: str, first: str, second: str, names: str
) -> None:
    one, other = (told(datetime.fromisoformat(due), DUE, zone, locale) for due in (first, second))
    assert one.time == other.time
    assert f"{one.zone}|{other.zone}" == names


def test_without_a_zone_a_time_is_told_as_it_was_written() -> None:
    there = told(datetime.fromisoformat("2026-12-11T17:00+01:00"), DUE, None)
    assert (there.time, there.zone) == ("17:00", "GMT+01:00")
    assert told(DUE, DUE, None).zone == "Coordinated Universal Time"


def test_the_offset_that_came_with_a_time_does_not_matter() -> None:
    same = DUE.astimezone(timezone(timedelta(hours=-8)))
    assert told(same, DUE, "Asia/Seoul") == told(DUE, DUE, "Asia/Seoul")


def test_what_is_remembered_of_a_moment_is_not_told_of_its_equal() -> None:
    # Equal moments, as Python compares them: written elsewhere, or the second of two hours alike.
    west = DUE.astimezone(timezone(timedelta(hours=-8)))
    assert [told(each, DUE, None).time for each in (DUE, west, DUE)] == ["16:00", "08:00", "16:00"]

    twice = datetime(2026, 10, 25, 2, 30, tzinfo=time_zone("Europe/Berlin"))
    names = [told(twice.replace(fold=fold), DUE, None, "de").zone for fold in (0, 1, 0)]
    assert names == [f"Mitteleuropäische {season}zeit" for season in ("Sommer", "Normal", "Sommer")]


def test_what_is_remembered_of_a_moment_knows_no_today() -> None:
    days = [DUE - timedelta(days=400), DUE - timedelta(days=3), DUE + timedelta(days=30)]
    there = [told(DUE, now, "Europe/Berlin") for now in days]
    assert [each.days_ahead for each in there] == [400, 3, -30]
    assert [each.passed for each in there] == [False, False, True]
    assert [each.short_day for each in there] == [
        "11 December 2026", "11 December", "11 December 2026",
    ]  # fmt: skip


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
def test_an_unknown_zone_is_none(name: str | None) -> None:
    assert time_zone(name) is None


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
    # In UTC, where nothing overflows yet, its zone has no half year ahead that would name it.
    for zone in ("Asia/Tokyo", "UTC", None):
        last = datetime.max.replace(tzinfo=UTC)
        assert moment(last, DUE, time_zone(zone), Locale("en")) is None


class TestEveryLocaleAndEveryZone:
    """Babel lacks something for many a pair of them; a reminder must never fail for that."""

    def test_every_locale_tells_a_moment_in_each_kind_of_zone(self) -> None:
        kinds = [
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "Asia/Calcutta",
            "Etc/GMT+5",
            "UTC",
            None,
        ]

        for locale in localedata.locale_identifiers():
            for zone in kinds:
                there = moment(DUE, DUE, time_zone(zone), Locale.parse(locale))
                assert there is not None
                assert all([there.day, there.short_day, there.time, there.zone]), (locale, zone)

    def test_every_zone_is_told_in_each_kind_of_locale(self) -> None:
        for zone in sorted(available_timezones()):
            for locale in ("en", "en_Shaw", "nnh", "zh_Latn_CN", "fr_CA", "pl"):
                assert told(DUE, DUE, zone, locale).zone, (locale, zone)
