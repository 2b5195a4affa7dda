"""Names a time zone for people, in their language.

A season is named only where it tells two hours apart.

The names are CLDR's, as Babel ships them, chosen as UTS #35 says. Babel's own `get_timezone_name`
is not used: it does not find names behind most aliases (Asia/Kolkata), names places by their ids
(Argentina/Buenos Aires), and in some locales (es-419 and all below it, fr-CA, en-CA) puts them into
the pattern of summer time, in December, too.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_gmt
from babel.localedata import LocaleDataDict

_Variant = Literal["generic", "standard", "daylight"]

_ALIASES: Final[Mapping[str, str]] = get_global("zone_aliases")
_TERRITORIES: Final[Mapping[str, str]] = get_global("zone_territories")
_ZONES_OF: Final[Mapping[str, list[str]]] = get_global("territory_zones")
# Its stub does not list it.
_METAZONES: Final[Mapping[str, str]] = get_global("meta_zones")  # type: ignore[arg-type]
_NOWHERE: Final = "ZZ"
"""How CLDR writes that a zone belongs to no country."""
_UTC: Final = "Etc/UTC"
_MONTHS: Final = [timedelta(days=30 * n) for n in range(-6, 7)]
"""Half a year to either side, in which a zone that has seasons has another."""


def zone_name(there: datetime, locale: Locale) -> str:
    """The name of this moment's zone, or its offset where CLDR has no name in that language."""
    zone = there.tzinfo or UTC
    key = _key(zone, there)
    if key is None:
        return get_timezone_gmt(there, locale=locale)
    if _is_doubled(there):
        return _of_its_season(key, there, locale) or get_timezone_gmt(there, locale=locale)
    name = _all_year(key, locale, there.year, there.month)
    return name or get_timezone_gmt(there, locale=locale)


def _key(zone: tzinfo, there: datetime) -> str | None:
    if isinstance(zone, ZoneInfo):
        return zone.key
    return None if there.utcoffset() else _UTC


def _is_doubled(there: datetime) -> bool:
    """Whether the clock shows this time twice, since it went back."""
    return there.replace(fold=1 - there.fold).utcoffset() != there.utcoffset()


def _of_its_season(key: str, there: datetime, locale: Locale) -> str | None:
    """What tells the two apart: each season by its name, if the language has both."""
    first, second = there.replace(fold=0), there.replace(fold=1)
    if bool(first.dst()) == bool(second.dst()):
        return None  # no season ended: the zone became another
    # In winter Ireland's zone is said to have a season of -1: it is the offset that says which is
    # the summer's.
    summer, winter = _named(key, "daylight", locale), _named(key, "standard", locale)
    return (winter if there.fold else summer) if summer and winter and summer != winter else None


@lru_cache(maxsize=4096)
def _all_year(key: str, locale: Locale, year: int, month: int) -> str | None:
    """A name that holds in January and in July."""
    name = _named(key, "generic", locale)
    if not _has_seasons(key, year, month) and (
        name is None or _neighbours_have_seasons(key, year, month)
    ):
        # "Mountain Time" has summers; in Phoenix it is Mountain Standard Time all year.
        name = _named(key, "standard", locale) or name
    return name or _located(key, locale)


def _named(key: str, variant: _Variant, locale: Locale) -> str | None:
    for names in _sources(key, locale):
        name: str | None = names.get("long", {}).get(variant)
        if name:
            return name
    return None


def _sources(key: str, locale: Locale) -> Iterator[Mapping[str, Any]]:
    """The names that a language has for the zone itself, then those of what it is a part of."""
    known = _names_of(key)
    yield from (_inner(locale.time_zones, name) for name in known)
    yield from (_inner(locale.meta_zones, _METAZONES[name]) for name in known if name in _METAZONES)


def _inner(whole: LocaleDataDict, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = whole.get(name, {})
    return found


@cache
def _names_of(key: str) -> tuple[str, ...]:
    """All that CLDR calls the same zone: which of these names its tables use, only they know."""
    canonical = _ALIASES.get(key, key)
    return (
        key,
        *dict.fromkeys(each for each in (canonical, *_alike().get(canonical, ())) if each != key),
    )


@cache
def _alike() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for alias, canonical in _ALIASES.items():
        found[canonical] = (*found.get(canonical, ()), alias)
    return found


def _has_seasons(key: str, year: int, month: int) -> bool:
    around = datetime(year, month, 15, tzinfo=UTC)
    zone = ZoneInfo(key)
    return len({(around + distance).astimezone(zone).utcoffset() for distance in _MONTHS}) > 1


@lru_cache(maxsize=1024)
def _neighbours_have_seasons(key: str, year: int, month: int) -> bool:
    """Whether its name without a season is that of zones, too, which have seasons."""
    mine = {_METAZONES[name] for name in _names_of(key) if name in _METAZONES}
    return any(
        _has_seasons(other, year, month) for other, theirs in _METAZONES.items() if theirs in mine
    )


def _located(key: str, locale: Locale) -> str | None:
    """By its country, or by its city where the country has several."""
    names = _names_of(key)
    territory = next((_TERRITORIES[name] for name in names if name in _TERRITORIES), None)
    if territory == _NOWHERE or (territory is None and "/" not in key):
        return None

    place = None
    if territory is not None and len(_ZONES_OF.get(territory, ())) == 1:
        place = locale.territories.get(territory)
    if place is None:
        cities = (_inner(locale.time_zones, name).get("city") for name in names)
        place = next(filter(None, cities), None) or names[0].rpartition("/")[2].replace("_", " ")

    return _region_format(locale) % place


@cache
def _region_format(locale: Locale) -> str:
    # Of the language: where a region has patterns for summer and standard time, Babel has one of
    # those in this one's place.
    pattern: str = Locale(locale.language, script=locale.script).zone_formats.get("region", "%s")
    return pattern
