"""A block of a tenant's words as it was read once, to be written into each mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from certmail_config.compose.language.catalogue import Catalogue
from certmail_config.compose.language.directions import among
from certmail_config.compose.language.phrases import Alone
from certmail_config.compose.own.blocks import own_lines
from certmail_config.templates.blocks import MEASURES, Block, written
from certmail_config.templates.language import Number, Plain, Program, Value, Values, compiled
from certmail_config.templates.variables import OF_ITS_READER, SAMPLES, scope_of

_OWN_NAME: Final[Mapping[Block, str]] = {Block.TEXT: "ask"}
"""The name that a block has in a mail, where it is another."""
_LONGEST_REMEMBERED: Final = 450
"""So many characters: what may become longer would take much memory."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockPlan:
    """A block of one version's words; equal only to itself."""

    name: str
    """Of the block, in a mail."""
    block: Block
    place: str
    program: Program
    remembered: bool
    """Whether it is short, and names nothing that says who reads it."""

    @classmethod
    def of(cls, block: Block, place: str, source: str) -> Self:
        """The block of this source; `place` is its locale, kind and block.

        Raises TemplateRefused.
        """
        locale, kind, _ = place.split("/")
        program = compiled(source, scope_of(kind), locale)
        return cls(
            name=_OWN_NAME.get(block, block.value),
            block=block,
            place=place,
            program=program,
            remembered=_longest(program, block) <= _LONGEST_REMEMBERED
            and OF_ITS_READER.isdisjoint(program.names),
        )

    def lines(self, words: Catalogue, values: Values) -> tuple[Alone, ...]:
        """What it says, where these values are known; nothing where nothing of it is seen.

        Raises OutOfBounds.
        """
        if self.remembered:
            return _remembered(self, words, tuple([values[name] for name in self.program.names]))
        return self.written(words, values)

    def written(self, words: Catalogue, values: Values) -> tuple[Alone, ...]:
        """The same, whatever was said before."""
        pieces = self.program.pieces(values, MEASURES[self.block].longest)
        return own_lines(words, written(_joined(pieces, words.direction), self.block))


def _longest(program: Program, block: Block) -> int:
    """So many characters a block has at most, as long as it names nothing twice."""
    named = [SAMPLES["nasty"][name] for name in program.names]
    shown = (each.shown if isinstance(each, Number) else str(each or "") for each in named)
    return min(MEASURES[block].longest, program.size + sum(map(len, shown)))


def _joined(pieces: Sequence[str], direction: str) -> str:
    """What a program writes, in which no value turns the words around it."""
    text = "".join(pieces)
    if text.isascii() and direction == "ltr":
        return text
    return "".join(among(each, direction) if type(each) is Value else each for each in pieces)


# One takes a kilobyte, and twelve where all of it is emoji.
@lru_cache(maxsize=4096)
def _remembered(plan: BlockPlan, words: Catalogue, values: tuple[Plain, ...]) -> tuple[Alone, ...]:
    return plan.written(words, dict(zip(plan.program.names, values, strict=True)))
