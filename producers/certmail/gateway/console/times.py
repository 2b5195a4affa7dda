"""Times on a page, in UTC. Pure.

They are marked so that the page's script can show them in the reader's own zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from babel.dates import format_date, format_datetime
from markupsafe import Markup, escape

_FORMATS: Final = (
    (re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4}, \d{2}:\d{2} UTC\b"), "%d %b %Y, %H:%M UTC"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC\b"), "%Y-%m-%d %H:%M UTC"),
)
"""How sentences that are shared with the command line name a moment (moments.py)."""
_DAY: Final = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4}\b(?!<|, \d{2}:)")
"""The same of a day alone; what is marked already has a tag behind it, or its hour."""
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def moment(value: datetime, language: str) -> Markup:
    """A moment, to the minute."""
    value = value.astimezone(UTC)
    shown = format_datetime(value, "d MMM y, HH:mm", locale=language)
    return Markup('<time datetime="{}" data-moment>{} UTC</time>').format(_iso(value), shown)


def second(value: datetime, language: str) -> Markup:
    """A moment, to the second."""
    value = value.astimezone(UTC)
    shown = format_datetime(value, "d MMM y, HH:mm:ss", locale=language)
    return Markup('<time datetime="{}" data-moment="second">{} UTC</time>').format(
        _iso(value), shown
    )


def utc_day(value: datetime, language: str) -> str:
    """A day of UTC, which it stays wherever it is read."""
    return format_date(value.astimezone(UTC), "d MMM y", locale=language)


def day(value: datetime, language: str) -> Markup:
    """The day of a moment."""
    value = value.astimezone(UTC)
    shown = format_date(value, "d MMM y", locale=language)
    return Markup('<time datetime="{}" data-moment="day">{}</time>').format(_iso(value), shown)


def marked(text: str, language: str) -> Markup:
    """A sentence, escaped, with the moments and days that it names marked."""
    shown = str(escape(text))

    for pattern, form in _FORMATS:
        shown = pattern.sub(lambda found, form=form: _marked(found[0], form, language), shown)  # type: ignore[misc]
    shown = _DAY.sub(lambda found: _marked_day(found[0], language), shown)

    # Escaped above; what was added is ours.
    return Markup(shown)  # noqa: S704


def _marked(found: str, form: str, language: str) -> str:
    value = _read(found, form)
    return found if value is None else str(moment(value, language))


def _marked_day(found: str, language: str) -> str:
    value = _read(found, "%d %b %Y")
    # Nobody said at what hour; noon is on the same day nearly everywhere.
    return found if value is None else str(day(value.replace(hour=12), language))


def _read(text: str, form: str) -> datetime | None:
    """The moment of a text; None for what only looks like one.

    Months are ours, not those of a process's locale.
    """
    if "%b" in form:
        name = text.split()[1]
        if name not in _MONTHS:
            return None
        text, form = text.replace(name, str(_MONTHS.index(name) + 1)), form.replace("%b", "%m")

    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def _iso(value: datetime) -> str:
    return value.isoformat(timespec="seconds")
