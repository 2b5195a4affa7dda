"""Makes text from outside harmless before anything else sees it, and keeps what it means."""

import re
import unicodedata

# Characters that break lines or end strings somewhere: controls, line and paragraph separators, and halves of a
# surrogate pair, which no encoding can write. They separated words, so a space takes their place.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Characters that nobody sees but that reorder or disguise what is seen: bidi marks, embeddings, overrides and
# isolates, zero-width spaces and joins, soft hyphens, interlinear annotation, noncharacters, and the tag block. They stood inside
# words, so nothing takes their place. The zero-width joiner and non-joiner stay: Persian, Hindi and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffc\ufffe\uffff\ufdd0-\ufdef\U000e0000-\U000e0fff]"
)

_ELLIPSIS = "…"


def line(text: str | None) -> str:
    """One clean line of text without outer or repeated spaces; empty for nothing."""
    if not text:
        return ""
    composed = unicodedata.normalize("NFC", text)
    return " ".join(_INVISIBLE.sub("", _BREAKS.sub(" ", composed)).split())


def capped(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word boundary where one is near, and marked as cut."""
    if len(text) <= limit:
        return text
    end = limit - len(_ELLIPSIS)
    space = text.rfind(" ", end // 2, end + 1)
    if space > 0:
        end = space
    # A base character keeps its accents and joiners, or loses them together with itself.
    while end > 0 and _belongs_to_the_previous(text[end]):
        end -= 1
    return text[:end].rstrip(" ,;:·-\u2013\u2014(") + _ELLIPSIS


def _belongs_to_the_previous(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"}
