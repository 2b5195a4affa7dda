"""In which line of a TOML file something stands, which its reader does not tell. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_.-]+)\s*\]{1,2}")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(?:\.|=)")


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """The line of a key, or of the table that should have it; None where there is neither."""
    names = [each for each in where if isinstance(each, str)]
    number = next((each for each in where if isinstance(each, int)), 0)
    table, key = ("", names[0]) if len(names) == 1 else (names[0], names[1]) if names else ("", "")

    tables: Counter[str] = Counter()
    inside, found = "", None
    for line, written in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(written):
            inside = header[1]
            tables[inside] += 1
            if inside in {table, key} and tables[inside] == number + 1:
                found = line
            continue

        here = inside == table and (not table or tables[table] == number + 1)
        if here and (named := _KEY.match(written)) and named[1] == key:
            return line

    return found
