"""A page that is encoded but for its gaps, which each mail fills with words of its own.

Most of a page is the template's and the same in each mail: its lines are quoted and broken once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from certmail_config.compose.wire.bodies import Body, body
from certmail_config.compose.wire.quoting import broken, quoted, whole_lines

# Of the characters that Unicode leaves to whoever wants them; no template has them.
_BEGINS: Final = "\ue000"
_ENDS: Final = "\ue001"
_GAP: Final = re.compile(f"{_BEGINS}([^{_ENDS}]*){_ENDS}")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with gaps, quoted, and what is before it, encoded."""

    before: str
    words: str
    """With `%s` for each gap."""
    values: Callable[[Sequence[str]], object]
    """Picks those of its gaps."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A page with gaps of these names."""

    names: tuple[str, ...]
    lines: tuple[_Line, ...]
    rest: str
    signs: int
    """How many equals signs are in what is encoded already."""
    line_ends: int
    """How many the page has."""

    def filled(self, values: Sequence[str]) -> Body:
        """The page with these values, quoted and one for each name, encoded for transfer."""
        lines = [broken(line.words % line.values(values)) for line in self.lines]

        parts = [
            part for line, own in zip(self.lines, lines, strict=True) for part in (line.before, own)
        ]
        signs = self.signs + "".join(lines).count("=")
        return body("".join([*parts, self.rest]), signs=signs, line_ends=self.line_ends)


def gap(name: str) -> str:
    """What stands for a value of this name in a page that is to become a frame."""
    return f"{_BEGINS}{name}{_ENDS}"


def frame(page: str) -> Frame:
    """The frame that this page is, whose lines LF ends or divides."""
    names = tuple(dict.fromkeys(_GAP.findall(page)))
    lines = []
    encoded = ""

    for text in page.removesuffix("\n").split("\n"):
        gaps = _GAP.findall(text)
        first, *others = map(quoted, _GAP.split(text)[::2])
        if not gaps:
            encoded += f"{broken(first)}\r\n"
            continue

        # What is broken off in front of the first gap will be so whatever fills it.
        whole, begin = whole_lines(first)
        words = "%s".join(each.replace("%", "%%") for each in (begin, *others))
        lines.append(_Line(encoded + whole, words, itemgetter(*map(names.index, gaps))))
        encoded = "\r\n"

    before = "".join(line.before for line in lines)
    signs = before.count("=") + encoded.count("=")
    return Frame(names, tuple(lines), encoded, signs, page.count("\n"))
