"""How dates and numbers of CLDR's are set in a mail, where that differs from what CLDR says."""

import re
from typing import Final

_FIRST: Final = re.compile(r"\b1(?= \D)")

_ORDINALS: Final = {"fr": "1er", "pt": "1º"}


def plain(text: str) -> str:
    """The text with the ordinary no-break space for the narrow one.

    The narrow one is a box in some mail programs' fonts.
    """
    return text.replace("\u202f", "\u00a0")


def dated(text: str, language: str) -> str:
    """A date whose month is written out, as its language sets it.

    French and Brazilian count the first of a month, and only that, with an ordinal.
    """
    first = _ORDINALS.get(language)
    return plain(_FIRST.sub(first, text, count=1) if first else text)
