"""`fields=`: which parts of an answer the client wants, as `a,b/c,d(e,f/g)`.

See developers.google.com/workspace/gmail/api/guides/performance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from certmail_sandbox.wire import schema

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9]*|[*,/()]")


class BadMask(ValueError):
    """The mask cannot be read, or names a field that is not there.

    The text is the part at fault.
    """


@dataclass(slots=True)
class Mask:
    """What is wanted: by name, or everything where there is no name."""

    names: dict[str, Mask] = field(default_factory=dict)

    def of(self, value: object) -> object:
        """So much of a value as is wanted."""
        if not self.names:
            return value
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if not isinstance(value, dict):
            return value
        every = self.names.get("*")
        kept = {name: self.names.get(name, every) for name in value}
        return {name: mask.of(value[name]) for name, mask in kept.items() if mask is not None}


def read(text: str, kind: schema.Kind) -> Mask:
    """Read a mask for answers of a kind.

    Raises BadMask if it is malformed, or names what such an answer never has.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise BadMask(text)

    reader = _Reader(text, tokens)
    mask = reader.list_of(schema.of(kind))
    if reader.next is not None:
        raise BadMask(text)

    return mask


class _Reader:
    """Goes through the parts of one mask."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text = text
        self._tokens = tokens[::-1]

    @property
    def next(self) -> str | None:
        """The part that comes next; None at the end."""
        return self._tokens[-1] if self._tokens else None

    def list_of(self, known: schema.Schema | None) -> Mask:
        """`a,b,…`."""
        mask = Mask()
        self._path(known, mask)
        while self.next == ",":
            self._tokens.pop()
            self._path(known, mask)
        return mask

    def _path(self, known: schema.Schema | None, into: Mask) -> None:
        """`a`, `a/…` or `a(…)`; wanted twice, the wider wish counts."""
        name = self._tokens.pop() if self._tokens else ""
        if not name or name in ",/()":
            raise BadMask(self._text)
        if known is None or (name != "*" and name not in known):
            raise BadMask(name)

        below = None if name == "*" else schema.of(known[name])
        inner = Mask()

        if self.next == "/":
            self._tokens.pop()
            self._path(below, inner)
        elif self.next == "(":
            self._tokens.pop()
            inner = self.list_of(below)
            if self.next != ")":
                raise BadMask(self._text)
            self._tokens.pop()

        wished = into.names.setdefault(name, inner)
        if wished is not inner:
            wished.names = wished.names | inner.names if wished.names and inner.names else {}
