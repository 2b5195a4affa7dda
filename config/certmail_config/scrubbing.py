"""Making other people's words fit to be stored, logged and shown."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+\.[^\s@<>\"',;:().]+")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""Control characters and lone surrogates: PostgreSQL takes no NUL, UTF-8 no surrogate."""


def scrub(text: str) -> str:
    """The text with every address replaced."""
    return _ADDRESS.sub("(address)", text)


def quote(text: str, most: int = 500) -> str:
    """The beginning of somebody's words: one line without addresses, of at most `most` characters that any store takes."""
    start = text[: 4 * most]  # finding addresses in a megabyte without spaces would take hours
    if len(start) < len(text):
        start = start.rpartition(" ")[0] or start  # half an address would not be recognised
    return scrub(_UNFIT.sub(" ", start)).strip()[:most]
