"""Makes text from outside harmless before anything else sees it, and keeps what it means."""

import re
import unicodedata
from itertools import takewhile
from typing import Final

import regex

# Characters that break lines or end strings somewhere: controls, line and paragraph separators, and
# halves of a surrogate pair, which no encoding can write; and the blank of Braille, which is none
# to `split`. They separated words, so a space takes their place.
_BREAKS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u2800\ud800-\udfff]")

# Characters that nobody sees but that reorder or disguise what is seen: bidi marks, embeddings,
# overrides and isolates, zero-width spaces and joins, soft hyphens, interlinear annotation,
# noncharacters, and the tag block. They stood inside words, so nothing takes their place. The
# zero-width joiner and non-joiner stay: Persian, Hindi and emoji need them; and behind a Han
# character what selects its form, which is how some names are written.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffc\ufffe\uffff\ufdd0-\ufdef\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    "|(?<![\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_BUT_MARKS: Final = re.compile(rf"(?![\u200e\u200f])(?:{_INVISIBLE.pattern})")

# What is seen by itself; a mark or a joiner is seen on something else only.
_SEEN: Final = frozenset("LNPSC")
_UNSEEN: Final = frozenset({"Cf", "Zs"})

_ELLIPSIS: Final = "…"


def line(text: str | None, *, marked: bool = False) -> str:
    """One clean line of text without outer or repeated spaces.

    Empty for nothing, and for what nobody sees. `marked` says that marks of direction are ours.
    """
    if not text:
        return ""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())

    harmless = (_BUT_MARKS if marked else _INVISIBLE).sub("", _BREAKS.sub(" ", text))
    # Last, since what stood between a letter and its accent may just have gone.
    clean = " ".join(unicodedata.normalize("NFC", harmless).split())
    return clean if any(map(_is_seen, clean)) else ""


def capped(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word boundary where one is near, and marked as cut.

    What a person sees as one character is kept or left out as a whole; if the first is too long
    already, nothing is left.
    """
    if len(text) <= limit:
        return text

    end = limit - len(_ELLIPSIS)
    space = text.rfind(" ", end // 2, end + 1)
    short = text[: space if space > 0 else _last_boundary(text, end)].rstrip(" ,;:·-\u2013\u2014(")
    return short + _ELLIPSIS if short else ""


def _last_boundary(text: str, end: int) -> int:
    """The last place up to `end` that no character as people see it spans."""
    boundaries = (cluster.end() for cluster in regex.finditer(r"\X", text))
    return max(takewhile(lambda boundary: boundary <= end, boundaries), default=0)


def _is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in _SEEN and category not in _UNSEEN
