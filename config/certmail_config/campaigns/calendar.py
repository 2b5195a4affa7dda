"""Working days: the working week and public holidays of a place, with a company's own changes.

Public holidays come from the package holidays, which is pinned: plans depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from certmail_config.campaigns.intervals import Interval
from certmail_config.campaigns.moments_of_day import Opening, Window, opening, read_window, zone
from certmail_config.campaigns.written_days import Day

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEK: Final[tuple[Weekday, ...]] = get_args(Weekday)
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ONE_DAY: Final = timedelta(days=1)
_FARTHEST: Final = 3 * 366
"""Days among which a working day is looked for."""


class NoWorkingDay(ValueError):
    """A calendar has none for years."""


class _Year(NamedTuple):
    weekend: frozenset[int]
    holidays: Mapping[date, str]


def read_country(value: str) -> str:
    """Check a country's code (ISO 3166); raises PydanticCustomError."""
    code = value.strip().upper()
    if code not in _places():
        raise PydanticCustomError(
            "unknown_country", "not a country whose holidays are known, such as DE or US"
        )
    return code


def read_subdivision(country: str, value: str) -> str:
    """Check the code of a part of a country; raises PydanticCustomError."""
    code = value.strip()
    found = next((each for each in _places()[country] if each.upper() == code.upper()), None)
    if found is None:
        some = ", ".join(_places()[country][:20]) or "it has none"
        raise PydanticCustomError(
            "unknown_subdivision",
            "not a part of {country} with holidays of its own; known are: {some}",
            {"country": country, "some": some},
        )
    return found


Country = Annotated[str, AfterValidator(read_country)]


# One that is named twice is named; JSON Schema would have sets without.
_DaysOf = Annotated[
    frozenset[Day],
    WithJsonSchema({"type": "array", "items": {"type": "string", "format": "date"}}),
]


class Calendar(BaseModel):
    """Where and when people work."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    country: Country | None = None
    """Whose public holidays are kept; without one there are none."""
    subdivision: str | None = None
    """The part of it, where holidays differ."""
    days: (
        Annotated[
            frozenset[Weekday],
            Field(min_length=1),
            WithJsonSchema(
                {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(_WEEK)}}
            ),
        ]
        | None
    ) = None
    """The working week; the country's, if not said."""
    window: Annotated[
        Window,
        PlainValidator(read_window),
        PlainSerializer(str),
        WithJsonSchema({"type": "string", "examples": ["09:00-17:00"]}),
    ] = Window(9 * 60, 17 * 60)
    """The hours in which mails leave, in the reviewer's zone."""
    closed: _DaysOf = frozenset()
    """Days off, in addition to public holidays."""
    open: _DaysOf = frozenset()
    """Working days in spite of everything."""

    @model_validator(mode="after")
    def _part_of_a_country(self) -> Self:
        if self.subdivision is not None:
            if self.country is None:
                raise PydanticCustomError(
                    "subdivision_without_country", "a subdivision needs its country beside it"
                )
            # Written as the holidays have it; nothing else sees the value before.
            object.__setattr__(
                self, "subdivision", read_subdivision(self.country, self.subdivision)
            )
        return self

    def of(self, country: str | None, subdivision: str | None) -> Calendar:
        """The same for a reviewer elsewhere.

        Who names a country has that, and of its parts the one that stands beside it. Raises
        PydanticCustomError.
        """
        if country is None and subdivision is None:
            return self

        place = country or self.country
        if place is None:
            raise PydanticCustomError(
                "subdivision_without_country", "a subdivision needs its country beside it"
            )
        part = read_subdivision(place, subdivision) if subdivision is not None else None
        return self.model_copy(update={"country": place, "subdivision": part})


