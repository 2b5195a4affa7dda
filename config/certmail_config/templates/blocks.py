"""What a tenant may write itself: which blocks a mail of each kind has, and how long each may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from certmail_config.templates.language import OutOfBounds


class Block(StrEnum):
    """A part of a mail that has words of its own."""

    SUBJECT = "subject"
    PREHEADER = "preheader"
    """What a list of mails shows after the subject."""
    HEADLINE = "headline"
    ASK = "ask"
    """What is asked of the reviewer; each line is a paragraph."""
    BUTTON = "button"
    FOOTER = "footer"
    """The small print; each line is a paragraph."""
    TEXT = "text"
    """All that a mail of kind `custom` says; each line is a paragraph."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How much a block may say, in characters and lines."""

    longest: int
    lines: int = 1


MEASURES: Final[Mapping[Block, Measure]] = {
    Block.SUBJECT: Measure(250),
    Block.PREHEADER: Measure(300),
    Block.HEADLINE: Measure(250),
    Block.ASK: Measure(1_500, lines=10),
    Block.BUTTON: Measure(80),
    Block.FOOTER: Measure(1_500, lines=10),
    Block.TEXT: Measure(10_000, lines=40),
}
"""All of them at their longest, each character escaped, stay below the 102 kB at which Gmail clips."""
_ALWAYS: Final = (
    Block.SUBJECT,
    Block.PREHEADER,
    Block.HEADLINE,
    Block.ASK,
    Block.BUTTON,
    Block.FOOTER,
)
KINDS: Final = ("notice", "reminder", "final", "overdue", "escalation", "digest", "custom")
BLOCKS: Final[Mapping[str, tuple[Block, ...]]] = {
    **dict.fromkeys(KINDS, _ALWAYS),
    "custom": (
        Block.SUBJECT,
        Block.PREHEADER,
        Block.HEADLINE,
        Block.TEXT,
        Block.BUTTON,
        Block.FOOTER,
    ),
}
"""The blocks of each kind. What leaves after the due date takes those of `overdue`."""


def written(text: str, block: Block) -> tuple[str, ...]:
    """The lines of what a program wrote for a block; without empty ones, and outer blanks.

    Raises OutOfBounds for too many of them: each paragraph of a page has its own frame.
    """
    most = MEASURES[block].lines
    if most == 1:
        line = " ".join(text.split())
        return (line,) if line else ()

    lines = tuple(line for each in text.splitlines() if (line := " ".join(each.split())))
    if len(lines) > most:
        raise OutOfBounds(f"it has more than {most} lines")
    return lines
