"""Writes the headers that carry people's words: Subject, From, To, Reply-To.

What is not plain is an encoded word as a whole, and lines break only between words. The standard
library's own folding of these (Python 3.11 to 3.13) has faults that matter here. A long quoted name
loses its quotes, so that `"x@evil.example, and so on …" <reviewer@example.com>` becomes two
recipients. Words that look encoded (`=?utf-8?…?=`) are decoded on the way out. A word that does not
fit moves to a line of its own and takes on a space.
"""

import re
from typing import Final

from certmail_config.compose.wire.encoded_words import encoded_words

_LINE: Final = 76
_FOLD: Final = "\r\n "
# Words that RFC 5322 lets stand unquoted in a name, and nothing that a reader could take for an
# encoded word.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*")
_PLAIN_TEXT: Final = re.compile(r"[\x21-\x7e]{1,60}(?: [\x21-\x7e]{1,60})*")
_WIRE: Final = re.compile(r"[ -~]+(?:\r\n [ -~]+)*")
_BREAKS_BEST_AFTER: Final = (";", ",", "")


def text_header(name: str, text: str) -> str:
    """A header of free text, such as Subject, with the end of its last line."""
    used = len(name) + 2
    if _PLAIN_TEXT.fullmatch(text) is None or "=?" in text:
        return header(name, _FOLD.join(encoded_words(text, used)))
    return header(name, text if used + len(text) <= _LINE else _folded(text, used))


def mailbox_header(name: str, display_name: str, address: str) -> str:
    """A header of exactly one mailbox, with a clean name, which may be empty.

    The address was checked before: it is written as it is.
    """
    if not display_name:
        return header(name, address)

    used = len(name) + 2
    if len(display_name) <= _LINE - used and _PLAIN_NAME.fullmatch(display_name):
        words = [display_name]
    else:
        words = encoded_words(display_name, used)

    last_line = len(words[-1]) + (1 if len(words) > 1 else used)
    gap = " " if last_line + len(address) + 3 <= _LINE else _FOLD
    return header(name, f"{_FOLD.join(words)}{gap}<{address}>")


def whole_header(name: str, value: str) -> str:
    """A header that nothing may break, such as Message-ID.

    It has a line of its own if it is too long beside the name and fits there.
    """
    beside = len(name) + 2 + len(value) <= _LINE or 1 + len(value) > _LINE
    return header(name, value, gap=" " if beside else _FOLD)


def header(name: str, value: str, *, gap: str = " ") -> str:
    """The header, if its value is in wire form.

    The last gate: whatever came before, a header is printable ASCII whose every further line is a
    continuation.
    """
    if not _WIRE.fullmatch(value):
        raise ValueError(f"{name} is not in wire form.")
    return f"{name}:{gap}{value}\r\n"


def _folded(text: str, used: int) -> str:
    """Plain words in several lines, broken behind a semicolon or a comma where there is one."""
    lines: list[str] = []
    line: list[str] = []
    for word in text.split(" "):
        line.append(word)
        if used + sum(map(len, line)) + len(line) - 1 > _LINE:
            cut = _best_break(line)
            lines.append(" ".join(line[:cut]))
            line, used = line[cut:], 1
    return _FOLD.join([*lines, " ".join(line)])


def _best_break(line: list[str]) -> int:
    places = range(len(line) - 1, 0, -1)
    return next(
        cut for mark in _BREAKS_BEST_AFTER for cut in places if line[cut - 1].endswith(mark)
    )
