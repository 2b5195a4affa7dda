"""The filters: what may be done to a variable before it is written. Each has a form that it takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final

from babel import Locale, UnknownLocaleError

from certmail_config.templates.language.scope import Form, Number, Plain

Change = Callable[[Plain], Plain]
PLURALS: Final = ("zero", "one", "two", "few", "many", "other")
_ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class WordFilter:
    """A filter: what it takes and gives, how it is written, and what it does."""

    takes: frozenset[Form]
    written: str
    make: Callable[[Locale, tuple[str | int, ...], Mapping[str, str | int]], Change]
    """Raises ValueError, whose sentence says what is wrong with the arguments."""
    gives: Form = Form.TEXT
    hint: Callable[[Locale, Mapping[str, str | int]], str | None] = field(
        default=lambda _locale, _named: None
    )


def locale_of(tag: str) -> Locale:
    """The locale of a tag, as far as it is known; else that of its language, else English."""
    parts = tag.replace("_", "-").split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (ValueError, UnknownLocaleError):
            parts.pop()
    return Locale("en")


def _text(value: Plain) -> str:
    return value.shown if isinstance(value, Number) else value or ""


def _default(
    _locale: Locale, plain: tuple[str | int, ...], named: Mapping[str, str | int]
) -> Change:
    if named or len(plain) != 1 or not isinstance(plain[0], str):
        raise ValueError("takes one text in quotation marks")
    instead = plain[0]
    return lambda value: _text(value) or instead


def _short(_locale: Locale, plain: tuple[str | int, ...], named: Mapping[str, str | int]) -> Change:
    if named or len(plain) != 1 or not isinstance(plain[0], int) or not 2 <= plain[0] <= _LONGEST:
        raise ValueError(f"takes one number from 2 to {_LONGEST:,}")
    return partial(_cut, limit=plain[0])


def _cut(value: Plain, limit: int) -> str:
    text = _text(value)
    if len(text) <= limit:
        return text

    end = limit - len(_ELLIPSIS)
    space = text.rfind(" ", end // 2, end + 1)
    if space > 0:
        return text[:space].rstrip() + _ELLIPSIS
    # A mark stays with its letter.
    while end and (unicodedata.category(text[end])[0] == "M" or _JOINER in text[end - 1 : end + 1]):
        end -= 1
    return text[:end].rstrip() + _ELLIPSIS


def _capital(
    _locale: Locale, plain: tuple[str | int, ...], named: Mapping[str, str | int]
) -> Change:
    if named or plain:
        raise ValueError("takes nothing more")
    return lambda value: _text(value)[:1].upper() + _text(value)[1:]


def _plural(locale: Locale, plain: tuple[str | int, ...], named: Mapping[str, str | int]) -> Change:
    forms = {name: form for name, form in named.items() if isinstance(form, str)}
    if plain or len(forms) != len(named) or not forms.keys() <= set(PLURALS):
        raise ValueError(f"takes texts by the names of plural forms ({', '.join(PLURALS)})")
    if "other" not in forms:
        raise ValueError('needs a form for all else: other="…"')
    return partial(_form_of, forms=forms, locale=str(locale))


def _form_of(value: Plain, forms: Mapping[str, str], locale: str) -> str:
    if not isinstance(value, Number):
        return ""
    return forms.get(_plural_form(value.value, locale), forms["other"])


@lru_cache(maxsize=4096)
def _plural_form(number: int, locale: str) -> str:
    form: str = Locale.parse(locale).plural_form(number)
    return form


def _missing_forms(locale: Locale, named: Mapping[str, str | int]) -> str | None:
    """The forms that the language has for whole numbers, and that are not given."""
    needed = {locale.plural_form(number) for number in range(201)} - named.keys()
    if not needed:
        return None
    return f"`plural` lacks a form that {locale.english_name} has: {', '.join(sorted(needed))}"


FILTERS: Final[Mapping[str, WordFilter]] = {
    "default": WordFilter(frozenset({Form.TEXT, Form.NUMBER}), 'default("…")', _default),
    "short": WordFilter(frozenset({Form.TEXT}), "short(40)", _short),
    "capital": WordFilter(frozenset({Form.TEXT}), "capital", _capital),
    "plural": WordFilter(
        frozenset({Form.NUMBER}), 'plural(one="…", other="…")', _plural, hint=_missing_forms
    ),
}
