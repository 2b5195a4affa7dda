"""The languages that mails are written in, and which of them a reminder's locale gets. Pure.

Producers and workers have the same answer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

LANGUAGES: Final = ("de", "en", "es", "fr", "ja", "pl")
"""A catalogue of texts each, in the worker."""
DEFAULT: Final = "en"
_BY_OTHER_CODES: Final = {
    "deu": "de",
    "ger": "de",
    "eng": "en",
    "spa": "es",
    "fra": "fr",
    "fre": "fr",
    "jpn": "ja",
    "pol": "pl",
}
"""ISO 639-2 has three letters for those that have two in a language tag, and two codes for some."""


def language_of(locale: str | None) -> str:
    """The language of the mail, for a tag such as de-CH, de_CH.UTF-8, or anything at all."""
    code = _asked_for(locale)
    return code if code in LANGUAGES else DEFAULT


def why_another(locale: str | None) -> str | None:
    """Why the mail will not be in the language that was asked for.

    None where it will be, or none was asked for.
    """
    if not locale or _asked_for(locale) in LANGUAGES:
        return None
    there = ", ".join(LANGUAGES)
    return f"certmail writes no mail in {locale!r}, so it will be in {DEFAULT!r}; there are {there}"


@lru_cache(maxsize=256)
def _asked_for(locale: str | None) -> str:
    code = (
        (locale or "")
        .strip()
        .replace("_", "-")
        .replace(".", "-")
        .replace("@", "-")
        .partition("-")[0]
        .lower()
    )
    return _BY_OTHER_CODES.get(code, code)
