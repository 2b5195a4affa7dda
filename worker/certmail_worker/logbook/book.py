"""The logbook: every event and code, and how one is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from certmail_worker.logbook.codes import CODES
from certmail_worker.logbook.entry import Entry
from certmail_worker.logbook.events import EVENTS


def entries() -> Iterator[tuple[str, str, Entry]]:
    """All of them: whether it is an event or a code, what it is about, and the entry."""
    for kind, chapters in (("event", EVENTS), ("code", CODES)):
        for chapter, found in chapters.items():
            for entry in found:
                yield kind, chapter, entry


def explain(name: str) -> list[tuple[str, Entry]]:
    """What a name means, as an event or as a code; empty if nobody logs it."""
    return [(kind, entry) for kind, _, entry in entries() if entry.name == name]


def near(name: str) -> Sequence[str]:
    """Names that somebody may have meant: those that are spelt alike, or hold the word."""
    known = list(dict.fromkeys(entry.name for _, _, entry in entries()))
    wanted = name.strip().lower().replace("-", "_")
    holding = [each for each in known if len(wanted) > 2 and (wanted in each or each in wanted)]
    return list(dict.fromkeys([*get_close_matches(wanted, known, NEAR), *holding]))[:NEAR]


NEAR: Final = 5
