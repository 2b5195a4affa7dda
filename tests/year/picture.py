"""The picture of a year, as SVG: how many mails left on each day, and how long after their moment. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from year.run import YearPlayed

WIDTH: Final = 1000
LEFT: Final = 60
CELL: Final = 17
SHADES: Final = ("#eef1f0", "#cfe6db", "#9fd0b9", "#63b391", "#2b8f69", "#0b6e4f", "#064632")
INK: Final = "#26302c"
PALE: Final = "#6b7772"
BUCKET: Final = 10
"""So many seconds of delay are one bar."""
BARS: Final = 36
IN_TIME: Final = 300
FEW: Final = 0.0005
BAR_HEIGHT: Final = 180
CALENDAR_TOP: Final = 90
CHART_TOP: Final = 350
HEIGHT: Final = 580


def draw(played: YearPlayed, year: int) -> str:
    """The whole picture."""
    whole = played.whole
    parts = [
        _text(LEFT, 34, f"A year of campaigns: {whole.mails.total():,} mails", size=20),
        _text(LEFT, 58, f"Mails of each day of {year} (UTC)", colour=PALE),
        *_calendar(whole.mails, year),
        _text(LEFT, CHART_TOP - 54, "How long after its moment each left", size=16),
        _text(
            LEFT,
            CHART_TOP - 32,
            f"{whole.punctual:.4%} within five minutes; a mailbox may send one a second",
            colour=PALE,
        ),
        *_delays(whole.late),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="Inter, Arial, sans-serif">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _calendar(mails: Mapping[date, int], year: int) -> Iterator[str]:
    first = date(year, 1, 1)
    monday = first - timedelta(days=first.weekday())
    most = max(mails.values(), default=1)

    for row, name in enumerate(("Mon", "", "Wed", "", "Fri", "", "Sun")):
        if name:
            yield _text(LEFT - 8, _y(row) + 12, name, size=11, colour=PALE, anchor="end")

    day = first
    while day.year == year:
        column, row = (day - monday).days // 7, day.weekday()
        count = mails.get(day, 0)
        if day.day == 1:
            yield _text(_x(column), CALENDAR_TOP - 8, f"{day:%b}", size=11, colour=PALE)
        yield (
            f'<rect x="{_x(column)}" y="{_y(row)}" width="{CELL - 2}" height="{CELL - 2}" rx="2" '
            f'fill="{_shade(count, most)}"><title>{day}: {count:,}</title></rect>'
        )
        day += timedelta(days=1)

    yield from _legend(most)


def _legend(most: int) -> Iterator[str]:
    top, step = CALENDAR_TOP + 7 * CELL + 16, 96
    for number, shade in enumerate(SHADES):
        x = LEFT + number * step
        yield f'<rect x="{x}" y="{top}" width="{CELL - 2}" height="{CELL - 2}" rx="2" fill="{shade}"/>'
        bound = _bound(number, most)
        if number and bound == _bound(number - 1, most):
            continue  # of so few mails a day, not all shades are needed
        words = "none" if number == 0 else f"to {bound:,}"
        yield _text(x + CELL + 3, top + 12, words, size=11, colour=PALE)


def _delays(late: Counter[int]) -> Iterator[str]:
    """A bar for each ten seconds; all later than the last share it."""
    bars = Counter[int]()
    for seconds, count in late.items():
        bars[min(seconds // BUCKET, BARS - 1)] += count
    total, base = max(late.total(), 1), CHART_TOP + BAR_HEIGHT
    most = max(bars.values(), default=1)
    width = (WIDTH - 2 * LEFT) / BARS

    for number in range(BARS):
        x, height = LEFT + number * width, BAR_HEIGHT * bars[number] / most
        height = max(height, 1.5) if bars[number] else 0.0
        in_time = (number + 1) * BUCKET <= IN_TIME
        share = f"{number * BUCKET}-{(number + 1) * BUCKET} s: {bars[number]:,}"
        yield (
            f'<rect x="{x + 1:.1f}" y="{base - height:.1f}" width="{width - 2:.1f}" '
            f'height="{height:.1f}" fill="{SHADES[5] if in_time else "#b3261e"}">'
            f"<title>{share}</title></rect>"
        )
        if bars[number]:
            words = f"{bars[number] / total:.1%}" if bars[number] / total >= FEW else "<0.1%"
            yield _text(
                x + width / 2, base - height - 5, words, size=9, colour=PALE, anchor="middle"
            )
        if number % 6 == 0:
            yield _text(x, base + 18, f"{number * BUCKET} s", size=11, colour=PALE)

    yield f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - LEFT}" y2="{base}" stroke="{PALE}"/>'
    bound = LEFT + IN_TIME / BUCKET * width
    yield (
        f'<line x1="{bound:.1f}" y1="{CHART_TOP}" x2="{bound:.1f}" y2="{base}" stroke="{INK}" '
        'stroke-dasharray="4 4"/>'
    )
    yield _text(bound - 6, CHART_TOP + 12, "five minutes", size=11, anchor="end")


def _shade(count: int, most: int) -> str:
    if not count:
        return SHADES[0]
    return next(shade for number, shade in enumerate(SHADES) if count <= _bound(number, most))


def _bound(number: int, most: int) -> int:
    """Up to how many a shade stands for: finer where there are few, as most days have few."""
    if number == len(SHADES) - 1:
        return most
    return int(most * (number / (len(SHADES) - 1)) ** 2)


def _x(column: int) -> int:
    return LEFT + column * CELL


def _y(row: int) -> int:
    return CALENDAR_TOP + row * CELL


def _text(
    x: float, y: float, words: str, *, size: int = 13, colour: str = INK, anchor: str = "start"
) -> str:
    safe = words.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{anchor}">{safe}</text>'
    )
