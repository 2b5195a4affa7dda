"""A picture of a plan: a week a line, each day darker the more mails go on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from certmail_config.campaigns import why

_SHADES: Final = "░▒▓█"
_WEEK: Final = timedelta(days=7)
_WIDTH: Final = 8


def strip(counts: Mapping[date, int], marks: Mapping[date, str]) -> Iterator[str]:
    """The lines, from the first week with something in it to the last; empty weeks between are told.

    A day that has a word of its own is told beside its week.
    """
    days = [*counts, *marks]
    if not days:
        return

    most = max(counts.values(), default=1)
    monday = min(days) - timedelta(days=min(days).weekday())
    yield " " * 16 + "".join(f"{name:<{_WIDTH}}" for name in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")).rstrip()  # fmt: skip

    empty = 0
    while monday <= max(days):
        week = [monday + timedelta(days=number) for number in range(7)]
        if any(day in counts or day in marks for day in week):
            if empty:
                yield f"{'':16}{empty} week{'' if empty == 1 else 's'} without"
            empty = 0
            yield _line(week, counts, marks, most)
        else:
            empty += 1
        monday += _WEEK


def _line(
    week: list[date], counts: Mapping[date, int], marks: Mapping[date, str], most: int
) -> str:
    cells = "".join(f"{_cell(counts.get(day, 0), most):<{_WIDTH}}" for day in week)
    told = ", ".join(f"{marks[day]} {why.day(day)[:3]}" for day in week if day in marks)
    return f"{why.day(week[0]):<16}{cells}{told}".rstrip()


def _cell(count: int, most: int) -> str:
    if not count:
        return "·"
    shade = _SHADES[min(len(_SHADES) - 1, (count * len(_SHADES) - 1) // most)]
    return f"{shade} {count if count < 10_000 else f'{count // 1000}k'}"
