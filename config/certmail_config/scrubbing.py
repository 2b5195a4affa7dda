"""Taking addresses out of other people's words before they are stored or logged."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+\.[^\s@<>\"',;:().]+")


def scrub(text: str) -> str:
    """The text with every address replaced."""
    return _ADDRESS.sub("(address)", text)
