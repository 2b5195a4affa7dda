"""What bytes that are not UTF-8 may be: readings to choose from, the likeliest first. Pure.

Names are too few letters for statistics (libraries that count letters take "Jörg" for Chinese), so
nothing is read by a guess: whoever sends the file sees what each reading makes of a word of theirs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

CANDIDATES: Final = {
    "cp1252": "Windows-1252 (western Europe)",
    "cp932": "Shift-JIS as Windows writes it (Japan)",
    "mac_roman": "Mac Roman",
    "cp1250": "Windows-1250 (central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp949": "Windows-949 (Korea)",
    "gb18030": "GB 18030 (China)",
    "cp950": "Big5 (Taiwan)",
    "cp1254": "Windows-1254 (Turkey)",
    "cp850": "code page 850 (MS-DOS)",
}
_COMMON: Final = frozenset("äöüÄÖÜßéèêëàâçîïôùûœæñáíóúåøãõÉÈÀÇÅØ’")
_FREQUENT: Final = {
    "cp932": (0x82, 0x97, 0),
    "cp949": (0xB0, 0xC8, 0xA1),
    "gb18030": (0xB0, 0xD7, 0xA1),
    "cp950": (0xA4, 0xC6, 0),
}
"""Where an encoding keeps its frequent characters: the first byte from and to, the second from."""
_PLAUSIBLE: Final = 0.3
_MAX_WORD: Final = 40
_WORD: Final = re.compile(r"[^,;\t|\"\r\n]*[^\x00-\x7f][^,;\t|\"\r\n]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """One encoding, in words, with what a word of the file is in it."""

    encoding: str
    called: str
    word: str


def readings(raw: Iterable[bytes]) -> list[Reading]:
    """The plausible readings of lines that are not UTF-8, at most three.

    Each makes another word of them.
    """
    text, found = b"\n".join(raw), []

    for encoding, called in CANDIDATES.items():
        try:
            read = text.decode(encoding)
        except UnicodeDecodeError:
            continue
        first = _WORD.search(read)
        if first is not None and (score := _score(read, encoding)) >= _PLAUSIBLE:
            found.append((score, Reading(encoding, called, first[0].strip()[:_MAX_WORD])))

    found.sort(key=lambda each: -each[0])
    distinct = {reading.word: reading for _, reading in reversed(found)}
    return [reading for _, reading in found if distinct[reading.word] is reading][:3]


def _score(text: str, encoding: str) -> float:
    """How plausible a reading is: from 1, as names are written, down to less than 0.

    Symbols lower it, and letters that do not stand beside each other.
    """
    marks = [_mark(character, encoding) for character in text if character > "\x7f"]
    clashes = sum(_clash(before, after) for before, after in pairwise(text))
    return (sum(marks) - clashes) / len(marks)


def _mark(character: str, encoding: str) -> float:
    if character in _COMMON:
        return 1.0

    category = unicodedata.category(character)
    if not category.startswith("L"):
        return -1.0

    script = _script(character)
    if script == "LATIN":
        return 0.7 if category == "Ll" else 0.5
    if script in {"HIRAGANA", "KATAKANA", "CYRILLIC"}:
        return 1.0
    if encoding not in _FREQUENT:
        return -0.5

    first, last, second = _FREQUENT[encoding]
    raw = character.encode(encoding)
    return 1.0 if len(raw) == 2 and first <= raw[0] <= last and raw[1] >= second else 0.1


def _clash(before: str, after: str) -> float:
    """How odd it is that two characters are neighbours in a word."""
    if not (before.isalpha() and after.isalpha()) or (before <= "\x7f" and after <= "\x7f"):
        return 0.0

    one, other = _script(before), _script(after)
    if one != other:
        return 0.0 if {one, other} <= {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"} else 1.0
    if one == "LATIN" and before > "\x7f" and after > "\x7f":
        return 0.6
    return 1.0 if before.islower() and after.isupper() else 0.0


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]
