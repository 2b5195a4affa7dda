"""Encodes a body for transfer, readable where that takes no more room."""

from binascii import a2b_qp, b2a_base64
from collections.abc import Sequence
from typing import Final, NamedTuple

from certmail_config.compose.wire.quoting import broken, quoted

_LINE: Final = 76
_BEYOND_ASCII: Final = bytes(range(128, 256))


class Body(NamedTuple):
    """A body in ASCII, with CRLF, and how it was encoded."""

    transfer_encoding: str
    wire: str


def body(quoted_printable: str, *, signs: int, line_ends: int) -> Body:
    """The body of a page, which is given in quoted-printable with CRLF at the end of each line.

    Quoted-printable stays readable in the raw mail, but triples every byte that is not ASCII;
    base64 adds a third to all. They meet where one byte in six of the page is not ASCII.

    `signs` are its equals signs, `line_ends` those of the page, which may lack the last one.
    """
    # A sign tells of a byte that is not ASCII, or is itself one of the page's, or breaks a line: two
    # or three characters that the page does not have. Where they are few nobody need read it again.
    if signs * 6 <= len(quoted_printable) - signs * 3 - line_ends - 2:
        return Body("quoted-printable", quoted_printable)

    data = a2b_qp(quoted_printable)
    beyond_ascii = len(data) - len(data.translate(None, _BEYOND_ASCII))
    if beyond_ascii * 6 <= len(data) - data.count(b"\n") * 2 + line_ends:
        return Body("quoted-printable", quoted_printable)
    return Body("base64", _base64(data))


def body_of_lines(lines: Sequence[str]) -> Body:
    """The body of these lines, encoded for transfer."""
    wire = "".join(f"{broken(quoted(line))}\r\n" for line in lines)
    return body(wire, signs=wire.count("="), line_ends=len(lines))


def _base64(data: bytes) -> str:
    whole = b2a_base64(data, newline=False).decode("ascii")
    lines = [whole[start : start + _LINE] for start in range(0, len(whole), _LINE)]
    return "\r\n".join([*lines, ""])
