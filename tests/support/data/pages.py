"""The README and the pages of docs/, read as Markdown.

Paragraphs, fences, links, and what the links lead to.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
GENERATED: Final = frozenset({"docs/ledger.md", "docs/logs.md", "docs/settings.md"})

_FENCE: Final = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_LINK: Final = re.compile(r"!?\[(?:[^\]]*)\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_INSTALLED: Final = re.compile(r"(?:certmail-admin|/opt/certmail/bin/certmail) +([a-z][^<>|;)\n]+)")
_LABEL: Final = re.compile(r" {2,}[^ -].*$")


@dataclass(frozen=True, slots=True)
class Page:
    """One page; its name is its path from the root of the repository."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        """The text without what stands in fences."""
        return _FENCE.sub("", self.text)

    @property
    def paragraphs(self) -> list[str]:
        """Blocks of running text: no heading, table or fence; each item of a list is one."""
        blocks = re.split(r"\n\s*\n|\n(?=(?:[-*]|\d+\.) )", self.prose)
        found = [" ".join(block.split()) for block in blocks]
        return [block for block in found if block and not block.startswith(("#", "|", "!["))]

    @property
    def anchors(self) -> set[str]:
        """Where links into this page may lead, as GitHub makes them of headings."""
        seen: Counter[str] = Counter()
        found = set()
        for heading in _HEADING.findall(self.prose):
            plain = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
            found.add(f"{plain}-{seen[plain]}" if seen[plain] else plain)
            seen[plain] += 1
        return found

    @property
    def links(self) -> list[str]:
        """All that links and pictures lead to."""
        return _LINK.findall(self.prose)

    def fences(self, language: str) -> list[str]:
        """What stands in fences of one language; the empty one is what is typed into a terminal."""
        return [body for name, body in _FENCE.findall(self.text) if name == language]

    def command_lines(self) -> Iterator[list[str]]:
        """Each `certmail …` of fences and tables as its words.

        Redirections and explanations are left out.
        """
        typed = "\n".join(self.fences("") + self.fences("sh")).replace("\\\n", " ").splitlines()
        for line in [*typed, *_CODE.findall(self.prose)]:
            bare = line.strip()
            bare = _LABEL.sub("", bare) if not line.startswith(" ") else bare
            found = re.match(r"(?:echo .* \| )?certmail ([^>|]+)", bare)
            if found and "…" not in found[1]:
                yield shlex.split(found[1].split(" || ")[0])
            for words in _INSTALLED.findall(line):
                if "…" not in words:
                    yield shlex.split(words)


def pages() -> list[Page]:
    """Every page that people read, the changes included."""
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [Page(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths]


def page(name: str) -> Page:
    """One of them."""
    [found] = [each for each in pages() if each.name == name]
    return found
