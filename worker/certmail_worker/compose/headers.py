"""Writes the headers that carry people's words: Subject, From, To, Reply-To.

The standard library's own folding of these (Python 3.11 to 3.13) has faults that matter here. A
long quoted name loses its quotes, so that `"x@evil.example, and so on …" <reviewer@example.com>`
becomes two recipients. Words that look encoded (`=?utf-8?…?=`) are decoded on the way out. A word
that does not fit moves to a line of its own and takes on a space. Here, what is not plain is an
encoded word as a whole, and lines break only between words. `EmailMessage` still keeps them single,
and every other header is its own.
"""

import re
from email.header import Header
from email.policy import Policy

_LINE = 76
# Words that RFC 5322 lets stand unquoted in a name, and nothing that a reader could take for an
# encoded word.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*")
_PLAIN_TEXT = re.compile(r"[\x21-\x7e]{1,60}(?: [\x21-\x7e]{1,60})*")


class WireHeader(str):
    """A header's value in its wire form.

    A policy takes such an object as it is and asks it to fold itself.
    """

    __slots__ = ("name",)
    name: str

    def fold(self, *, policy: Policy) -> str:
        """The header as lines."""
        return f"{self.name}: {self}".replace("\n", policy.linesep) + policy.linesep


def text_header(name: str, text: str) -> WireHeader:
    """A header of free text, such as Subject."""
    plain = _PLAIN_TEXT.fullmatch(text) is not None and "=?" not in text
    return _wire(name, _encoded(text, "us-ascii" if plain else "utf-8", len(name) + 2))


def mailbox_header(name: str, display_name: str, address: str) -> WireHeader:
    """A header of exactly one mailbox, with a clean name, which may be empty.

    The address was checked before: it is written as it is.
    """
    if not display_name:
        return _wire(name, address)

    if len(display_name) <= _LINE - len(name) - 2 and _PLAIN_NAME.fullmatch(display_name):
        phrase = display_name
    else:
        phrase = _encoded(display_name, "utf-8", len(name) + 2)

    last_line = len(phrase.rpartition("\n")[2]) + (0 if "\n" in phrase else len(name) + 2)
    gap = " " if last_line + len(address) + 3 <= _LINE else "\n "
    return _wire(name, f"{phrase}{gap}<{address}>")


def _encoded(text: str, charset: str, used: int) -> str:
    return Header(text, charset, maxlinelen=_LINE, header_name="x" * (used - 2)).encode()


def _wire(name: str, value: str) -> WireHeader:
    # The last gate: whatever came before, a header is printable ASCII whose every further line is a
    # continuation.
    if not all(part and part.isascii() and part.isprintable() for part in value.split("\n ")):
        raise ValueError(f"{name} is not in wire form.")
    header = WireHeader(value)
    header.name = name
    return header
