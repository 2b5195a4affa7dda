"""The encoding of a file, as far as that is certain. Pure.

Its byte order mark tells it, the zero bytes of UTF-16, or whoever named it.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from certmail_config.base.errors import WrongUse

UTF_8: Final = "utf-8"
BOM: Final = codecs.BOM_UTF8

_MARKS: Final = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as UTF-16's does, so it is asked first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MEANT: Final = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030",
    "euc_kr": "cp949", "utf-8-sig": UTF_8, "utf-16": "utf-16-le", "utf-32": "utf-32-le", "big5": "cp950",
}  # fmt: skip
"""Names that stand for a larger encoding in practice: the same table as browsers have."""
_ASCII: Final = "".join(map(chr, range(32, 127))) + "\t\r\n"


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec's name, and the mark that the file begins with.

    `given`: somebody said so, or the mark does.
    """

    name: str = UTF_8
    mark: bytes = b""
    given: bool = False

    @property
    def wide(self) -> bool:
        """Whether a line's end is more than one byte."""
        return self.name.startswith(("utf-16", "utf-32"))

    def decode(self, raw: bytes) -> str:
        """Bytes as text.

        Each byte that is no text becomes a surrogate; half a character at the end is left out.
        """
        if self.wide:
            return codecs.getincrementaldecoder(self.name)("surrogatepass").decode(raw)
        return raw.decode(self.name, "surrogateescape")

    def encode(self, text: str) -> bytes:
        """Text as bytes; what the encoding lacks becomes a question mark."""
        return text.encode(self.name, "replace")


def encoding_of(head: bytes, named: str | None = None) -> Encoding:
    """The encoding of a file that begins so.

    A mark is certain, whatever was named; raises WrongUse for an unknown name.
    """
    wanted = _codec(named) if named is not None else None

    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, mark, given=True)

    if wanted is not None:
        return Encoding(wanted, given=True)
    if len(head) >= 4 and head[0] and head[2] and not (head[1] or head[3]):
        return Encoding("utf-16-le", given=True)
    if len(head) >= 4 and head[1] and head[3] and not (head[0] or head[2]):
        return Encoding("utf-16-be", given=True)

    return Encoding()


def _codec(named: str) -> str:
    try:
        found = codecs.lookup(named.strip().lower()).name
        name = _MEANT.get(found, found)
        if name.startswith(("utf-16", "utf-32")) or _ASCII.encode(name) == _ASCII.encode("ascii"):
            return name
    except (LookupError, UnicodeError, ValueError):
        pass  # no encoding, or one that is not of text

    raise WrongUse(
        "unknown_encoding",
        f"certmail knows no encoding {named!r}.",
        "Windows writes cp1252 (western Europe), cp1250 (central Europe) or cp932 (Japan); an old Mac mac_roman.",
    )
