"""The limits of a connection on the command line.

The options that `add` and `set` share, and how limits are shown.
"""

from __future__ import annotations

from typing import Annotated

import typer
from typer.models import OptionInfo

from certmail_config.tenants.models import BOUNDS, GoogleLimits


def _option(name: str, help: str) -> OptionInfo:  # noqa: A002 - Typer's word
    minimum, maximum = BOUNDS[name]
    text = f"{help} Of a new connection: {getattr(GoogleLimits(), name)}."
    option: OptionInfo = typer.Option(min=minimum, max=maximum, metavar="N", help=text)
    return option


UnitsPerMinute = Annotated[
    int | None,
    _option(
        "units_per_minute",
        "Quota units per minute that Google allows the mailbox; 15000 in older projects.",
    ),
]
InFlight = Annotated[int | None, _option("in_flight", "Requests at once to the mailbox.")]
PerDay = Annotated[
    int | None,
    _option(
        "per_day",
        "Messages in any 24 hours that Google allows the mailbox; 500 for a trial account.",
    ),
]
ProjectUnitsPerMinute = Annotated[
    int | None,
    _option("project_units_per_minute", "Quota units per minute that Google allows the project."),
]
ProjectUnitsPerDay = Annotated[
    int | None,
    _option("project_units_per_day", "Quota units per day that Google allows the project."),
]
WarmUpDays = Annotated[
    int | None,
    _option(
        "warm_up_days", "Days for which a mailbox that is new sends less, more each day; 0 is off."
    ),
]


def given(**limits: int | None) -> dict[str, int]:
    """Those that were given."""
    return {name: value for name, value in limits.items() if value is not None}


def in_words(limits: GoogleLimits) -> str:
    """All of them, for a person."""
    words = (
        f"mailbox: {limits.units_per_minute} units a minute, {limits.in_flight} requests at once, "
        f"{limits.per_day} messages a day; project: {limits.project_units_per_minute} units a minute, "
        f"{limits.project_units_per_day} a day"
    )
    return f"{words}; {limits.warm_up_days} days of warming up" if limits.warm_up_days else words
