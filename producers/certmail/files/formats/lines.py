"""Bytes as lines: each with its number, its text and its very bytes.

However long a file is, little of it is in memory.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import AnyStr, Final, NamedTuple

from certmail.files.formats.encoding import Encoding
from certmail_config.base.errors import WrongUse

MAX_LINE: Final = 16_000_000
"""Bytes or characters; what has no line end for so long is no table."""
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r(?!\Z))")


class Line(NamedTuple):
    """One physical line, with its end.

    A byte that is no text is a surrogate in `text`, and itself in `raw`.
    """

    number: int
    text: str
    raw: bytes


def read_lines(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[Line]:
    """All lines of a file, ended by LF, CRLF or CR.

    The first chunk does not begin with the mark. Raises WrongUse for an endless one.
    """
    found = _wide(chunks, encoding) if encoding.wide else _narrow(chunks, encoding)
    for number, (text, raw) in enumerate(found, 1):
        yield Line(number, text, raw)


def _narrow(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[tuple[str, bytes]]:
    # In every encoding that certmail reads, but the wide ones, these bytes are line ends and
    # nothing else.
    rest = b""

    for chunk in chunks:
        if b"\n" not in chunk and b"\r" not in chunk and b"\r" not in rest:
            rest = _bounded(rest + chunk)
            continue

        lines = (rest + chunk).splitlines(keepends=True)
        # A CR at the end may be half of a CRLF.
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
        for raw in lines:
            yield encoding.decode(raw), raw

    for raw in rest.splitlines(keepends=True):
        yield encoding.decode(raw), raw


def _wide(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[tuple[str, bytes]]:
    decoder = codecs.getincrementaldecoder(encoding.name)("surrogatepass")
    rest = ""

    for chunk in chunks:
        rest += decoder.decode(chunk)
        end = 0
        for found in _LINE.finditer(rest):
            end = found.end()
            yield found[0], found[0].encode(encoding.name, "surrogatepass")
        rest = _bounded(rest[end:])

    cut = decoder.getstate()[0]  # the first bytes of a character, of a file that ends too early
    text = rest + cut.decode("ascii", "surrogateescape")
    if text:
        yield text, rest.encode(encoding.name, "surrogatepass") + cut


def _bounded(rest: AnyStr) -> AnyStr:
    if len(rest) > MAX_LINE:
        raise WrongUse(
            "endless_line", "The file has a line that does not end: it is no table of reminders."
        )
    return rest
