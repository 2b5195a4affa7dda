"""Keeps a value that is written from right to left from turning the sentence around it.

And one from left to right in a sentence of Arabic or Hebrew. Names and titles may be of any script.
"""

import re
import unicodedata
from typing import Final

LEFT_TO_RIGHT_MARK: Final = "\u200e"
RIGHT_TO_LEFT_MARK: Final = "\u200f"
_ISOLATED: Final = "\u2068{}\u2069"
_ORDERS_ITSELF: Final = frozenset({"R", "AL", "NSM", "WS"})
_ENDS: Final = frozenset({"L", "EN"})
_OWN_LETTERS: Final = {"ltr": frozenset({"L"}), "rtl": frozenset({"R", "AL"})}
_ITS_OWN: Final = '<span dir="{}">{}</span>{}'
# The blocks of Hebrew, Arabic and their like; what else is in them does no harm in a mark.
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def escaped(text: str) -> str:
    """The text as markupsafe escapes it, in a third of the time: it is asked for most."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&#34;")
        .replace("'", "&#39;")
    )


def in_text(value: str) -> str:
    """The value between marks that keep its direction to itself.

    A number or blank next to it stays on its side, and a line may begin with it.
    """
    if value.isascii() or not _turns(value):
        return value
    return f"{LEFT_TO_RIGHT_MARK}{value}{LEFT_TO_RIGHT_MARK}"


def in_html(value: str) -> str:
    """The value, escaped, with its own direction; not by `<bdi>`, which mail programs drop.

    Letters that all go the same way need only the marks: spam filters take tags within words for a
    disguise, and a sentence in Japanese is one word to them.
    """
    if value.isascii() or not _turns(value):
        return escaped(value)
    if _ORDERS_ITSELF.issuperset(map(unicodedata.bidirectional, value)):
        return escaped(in_text(value))

    own = "ltr" if _first_strong(value) == "L" else "rtl"
    return _ITS_OWN.format(own, escaped(value), LEFT_TO_RIGHT_MARK)


def in_rtl_text(value: str) -> str:
    """The value in a sentence from right to left: isolated, if anything in it goes the other way.

    A mark would not do: "Acme Inc." would lose its full stop to the other end.
    """
    if any(unicodedata.bidirectional(character) == "L" for character in value):
        return _ISOLATED.format(value)
    return value


def in_rtl_html(value: str) -> str:
    """The value, escaped, in a sentence from right to left; Outlook knows no isolates.

    By marks, since spam filters take tags within words for a disguise; but what goes from left to
    right and has words of the other direction in it is one piece only in an element of its own.
    """
    if _first_strong(value) == "L" and _turns(value):
        return _ITS_OWN.format("ltr", escaped(value), RIGHT_TO_LEFT_MARK)
    return escaped(_marked(value))


def among(value: str, direction: str) -> str:
    """The value among words that a customer wrote, in that direction: it keeps to itself.

    By marks alone, which are the same in subject, text and page.
    """
    return in_text(value) if direction == "ltr" else _marked(value)


def has_words_of(text: str, direction: str) -> bool:
    """Whether any letter of the text goes in that direction."""
    if text.isascii():
        return direction == "ltr"
    own = _OWN_LETTERS[direction]
    return any(unicodedata.bidirectional(character) in own for character in text)


def _marked(value: str) -> str:
    """The value in a sentence from right to left, which a blank or number next to it stays part of.

    "Acme Inc." is held together within, or it would lose its full stop to the other end.
    """
    directions = [unicodedata.bidirectional(character) for character in value]
    if "L" not in directions:
        return value

    held = value
    if _first_strong(value) == "L" and (directions[0] != "L" or directions[-1] not in _ENDS):
        held = f"{LEFT_TO_RIGHT_MARK}{value}{LEFT_TO_RIGHT_MARK}"
    return f"{RIGHT_TO_LEFT_MARK}{held}{RIGHT_TO_LEFT_MARK}"


def _turns(value: str) -> bool:
    return _RIGHT_TO_LEFT.search(value) is not None


def _first_strong(value: str) -> str:
    directions = map(unicodedata.bidirectional, value)
    return next((each for each in directions if each in {"L", "R", "AL"}), "L")
