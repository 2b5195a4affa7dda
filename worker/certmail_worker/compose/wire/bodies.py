"""Encodes a body for transfer, readable where that takes no more room."""

from binascii import b2a_base64
from functools import lru_cache
from typing import Final, NamedTuple

from certmail_worker.compose.wire.quoting import LONGEST, broken, quoted

_BEYOND_ASCII: Final = bytes(range(128, 256))


class Body(NamedTuple):
    """A body in ASCII, with CRLF, and how it was encoded."""

    transfer_encoding: str
    wire: str


def encoded(page: str) -> Body:
    """A page, whose lines LF ends or divides, for transfer.

    Quoted-printable stays readable in the raw mail, but triples every byte that is not ASCII;
    base64 adds a third to all. They meet where one byte in six is not ASCII.
    """
    data = page.encode()
    beyond_ascii = len(data) - len(data.translate(None, _BEYOND_ASCII))
    if beyond_ascii * 6 > len(data):
        return Body("base64", _base64(data.removesuffix(b"\n").replace(b"\n", b"\r\n") + b"\r\n"))

    lines = page.removesuffix("\n").split("\n")
    return Body("quoted-printable", "\r\n".join([*map(_line, lines), ""]))


@lru_cache(maxsize=2048)
def _line(line: str) -> str:
    """Most lines are the template's own, and the same in each mail."""
    return broken(quoted(line))


def _base64(data: bytes) -> str:
    whole = b2a_base64(data, newline=False).decode("ascii")
    lines = [whole[start : start + LONGEST] for start in range(0, len(whole), LONGEST)]
    return "\r\n".join([*lines, ""])
