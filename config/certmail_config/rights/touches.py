"""What a script of the ledger touches, read off its text: each command, with the keys it may get.

A script runs with the rights of whoever calls it, so this is what its caller must be allowed. What
a key is made of is followed through variables, parameters and functions by their names alone, so
that more is found than can happen, and never less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from certmail_config.base import redis_keys
from certmail_config.ledger.script import load

_CALL: Final = re.compile(r"(?<![\w.])(?:call|redis\.pcall)\(")
_KEY: Final = re.compile(r"'(" + re.escape(redis_keys.TAG) + r":[a-z:-]+)'")
_COMMAND: Final = re.compile(r"'([A-Z]{3,})'")
_NAME: Final = re.compile(r"(?<![\w.'])[a-z_]\w*")
_ID: Final = re.compile(r"\.\.\s*[\w.]+(?:\[[^\]]*\])*|[\w.]+(?=\s*\.\.\s*')")
"""What stands behind the beginning of a key, or before a text: an id, and no key."""
_TEXT: Final = re.compile(r"'[^'\n]*'")
_KEYLESS: Final = frozenset({"TIME", "INFO", "SCAN"})
ANY: Final = f"{redis_keys.TAG}:"
"""The key of a touch of which cannot be seen what it is: any of certmail's."""


@dataclass(frozen=True, slots=True, order=True)
class Touch:
    """One command on one key, or on those that begin so; no key: the command has none."""

    command: str
    key: str


@cache
def touches(script: str) -> frozenset[Touch]:
    """What the script of this name may do."""
    source = _Source(load(script).source)
    found = set()

    for call in _CALL.finditer(source.text):
        first, *more = _arguments(source.text, call.end())
        for command in _COMMAND.findall(first):
            if command in _KEYLESS:
                found.add(Touch(command, ""))
                continue
            keys = set().union(*(source.keys(each) for each in _key_arguments(command, more)))
            found |= {Touch(command, key) for key in keys or {ANY}}

    return frozenset(found)


def _key_arguments(command: str, arguments: list[str]) -> list[str]:
    return arguments if command in {"DEL", "EXISTS", "MGET", "MSET"} else arguments[:1]


class _Source:
    """A script's text, and what its names may stand for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._known: dict[str, list[str]] = {}
        self._functions = [
            (each[1], [name.strip() for name in each[2].split(",")])
            for each in re.finditer(r"function (\w+)\(([^)]*)\)", text)
        ]

    def keys(self, expression: str) -> set[str]:
        """The keys that an expression may be."""
        found: set[str] = set()
        seen: set[str] = set()
        left = [expression]

        while left:
            part = left.pop()
            if _CALL.search(part):
                continue  # what Redis gives is no key
            found.update(_KEY.findall(part))
            names = set(_NAME.findall(_TEXT.sub("''", _ID.sub("", part)))) - seen
            seen |= names
            for name in names:
                left += self._meanings(name)

        return found

    def _meanings(self, name: str) -> list[str]:
        if name not in self._known:
            self._known[name] = [
                *self._assigned(name),
                *self._given(name),
                *self._returned(name),
            ]
        return self._known[name]

    def _assigned(self, name: str) -> list[str]:
        """What is assigned to it or to its members, or looped over."""
        form = (
            rf"(?<![\w.]){name}\b(?:(?:\[[^\]\n]*\])?(?:,[^=\n(]*)?\s=\s(.*)|[^\n=(]* in ([^\n]*))"
        )
        return [each[1] or each[2] or "" for each in re.finditer(form, self.text)]

    def _given(self, name: str) -> list[str]:
        """What functions with a parameter of this name are called with."""
        found = []
        for function, parameters in self._functions:
            if name in parameters:
                place = parameters.index(name)
                for call in re.finditer(rf"(?<!function )(?<![\w.]){function}\(", self.text):
                    given = _arguments(self.text, call.end())
                    found.append(given[place] if place < len(given) else ",".join(given))
        return found

    def _returned(self, name: str) -> list[str]:
        """What the function of this name returns."""
        if name not in {function for function, _ in self._functions}:
            return []
        form = rf"^( *)local function {name}\(.*?(?:\n\1end|end\n)"
        body = re.search(form, self.text, re.DOTALL | re.MULTILINE)
        return re.findall(r"return ([^\n]*)", body[0]) if body else []


def _arguments(text: str, start: int) -> list[str]:
    """The arguments of a call whose bracket opens just before `start`."""
    parts, depth, begun, at = [], 0, start, start
    quoted = False
    while depth >= 0:
        char = text[at]
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "({[":
            depth += 1
        elif not quoted and char in ")}]":
            depth -= 1
        if depth < 0 or (char == "," and depth == 0 and not quoted):
            parts.append(text[begun:at].strip())
            begun = at + 1
        at += 1
    return parts
