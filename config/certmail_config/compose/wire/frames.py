"""A page that is encoded but for its gaps, which each mail fills with words of its own.

Most of a page is the template's and the same in each mail: its lines are quoted and broken once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from certmail_config.compose.wire.bodies import Body, body
from certmail_config.compose.wire.quoting import BLANKS, LONGEST, broken, quoted, whole_lines

# Of the characters that Unicode leaves to whoever wants them; no template has them.
_BEGINS: Final = "\ue000"
_ENDS: Final = "\ue001"
_GAP: Final = re.compile(f"{_BEGINS}([^{_ENDS}]*){_ENDS}")


@dataclass(frozen=True, slots=True)
class Frame:
    """A page with gaps of these names."""

    names: tuple[str, ...]
    lines: str
    """Its lines that have gaps, quoted, one below the other, with `%s` for each gap."""
    values: Callable[[Sequence[str]], object]
    """Picks those of the gaps, in the order of the lines."""
    parts: tuple[str, ...]
    """All else of it, encoded: what is before each of these lines, and what is behind them."""
    signs: int
    """How many equals signs are in what is encoded already."""
    line_ends: int
    """How many the page has."""

    def filled(self, values: Sequence[str]) -> Body:
        """The page with these values, quoted and one for each name, encoded for transfer."""
        lines = (self.lines % self.values(values)).split("\n") if self.lines else []
        lines = [
            broken(line) if len(line) > LONGEST or line.endswith(BLANKS) else line for line in lines
        ]

        page = [*self.parts, *lines]
        page[::2], page[1::2] = self.parts, lines
        signs = self.signs + "".join(lines).count("=")
        return body("".join(page), signs=signs, line_ends=self.line_ends)


def gap(name: str) -> str:
    """What stands for a value of this name in a page that is to become a frame."""
    return f"{_BEGINS}{name}{_ENDS}"


def frame(page: str) -> Frame:
    """The frame that this page is, whose lines LF ends or divides."""
    gaps = _GAP.findall(page)
    names = tuple(dict.fromkeys(gaps))
    lines: list[str] = []
    parts = [""]

    for text in page.removesuffix("\n").split("\n"):
        first, *others = map(quoted, _GAP.split(text)[::2])
        if not others:
            parts[-1] += f"{broken(first)}\r\n"
            continue

        # What is broken off in front of the first gap will be so whatever fills it.
        whole, begin = whole_lines(first)
        lines.append("%s".join(each.replace("%", "%%") for each in (begin, *others)))
        parts[-1] += whole
        parts.append("\r\n")

    values = itemgetter(*map(names.index, gaps)) if gaps else _nothing
    signs = sum(part.count("=") for part in parts)
    return Frame(names, "\n".join(lines), values, tuple(parts), signs, page.count("\n"))


def _nothing(_values: Sequence[str]) -> tuple[()]:
    return ()
