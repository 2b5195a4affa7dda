"""How arguments are written for the scripts."""

from __future__ import annotations


def ms(seconds: float | None) -> str:
    """Seconds as milliseconds; nothing for None."""
    return "" if seconds is None else str(round(seconds * 1000))


def flag(value: bool) -> str:
    """1, or nothing."""
    return "1" if value else ""
