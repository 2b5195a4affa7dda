"""The languages that mails are written in, and which of them a reminder's locale gets. Pure.

Producers and workers have the same answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

LANGUAGES: Final = ("ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pl", "pt", "zh")
"""A catalogue of texts each, in templates/catalogues: pt as in Brazil, zh in simplified characters."""
DEFAULT: Final = "en"
_BY_OTHER_CODES: Final = {
    "ara": "ar",
    "deu": "de",
    "ger": "de",
    "eng": "en",
    "spa": "es",
    "fra": "fr",
    "fre": "fr",
    "heb": "he",
    "iw": "he",
    "ita": "it",
    "jpn": "ja",
    "dut": "nl",
    "nld": "nl",
    "pol": "pl",
    "por": "pt",
    "chi": "zh",
    "zho": "zh",
}
"""ISO 639-2 has three letters for those that have two in a language tag, and two codes for some."""
_TRADITIONAL: Final = frozenset({"hant", "tw", "hk", "mo"})
"""Where Chinese is written in other characters, of which there is no catalogue."""
_BETWEEN: Final = re.compile("[-_.@]")


def speaks(locale: str | None) -> bool:
    """Whether there is a catalogue for that tag."""
    return _asked_for(locale) in LANGUAGES


def language_of(locale: str | None, fallback: str | None = None) -> str:
    """The language of the mail, for a tag such as de-CH, de_CH.UTF-8, or anything at all.

    Where there is no catalogue it is that of the fallback, else English.
    """
    for tag in (locale, fallback):
        if (code := _asked_for(tag)) in LANGUAGES:
            return code
    return DEFAULT


def why_another(locale: str | None, fallback: str | None = None) -> str | None:
    """Why the mail will not be in the language that was asked for.

    None where it will be, or none was asked for.
    """
    if not locale or speaks(locale):
        return None
    there, found = ", ".join(LANGUAGES), language_of(None, fallback)
    return f"certmail writes no mail in {locale!r}, so it will be in {found!r}; there are {there}"


@lru_cache(maxsize=256)
def _asked_for(locale: str | None) -> str:
    code, *others = _BETWEEN.split((locale or "").strip().lower())
    code = _BY_OTHER_CODES.get(code, code)
    if code == "zh" and _TRADITIONAL.intersection(others) and "hans" not in others:
        return "zh-hant"
    return code
