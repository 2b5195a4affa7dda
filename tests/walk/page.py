"""The commands of a page, part by part, and what their reader is told to see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from support.data.pages import page

SEE: Final = "# → "
"""What begins a line that says what is seen; `…` in it stands for anything."""
_FENCE: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that are copied in one go.

    Attributes:
        part: The heading above them.
        commands: As they stand there.
        seen: Lines that come up, in this order.
    """

    part: str
    commands: str
    seen: tuple[str, ...]

    def missing(self, output: str) -> str | None:
        """The first line that should have come up and did not; blanks do not count."""
        lines = iter([_plain(line) for line in output.splitlines()])

        for each in self.seen:
            wanted = re.compile(".*".join(re.escape(part) for part in _plain(each).split("…")))
            if not any(wanted.fullmatch(line) for line in lines):
                return each

        return None


def blocks(name: str, under: str = "") -> Iterator[Block]:
    """The blocks of a page in `docs`, or of those of its parts whose heading begins so."""
    for section in re.split(r"^## ", page(f"docs/{name}").text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        if not heading.startswith(under):
            continue
        for text in _FENCE.findall(body):
            seen = [line[len(SEE) :] for line in text.splitlines() if line.startswith(SEE)]
            yield Block(heading, text, tuple(seen))


def _plain(line: str) -> str:
    return " ".join(line.split())