class Days:
    """The working days of a calendar in a zone, each looked up once."""

    def __init__(self, calendar: Calendar, zone_name: str) -> None:
        self.calendar = calendar
        self.zone_name = zone_name
        self.zone = zone(zone_name)
        self._openings: dict[date, Opening | None] = {}

    def local_date(self, instant: datetime) -> date:
        """On which date of theirs an instant lies."""
        return instant.astimezone(self.zone).date()

    def opening(self, day: date) -> Opening | None:
        """When mails may leave on a day; None where it is no working day."""
        try:
            return self._openings[day]
        except KeyError:
            works = why_off(self.calendar, day) is None
            found = opening(day, self.calendar.window, self.zone) if works else None
            self._openings[day] = found
            return found

    def at(self, day: date, *others: datetime) -> datetime:
        """When a mail of a working day leaves.

        As its window begins, or at the latest of the instants that lie within it.
        """
        found = self.opening(day)
        assert found is not None, "mails leave on working days"
        return max([found.begins, *(each for each in others if found.begins <= each < found.ends)])

    def has_ended(self, day: date, instant: datetime) -> bool:
        """Whether the window of a working day has ended by an instant."""
        found = self.opening(day)
        return found is not None and found.ends <= instant.astimezone(UTC)

    def on_or_after(self, day: date) -> date:
        """The day, or the first working day after it."""
        return self._rolled(day, _ONE_DAY)

    def on_or_before(self, day: date) -> date:
        """The day, or the last working day before it."""
        return self._rolled(day, -_ONE_DAY)

    def first_open(self, day: date, instant: datetime) -> date:
        """The first working day from a day on whose window has not ended by an instant."""
        found = self.on_or_after(day)
        while self.has_ended(found, instant):
            found = self.on_or_after(found + _ONE_DAY)
        return found

    def after(self, day: date, interval: Interval) -> date:
        """Three working days after a day, say, or three days, rolled forward to a working day."""
        if not interval.working:
            return self.on_or_after(day + timedelta(days=interval.number))
        for _ in range(interval.number):
            day = self.on_or_after(day + _ONE_DAY)
        return day

    def why_off(self, day: date) -> str:
        """Why a day is no working day."""
        return why_off(self.calendar, day) or "clocks skip its hours"

    def _rolled(self, day: date, step: timedelta) -> date:
        for _ in range(_FARTHEST):
            if self.opening(day) is not None:
                return day
            day += step
        raise NoWorkingDay(day)


@lru_cache(maxsize=512)
def days_of(calendar: Calendar, zone_name: str) -> Days:
    """The working days of a calendar in a zone, kept from plan to plan."""
    return Days(calendar, zone_name)


def why_off(calendar: Calendar, day: date) -> str | None:
    """Why a day is no working day; None for one."""
    if day in calendar.open:
        return None
    if day in calendar.closed:
        return "closed"

    year = _year(calendar.country, calendar.subdivision, day.year)
    works = _WEEK[day.weekday()] in calendar.days if calendar.days else day.weekday() not in year.weekend  # fmt: skip
    if not works:
        return _NAMES[day.weekday()]
    return year.holidays.get(day)


def estimated(calendar: Calendar, first: date, last: date) -> dict[date, str]:
    """Public holidays of which nobody knows the day for certain yet."""
    found: dict[date, str] = {}
    for number in range(first.year, last.year + 1):
        year = _year(calendar.country, calendar.subdivision, number)
        found |= {
            day: name
            for day, name in year.holidays.items()
            if "(estimated)" in name and first <= day <= last
        }
    return dict(sorted(found.items()))


@cache
def holidays_version() -> str:
    """Of the public holidays that plans are made with."""
    return version("holidays")


@lru_cache(maxsize=4096)
def _year(country: str | None, subdivision: str | None, year: int) -> _Year:
    if country is None:
        return _Year(frozenset({5, 6}), MappingProxyType({}))

    import holidays  # noqa: PLC0415 - a tenth of a second, for whoever makes plans

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    except NotImplementedError:  # of a few, names are in their own language only
        found = holidays.country_holidays(country, subdiv=subdivision, years=year)
    return _Year(frozenset(found.weekend), MappingProxyType(dict(found)))


@cache
def _places() -> dict[str, list[str]]:
    import holidays  # noqa: PLC0415 - as above

    found = holidays.list_supported_countries(include_aliases=True)
    return {country: list(parts) for country, parts in found.items()}
