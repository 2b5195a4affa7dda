"""A script's text: its own file, after those of the shared definitions that it names.

Each call of a script builds every function of its text anew, so a script carries only what it
needs. A block that begins with the comment `-- rarely` needs more than the rest: that is built when
it is entered. Key names stand in the text itself, in place of the table `K`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

RARELY = "-- rarely"
_DEFINED = re.compile(r"local (?:function (\w+)|(\w+(?:, \w+)*))")
_NAME = re.compile(r"(?<![.\w])[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Definition:
    """One `local` of a shared file: the names that it gives, and its text."""

    names: frozenset[str]
    text: str


def definitions(source: str) -> list[Definition]:
    """What a shared file defines, in its order; all of it stands in `local`s at the margin."""
    parts = re.split(r"^(?=local )", _code(source), flags=re.MULTILINE)
    return [Definition(_given(part), part) for part in parts if part.strip()]


def assemble(script: str, shared: Iterable[str], keys: dict[str, str]) -> str:
    """The text of a script.

    Raises KeyError for a key that has no name.
    """
    known = [definition for source in shared for definition in definitions(source)]
    base, blocks = _apart(_code(script, keep=RARELY))
    everywhere = _needed(base, known)
    parts = [definition.text for definition in known if definition in everywhere]

    for rare, block in blocks:
        if rare:
            needed = _needed(block, known)
            more = [each.text for each in known if each in needed and each not in everywhere]
            parts += [*more, block]
        else:
            parts.append(block)

    text = _with_keys("".join(parts), keys)
    # Looked up once, not at each of some dozens of commands.
    return "local call = redis.call\n" + re.sub(r"\bredis\.call\b", "call", text)


def _given(part: str) -> frozenset[str]:
    found = _DEFINED.match(part)
    assert found, f"a shared file defines locals, and nothing else: {part}"
    return frozenset((found[1] or found[2]).split(", "))


def _code(source: str, keep: str | None = None) -> str:
    """Without comments and blank lines; `keep` is one comment that stays."""
    lines = []
    for line in source.splitlines():
        code = line if line.strip() == keep else re.sub(r"\s*--.*", "", line)
        if code.strip():
            lines.append(code + "\n")
    return "".join(lines)


def _apart(code: str) -> tuple[str, list[tuple[bool, str]]]:
    """A script's text without its rare blocks, and all of it in pieces that say whether they are."""
    pieces: list[tuple[bool, str]] = [(False, "")]
    margin = None

    for line in code.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip())
        if margin is not None and indent < margin:
            margin = None
            pieces.append((False, ""))
        if line.strip() == RARELY:
            margin = indent
            pieces.append((True, ""))
        else:
            rare, text = pieces[-1]
            pieces[-1] = rare, text + line

    return "".join(text for rare, text in pieces if not rare), pieces


def _needed(code: str, known: list[Definition]) -> set[Definition]:
    """The definitions that a text names, and those that they name in turn."""
    needed: set[Definition] = set()
    names = _names(code)

    # What a definition names stands before it.
    for definition in reversed(known):
        if definition.names & names:
            needed.add(definition)
            names |= _names(definition.text)

    return needed


def _names(code: str) -> set[str]:
    return set(_NAME.findall(re.sub(r"'[^'\n]*'", "''", code)))


def _with_keys(code: str, keys: dict[str, str]) -> str:
    return re.sub(r"\bK\.(\w+)", lambda found: f"'{keys[found[1]]}'", code)
