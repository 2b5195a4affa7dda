"""The header block of a message, changed line by line.

What nobody touches stays byte for byte as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.utils import getaddresses

_NAME = re.compile(rb"[!-9;-~]+")
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|\"[^\"\\\r\n]+\""
)
_DOMAIN = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


class BadAddress(ValueError):
    """A recipient header does not hold addresses."""


@dataclass(slots=True)
class Header:
    """One header with its folded lines as they came, without the last line end."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        """The value, unfolded, not decoded."""
        text = self.raw.partition(b":")[2].decode("utf-8", "surrogateescape")
        return re.sub(r"\r\n(?=[ \t])", "", text).strip()

    @property
    def text(self) -> str:
        """The value, unfolded and decoded, as people read it."""
        value = self.value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        try:
            return str(make_header(decode_header(value)))
        except (LookupError, ValueError):
            return value


@dataclass(slots=True)
class Headers:
    """The header block and the body behind it."""

    fields: list[Header]
    body: bytes

    @classmethod
    def parse(cls, message: bytes) -> Headers:
        """Read a message with any line ends.

        A line that is no header ends the block, as in the `email` package.
        """
        if not message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r"):
            message = re.sub(rb"\r\n|\r|\n", b"\r\n", message)

        fields: list[Header] = []
        position = 0
        while position < len(message):
            end = message.find(b"\r\n", position)
            end = len(message) if end < 0 else end
            line = message[position:end]
            if not line:
                position = end + 2
                break
            if line[:1] in b" \t" and fields:
                fields[-1].raw += b"\r\n" + line
            elif (name := _NAME.match(line)) and line[name.end() :].lstrip(b" \t").startswith(b":"):
                fields.append(Header(name.group().decode("ascii"), line))
            else:
                break
            position = end + 2

        return cls(fields, message[position:])

    def all(self, name: str) -> list[Header]:
        """Every header of this name, whatever its case."""
        return [header for header in self.fields if header.name.lower() == name.lower()]

    def first(self, name: str) -> Header | None:
        """The first header of this name; None without one."""
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        """The decoded value of the first header of this name, or nothing."""
        header = self.first(name)
        return header.text if header else ""

    def set(self, name: str, value: str) -> None:
        """Replace a header where it stands, or add it at the end of the block."""
        new = Header(name, f"{name}: {value}".encode())
        for index, header in enumerate(self.fields):
            if header.name.lower() == name.lower():
                self.fields[index] = new
                return
        self.fields.append(new)

    def without(self, names: Iterable[str]) -> Headers:
        """The same message without the headers of these names."""
        dropped = {name.lower() for name in names}
        return Headers([h for h in self.fields if h.name.lower() not in dropped], self.body)

    def to_bytes(self) -> bytes:
        """The message as it goes over the wire."""
        return b"\r\n".join([*(header.raw for header in self.fields), b"", self.body])


def is_address(address: str) -> bool:
    """Whether Gmail would take it as a recipient; SMTPUTF8 local parts are not (google.md §7.4)."""
    local, at, domain = address.rpartition("@")
    return bool(
        at
        and len(local) <= 64
        and len(address) <= 254
        and _LOCAL.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
    )


def addresses(header: Header) -> list[str]:
    """The bare addresses in a header; an empty group has none.

    Such a group is `undisclosed-recipients:;`. Raises BadAddress if something in the header is no
    address.
    """
    value = header.value
    if not value or re.fullmatch(r"[^:;@<>]*:\s*;", value):
        return []

    found = [address for _, address in getaddresses([value])]
    if not found or not all(is_address(address) for address in found):
        raise BadAddress(header.name)

    return found
