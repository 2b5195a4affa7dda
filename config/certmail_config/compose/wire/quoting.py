"""Quoted-printable (RFC 2045 §6.7), each line for itself.

Quoting is done character by character, so parts that were quoted before can be put together; and
where a line is broken is decided from its beginning on.
"""

from binascii import b2a_qp
from typing import Final

LONGEST: Final = 76
BLANKS: Final = (" ", "\t")
_SOFT_BREAK: Final = "=\r\n"


def quoted(text: str) -> str:
    """What stands for the text, in ASCII; it has no line breaks."""
    if text.isascii() and text.isprintable() and "=" not in text:
        return text
    # It would quote a blank at the end and a dot that is all, and break lines where it likes.
    between = b2a_qp(f"x{text}x".encode(), istext=False)
    return between.replace(b"=\n", b"")[1:-1].decode("ascii")


def broken(line: str) -> str:
    """A whole quoted line, broken into such as may be sent; no escape is broken.

    A blank at its end, which servers might drop, is quoted. All other lines that are not longer than
    `LONGEST` stay as they are.
    """
    if line.endswith(BLANKS):
        line = f"{line[:-1]}={ord(line[-1]):02X}"
    whole, rest = whole_lines(line)
    return whole + rest


def whole_lines(begin: str) -> tuple[str, str]:
    """The lines that a line of this beginning is broken into whatever follows, and the rest."""
    whole = ""
    while len(begin) > LONGEST:
        stop = LONGEST - 1
        if begin[stop - 1] == "=":
            stop -= 1
        elif begin[stop - 2] == "=":
            stop -= 2
        whole += begin[:stop] + _SOFT_BREAK
        begin = begin[stop:]
    return whole, begin
