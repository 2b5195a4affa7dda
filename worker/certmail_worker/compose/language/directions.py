"""Keeps a value that is written from right to left from turning the sentence around it.

Every language of the catalogues is written from left to right; names and titles may be of any.
"""

import re
import unicodedata
from typing import Final

from markupsafe import Markup, escape

_LEFT_TO_RIGHT_MARK: Final = "\u200e"
_ORDERS_ITSELF: Final = frozenset({"R", "AL", "NSM", "WS"})
_ITS_OWN: Final = Markup('<span dir="{}">{}</span>{}')
# The blocks of Hebrew, Arabic and their like; what else is in them does no harm in a mark.
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def in_text(value: str) -> str:
    """The value between marks that keep its direction to itself.

    A number or blank next to it stays on its side, and a line may begin with it.
    """
    if value.isascii() or not _turns(value):
        return value
    return f"{_LEFT_TO_RIGHT_MARK}{value}{_LEFT_TO_RIGHT_MARK}"


def in_html(value: str) -> Markup:
    """The value, escaped, with its own direction; not by `<bdi>`, which mail programs drop.

    Letters that all go the same way need only the marks: spam filters take tags within words for a
    disguise, and a sentence in Japanese is one word to them.
    """
    if value.isascii() or not _turns(value):
        return escape(value)
    if _ORDERS_ITSELF.issuperset(map(unicodedata.bidirectional, value)):
        return escape(in_text(value))

    own = "ltr" if _first_strong(value) == "L" else "rtl"
    return _ITS_OWN.format(own, value, _LEFT_TO_RIGHT_MARK)


def _turns(value: str) -> bool:
    return _RIGHT_TO_LEFT.search(value) is not None


def _first_strong(value: str) -> str:
    directions = map(unicodedata.bidirectional, value)
    return next((each for each in directions if each in {"L", "R", "AL"}), "L")
