"""Writes due dates as iCalendar (RFC 5545), published (RFC 5546 §3.2.1).

There is no ORGANIZER: RFC 5545 §3.8.4.3 keeps it for what is scheduled with others, and calendars
that find one ask for an answer, send it, or let nobody change the entry. There is no alarm: the
campaign reminds.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from certmail_config.compose.calendar.due_events import DueEvent

_LONGEST: Final = 75
"""Octets of a line."""
_BLANK: Final = ord(" ")
_LINE_END: Final = "\n"
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
_GREATEST: Final = 2**31 - 1
_BEGINS: Final = (
    "BEGIN:VCALENDAR",
    "PRODID:-//certmail//due dates//EN",
    "VERSION:2.0",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
)


def calendar_lines(events: Iterable[DueEvent], now: datetime) -> list[str]:
    """The lines of a calendar with these entries, folded; `now` is when it is written."""
    whole = [*_BEGINS, *(line for event in events for line in _event(event, now)), "END:VCALENDAR"]
    return [part for line in whole for part in _folded(line)]


def sequence(now: datetime) -> int:
    """The revision of what is written then: seconds, so that what is written later replaces it.

    Nobody need remember how often an entry was sent.
    """
    return min(max(int((now - _FIRST).total_seconds()), 0), _GREATEST)


def _event(event: DueEvent, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"SEQUENCE:{sequence(now)}"
    yield f"DTSTAMP:{_moment(now)}"
    yield f"DTSTART;VALUE=DATE:{_day(event.day)}"
    if event.day < date.max:
        yield f"DTEND;VALUE=DATE:{_day(event.day + timedelta(days=1))}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"DESCRIPTION:{_text(_LINE_END.join(event.description))}"
    if event.url:
        yield f"URL:{event.url}"
    # Whose decisions are missing where is nobody else's business, and a due date keeps nobody busy.
    yield "CLASS:PRIVATE"
    yield "STATUS:CONFIRMED"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _moment(now: datetime) -> str:
    there = now.astimezone(UTC)
    return f"{_day(there.date())}T{there.hour:02}{there.minute:02}{there.second:02}Z"


def _text(words: str) -> str:
    return words.translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """The line, broken where it is too long, and never within a character."""
    data = line.encode()
    start, room, before = 0, _LONGEST, ""

    while start < len(data):
        end = min(start + room, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        # A blank at the end of a line would be lost on the way.
        if end < len(data) and data[end - 1] == _BLANK:
            end -= 1
        yield f"{before}{data[start:end].decode()}"
        start, room, before = end, _LONGEST - 1, " "
