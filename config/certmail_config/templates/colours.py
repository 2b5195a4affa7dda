"""A tenant's colour, so that it can be read: the contrasts of WCAG 2, and how one is mended.

The rule: on a light page the colour lies under white words and colours words on white; on a dark
page it lies under dark words and colours words on dark. Where a contrast is below 4.5:1, the colour
is mixed with black (light page) or white (dark page), a little more each time, until none is. Its
hue stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 4.5
_STEPS: Final = 64
_HEX: Final = re.compile("#[0-9a-f]{6}", re.IGNORECASE | re.ASCII)
_WHITE: Final = "#ffffff"
_BLACK: Final = "#000000"
ON_LIGHT: Final = (_WHITE, "#f5f7f9")
"""What the colour lies on, or under, on a light page."""
ON_DARK: Final = ("#08292c", "#10161c", "#19212a", "#202a34")
"""The same on a dark page: the words of the button, the page, the card, and the facts on it."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colour as it is used on a light and on a dark page."""

    light: str
    dark: str


def is_colour(text: str) -> bool:
    """Whether it is written as #rrggbb."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def palette(colour: str) -> Palette:
    """The colour, mended where it could not be read."""
    return Palette(
        _mended(colour, _BLACK, ON_LIGHT),
        _mended(colour, _WHITE, ON_DARK),
    )


def _mended(colour: str, towards: str, grounds: tuple[str, ...]) -> str:
    mixes = (_mixed(colour, towards, step) for step in range(_STEPS + 1))
    return next(mix for mix in mixes if all(contrast(mix, ground) >= ENOUGH for ground in grounds))


def _mixed(colour: str, towards: str, step: int) -> str:
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * step / _STEPS):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
