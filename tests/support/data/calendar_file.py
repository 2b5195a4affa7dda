"""A strict reader of published calendar files (RFC 5545, RFC 5546): what it lets pass, any calendar reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

_LINE: Final = re.compile(r"([A-Z-]+)((?:;[A-Z-]+=[A-Z0-9-]+)*):(.*)", re.DOTALL)
_TEXT: Final = re.compile(r"(?:[^\\;,\x00-\x1f\x7f]|\\[\\;,n])*")
_URI: Final = re.compile(r"https?://[A-Za-z0-9%/?#\[\]@!$&'()*+,;=:._~-]+")
_ESCAPE: Final = re.compile(r"\\(.)")
_ABOUT_IT: Final = ["PRODID", "VERSION", "CALSCALE", "METHOD"]
_NEEDED: Final = {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "SUMMARY"}
_FIXED: Final = {"CLASS": "PRIVATE", "STATUS": "CONFIRMED", "TRANSP": "TRANSPARENT"}
_OTHERS: Final = {"DTEND", "DESCRIPTION", "URL"}


class CalendarEntry(NamedTuple):
    """What one entry says."""

    uid: str
    sequence: int
    written: datetime
    day: date
    summary: str
    description: str
    url: str | None


def read_calendar(file: bytes) -> list[CalendarEntry]:
    """The entries of a file; fails for whatever is not as it must be."""
    lines = list(_lines(file))
    assert [name for name, _, _ in lines[:5]] == ["BEGIN", *_ABOUT_IT]
    assert [value for _, _, value in lines[2:5]] == ["2.0", "GREGORIAN", "PUBLISH"]
    assert lines[0] == ("BEGIN", "", "VCALENDAR")
    assert lines[-1] == ("END", "", "VCALENDAR")

    entries, inside = [], lines[5:-1]
    while inside:
        assert inside[0] == ("BEGIN", "", "VEVENT")
        end = inside.index(("END", "", "VEVENT"))
        entries.append(_entry(inside[1:end]))
        inside = inside[end + 1 :]

    assert entries, "a calendar without an entry"
    assert len({entry.uid for entry in entries}) == len(entries)
    return entries


def unfolded(file: bytes) -> list[str]:
    """Its lines as they were before they were folded."""
    assert file.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\r\n\r\n| \r\n", file)
    for line in file.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    return file.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")


def _lines(file: bytes) -> Iterator[tuple[str, str, str]]:
    for line in unfolded(file):
        found = _LINE.fullmatch(line)
        assert found is not None, line
        yield found[1], found[2], found[3]


def _entry(lines: list[tuple[str, str, str]]) -> CalendarEntry:
    found = {name: (parameters, value) for name, parameters, value in lines}
    assert len(found) == len(lines), "a property stands twice"
    assert _NEEDED | set(_FIXED) <= set(found) <= _NEEDED | set(_FIXED) | _OTHERS
    assert all(found[name] == ("", value) for name, value in _FIXED.items())
    bare = {name: value for name, (parameters, value) in found.items() if not parameters}
    assert set(found) - set(bare) <= {"DTSTART", "DTEND"}

    day = _day(*found["DTSTART"])
    if day < date.max:
        assert _day(*found["DTEND"]) == day + timedelta(days=1)
    assert re.fullmatch(r"0|[1-9]\d{0,9}", bare["SEQUENCE"])
    assert int(bare["SEQUENCE"]) < 2**31
    assert _URI.fullmatch(bare.get("URL", "https://none.example/"))
    return CalendarEntry(
        uid=bare["UID"],
        sequence=int(bare["SEQUENCE"]),
        written=datetime.strptime(bare["DTSTAMP"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        day=day,
        summary=_text(bare["SUMMARY"]),
        description=_text(bare["DESCRIPTION"]),
        url=bare.get("URL"),
    )


def _day(parameters: str, value: str) -> date:
    assert parameters == ";VALUE=DATE"
    assert re.fullmatch(r"\d{8}", value)
    return date.fromisoformat(f"{value[:4]}-{value[4:6]}-{value[6:]}")


def _text(value: str) -> str:
    assert _TEXT.fullmatch(value), value
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], value)
