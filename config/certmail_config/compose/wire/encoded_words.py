"""Encoded words (RFC 2047): what a header says beyond ASCII, as lines that may be folded.

A word ends where a character does. Of the two encodings the shorter is used.
"""

from binascii import b2a_base64
from typing import Final

_LINE: Final = 76
_AROUND: Final = len("=?utf-8?q??=")
_SAFE: Final = frozenset(b"-!*+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_QUOTED: Final = [chr(byte) if byte in _SAFE else f"={byte:02X}" for byte in range(256)]
_QUOTED[ord(" ")] = "_"
_CONTINUES: Final = frozenset("89AB")
"""How a byte of a character begins, in hexadecimal, that is not the character's first."""


def encoded_words(text: str, used: int) -> list[str]:
    """One word for each line, of which the first has so many characters already."""
    data = text.encode()
    quoted = data.decode("latin-1").translate(_QUOTED)
    if (len(data) + 2) // 3 * 4 < len(quoted):
        return [f"=?utf-8?b?{part}?=" for part in _base64_parts(data, used)]
    return [f"=?utf-8?q?{part}?=" for part in _quoted_parts(quoted, used)]


def _base64_parts(data: bytes, used: int) -> list[str]:
    parts = []
    start, room = 0, _LINE - used - _AROUND
    while start < len(data):
        end = min(start + room // 4 * 3, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(b2a_base64(data[start:end], newline=False).decode("ascii"))
        start, room = end, _LINE - 1 - _AROUND
    return parts


def _quoted_parts(quoted: str, used: int) -> list[str]:
    parts = []
    start, room = 0, _LINE - used - _AROUND
    while start < len(quoted):
        end = min(start + room, len(quoted))
        if end < len(quoted):
            end -= 1 if quoted[end - 1] == "=" else 2 if quoted[end - 2] == "=" else 0
            while quoted[end] == "=" and quoted[end + 1] in _CONTINUES:
                end -= 3
        parts.append(quoted[start:end])
        start, room = end, _LINE - 1 - _AROUND
    return parts
