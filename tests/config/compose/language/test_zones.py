"""Zones are named as CLDR names them, in every language and region.

Never with a season that does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel import Locale, localedata
from babel.core import get_global
from babel.dates import get_timezone_gmt

from certmail_config.compose.language.catalogue import languages
from certmail_config.compose.language.zones import zone_name

JANUARY, JULY = (datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 7))
ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
OF_NO_PLACE = re.compile(r"Etc/GMT[+-]\d+")
"""Zones that are an offset and nothing else: CLDR names them nowhere."""
SUMMER = {
    "de": r"Sommerzeit", "en": r"Summer|Daylight", "es": r"verano", "fr": r"\bété\b|avancée", "ja": r"夏時間", "pl": r"letni",
    "ar": r"الصيفي", "he": r"קיץ", "it": r"legale|estiv", "nl": r"zomer", "pt": r"verão", "zh": r"夏令",
}  # fmt: skip


def regions(language: str) -> list[Locale]:
    """The language, and each of its regional variants whose zones or patterns are other ones."""
    found: dict[str, Locale] = {}
    for identifier in sorted(localedata.locale_identifiers(), key=lambda name: (len(name), name)):
        if identifier.split("_")[0] == language:
            locale = Locale.parse(identifier)
            found.setdefault(repr([long_names(locale), dict(locale.zone_formats)]), locale)
    return list(found.values())


def long_names(locale: Locale) -> dict[str, dict[str, str]]:
    """What CLDR calls each zone, and each group of zones, in full."""
    tables = {**locale.meta_zones, **{f"/{key}": value for key, value in locale.time_zones.items()}}
    return {key: dict(value["long"]) for key, value in tables.items() if "long" in value}


@cache
def same_zone() -> Mapping[str, set[str]]:
    """Each zone's other names, as IANA's own links have it.

    Only where CLDR says so too: it keeps countries apart.
    """
    lines = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text("utf-8").splitlines()
    links = [tuple(line.split()[1:3]) for line in lines if line.startswith("L ")]
    links += [(target, alias) for alias, target in get_global("zone_aliases").items()]
    names: dict[str, set[str]] = {zone: {zone} for zone in ZONES}

    for target, alias in links:
        apart = get_global("zone_territories").get(alias) not in {
            None,
            get_global("zone_territories").get(target),
        }
        if not apart:
            names.setdefault(alias, {alias}).add(target)
            names.setdefault(target, {target}).add(alias)

    return names


@cache
def offsets(zone: str) -> frozenset[timedelta | None]:
    """All that it has within a year."""
    days = (JANUARY + timedelta(days=n) for n in range(0, 366, 7))
    return frozenset(day.astimezone(ZoneInfo(zone)).utcoffset() for day in days)


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_zone_in_january_and_july_in_every_region_of_a_language(language: str) -> None:
    locales = regions(language)
    for locale in locales:
        named = long_names(locale)
        of = {
            kind: {names[kind] for names in named.values() if kind in names}
            for kind in ("generic", "standard", "daylight")
        }
        for zone in ZONES:
            told = {zone_name(day.astimezone(ZoneInfo(zone)), locale) for day in (JANUARY, JULY)}
            assert len(told) == 1, "a name that holds all year is one"
            name = told.pop()
            case = (str(locale), zone, name)

            assert name.strip() == name != "", case
            assert not re.search(r"[_%{}]|\w/\w", name), case
            assert name not in of["daylight"] - of["generic"] - of["standard"], case
            if locale.script is None:
                assert not re.search(SUMMER[language], name), case
            if name in of["standard"] - of["generic"]:
                assert len(offsets(zone)) == 1, case
            # English in other letters has names for few.
            if OF_NO_PLACE.fullmatch(zone) or locale.script:
                continue
            assert name != get_timezone_gmt(JANUARY.astimezone(ZoneInfo(zone)), locale=locale), case
            if len(offsets(zone)) > 1:
                assert name in (cldr := set(generic(zone, locale, named))) or not cldr, case


def generic(zone: str, locale: Locale, named: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The names without a season that CLDR has for a zone under any of its names."""
    groups: Mapping[str, Any] = get_global("meta_zones")  # type: ignore[arg-type]  # its stub does not list it
    for alias in same_zone()[zone]:
        for key in (f"/{alias}", groups.get(alias, "")):
            if "generic" in named.get(key, {}):
                yield named[key]["generic"]


RENAMED = {
    "Asia/Calcutta": "Asia/Kolkata", "Asia/Saigon": "Asia/Ho_Chi_Minh", "Asia/Rangoon": "Asia/Yangon", "Asia/Katmandu": "Asia/Kathmandu",
    "Europe/Kiev": "Europe/Kyiv", "America/Godthab": "America/Nuuk", "Atlantic/Faeroe": "Atlantic/Faroe", "Pacific/Enderbury": "Pacific/Kanton",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires", "America/Indianapolis": "America/Indiana/Indianapolis",
    "Pacific/Truk": "Pacific/Chuuk", "Africa/Asmera": "Africa/Asmara", "US/Eastern": "America/New_York", "Japan": "Asia/Tokyo", "UTC": "Etc/UTC",
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_renamed_zone_is_the_same_by_its_old_name(language: str) -> None:
    for old, new in RENAMED.items():
        one, other = (
            zone_name(JULY.astimezone(ZoneInfo(name)), Locale(language)) for name in (old, new)
        )
        assert one == other
        assert not re.search(r"\d", one), (old, one)


@pytest.mark.parametrize("language", sorted(languages()))
def test_an_hour_that_comes_twice_has_two_names_in_every_zone_that_has_one(language: str) -> None:
    assert len(doubled()) > 100
    for first, second in doubled():
        one, other = zone_name(first, Locale(language)), zone_name(second, Locale(language))
        assert one != other, (first.tzinfo, one)


@cache
def doubled() -> list[tuple[datetime, datetime]]:
    """A time shortly before a clock goes back in 2026, and the same time after it.

    For every zone whose clock goes back.
    """
    found = []

    for zone in map(ZoneInfo, (zone for zone in ZONES if len(offsets(zone)) > 1)):
        for n in range(365):
            low = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)
            high = low + timedelta(days=1)
            if (back := since(zone, low) - since(zone, high)) > timedelta(0):
                while high - low > timedelta(minutes=1):
                    middle = low + (high - low) / 2
                    low, high = (
                        (low, middle) if since(zone, middle) < since(zone, low) else (middle, high)
                    )
                first = low - timedelta(minutes=5)
                found.append((first.astimezone(zone), (first + back).astimezone(zone)))

    return found


def since(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
