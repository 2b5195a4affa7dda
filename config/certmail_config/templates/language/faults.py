"""What is wrong with a source: a line and a sentence that says what there is to choose from."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

_LONGEST: Final = 60
HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What nobody sees, and what turns or breaks the words around it.

The two marks of direction, and what joins letters, are part of how some languages are written.
"""


class Fault(NamedTuple):
    """One thing that is wrong; `line` counts from 1."""

    line: int
    message: str

    def __str__(self) -> str:
        """The sentence, with its line."""
        return f"line {self.line}: {self.message}"


class TemplateRefused(Exception):
    """A source that cannot be used; `faults` says why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


def quoted(name: str) -> str:
    """A name from outside, short enough for a sentence, with nothing in it that is not seen."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in name[:_LONGEST])
    return f"`{shown}{'…' if len(name) > _LONGEST else ''}`"


def choices(name: str, there: Collection[str]) -> str:
    """What there is instead: what is like that name first, then all."""
    near = get_close_matches(name[:_LONGEST], there, n=2, cutoff=0.6)
    every = f"there are: {', '.join(sorted(there))}"
    return f"did you mean {' or '.join(map(quoted, near))}? T{every[1:]}" if near else every
