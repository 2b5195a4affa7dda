"""Asking about many ids, in parts that a database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

PAGE: Final = 500
"""So many ids are asked about at once: SQLite and PostgreSQL take some ten thousands at most."""


def pages(ids: Iterable[str]) -> Iterator[list[str]]:
    """Lists of so many ids as can be asked about at once."""
    rest = iter(ids)
    while page := list(islice(rest, PAGE)):
        yield page
