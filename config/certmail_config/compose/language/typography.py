"""How dates and numbers of CLDR's are set in a mail, where that differs from what CLDR says."""

import re
from typing import Final

_FIRST: Final = re.compile(r"\b1(?= \D)")

_ORDINALS: Final = {"fr": "1er", "it": "1º", "pt": "1º"}

# CLDR names a zone as a heading does; within a sentence these nouns are written small.
_NOUNS: Final = {"it": ("Ora ", "Tempo "), "pt": ("Hora ", "Horário ")}


def plain(text: str) -> str:
    """The text with the ordinary no-break space for the narrow one.

    The narrow one is a box in some mail programs' fonts.
    """
    return text.replace("\u202f", "\u00a0")


def dated(text: str, language: str) -> str:
    """A date whose month is written out, as its language sets it.

    French, Italian and Brazilian count the first of a month, and only that, with an ordinal.
    """
    first = _ORDINALS.get(language)
    return plain(_FIRST.sub(first, text, count=1) if first else text)


def within(zone: str, language: str) -> str:
    """The name of a time zone as it stands within a sentence of that language."""
    if zone.startswith(_NOUNS.get(language, ())):
        return zone[0].lower() + zone[1:]
    return zone
