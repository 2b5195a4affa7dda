"""The survey of a file that does not say its encoding: whether it is UTF-8.

If it is not, what it looks like and what to do.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Final

from certmail.files.formats.encoding import Encoding
from certmail.files.formats.lines import read_lines
from certmail_config.base.errors import WrongUse

_MAX_LOOKED_AT: Final = 200
"""Lines from which the encoding is guessed."""
_BY_HAND: Final = 'Or save the file as "CSV UTF-8".'


def is_utf_8(chunks: Iterable[bytes]) -> bool:
    """Whether all of it is UTF-8; the last character may be cut off."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def refuse_other_encodings(chunks: Iterable[bytes]) -> None:
    """Refuse a file that is in another encoding; raises WrongUse.

    In one that is UTF-8, single lines may be no text.
    """
    good, more, first = 0, 0, 0
    bad: list[bytes] = []

    for line in read_lines(chunks, Encoding()):
        if line.raw.isascii():
            continue
        if is_utf_8([line.raw]):
            good += 1
        elif len(bad) < _MAX_LOOKED_AT:
            bad.append(line.raw)
            first = first or line.number
        else:
            more += 1

    if len(bad) + more > good:
        raise _other_encoding(first, bad)


def _other_encoding(line: int, raw: list[bytes]) -> WrongUse:
    from certmail.files.formats.guess import readings  # noqa: PLC0415 - most files are UTF-8

    found = readings(raw)
    if not found:
        message = f"The file is not UTF-8 (line {line}), and certmail cannot tell what it is; nothing was enqueued."
        remedy = 'Save it as "CSV UTF-8", or say what it is with --encoding; with utf-8 such rows are rejected one by one.'
        return WrongUse("other_encoding", message, remedy)

    best, *others = found
    message = f"The file is not UTF-8. It looks like {best.called}, in which line {line} has {best.word!r}; nothing was enqueued."
    remedy = f"If that is right, add: --encoding {best.encoding}."

    if others:
        choices = " or ".join(f"--encoding {each.encoding} ({each.word!r})" for each in others)
        remedy += f" Else: {choices}."

    return WrongUse("other_encoding", message, f"{remedy} {_BY_HAND}")
