"""Quoted-printable (RFC 2045 §6.7), each line for itself.

Quoting is done character by character, so parts that were quoted before can be put together.
"""

from typing import Final

LONGEST: Final = 76
_SAFE: Final = frozenset(map(ord, "\t" + "".join(map(chr, range(32, 127))))) - {ord("=")}
_QUOTED: Final = [chr(byte) if byte in _SAFE else f"={byte:02X}" for byte in range(256)]


def quoted(text: str) -> str:
    """What stands for the text, in ASCII; it has no line breaks."""
    if text.isascii() and text.isprintable() and "=" not in text:
        return text
    return text.encode().decode("latin-1").translate(_QUOTED)


def broken(line: str) -> str:
    """A whole quoted line, broken into such as may be sent; no escape is broken.

    A blank at its end, which servers might drop, is quoted.
    """
    if line.endswith((" ", "\t")):
        line = f"{line[:-1]}={ord(line[-1]):02X}"
    if len(line) <= LONGEST:
        return line

    start = 0
    parts = []
    while len(line) - start > LONGEST:
        stop = start + LONGEST - 1
        if line[stop - 2] == "=":
            stop -= 2
        elif line[stop - 1] == "=":
            stop -= 1
        parts.append(line[start:stop])
        start = stop

    parts.append(line[start:])
    return "=\r\n".join(parts)
