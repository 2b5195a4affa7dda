"""Reads the texts of one language and picks the plural form that a number needs in it.

Each file in `certmail_config/templates/catalogues/` is TOML: a translator reads and edits it in any editor and may leave
comments, the standard library reads it, and plural forms carry the names that CLDR and Babel give
them (`one`, `few`, …) where gettext would number them and want a build step. A table with an
`other` is one text in its plural forms; every other table only groups texts, whose keys are joined
by dots. A file with a country in its name (`de-CH.toml`) holds only what that country writes
otherwise.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import format_decimal, format_percent

from certmail_config.compose.language.directions import (
    RIGHT_TO_LEFT_MARK,
    escaped,
    has_words_of,
)
from certmail_config.compose.language.phrases import ALONE, Alone, Pattern, Phrase
from certmail_config.compose.language.typography import plain
from certmail_config.jobs.languages import language_of, speaks

_FOLDER: Final = files("certmail_config.templates") / "catalogues"
# Countries that write as another one does.
_WRITES_AS: Final = {"de-LI": "de-CH"}


# What a language alone leaves open.
_TAGS: Final = {"zh": "zh-Hans"}


_SENTENCES: Final = {
    "ltr": Pattern(ALONE, ALONE, str, escaped),
    "rtl": Pattern(RIGHT_TO_LEFT_MARK + ALONE, ALONE, str, escaped),
}


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """The texts of one language, with the conventions of one locale for its numbers.

    Equal only to itself: there is one of each, and caches ask often.
    """

    locale: Locale
    texts: Mapping[str, Mapping[str, Pattern]]
    tag: str
    """The locale as HTML names it."""
    direction: str
    """`ltr` or `rtl`."""

    def say(self, key: str, **values: str) -> Phrase:
        """The text of that key, with its values."""
        return Phrase(self.texts[key]["other"], tuple(values.items()))

    def count(self, key: str, number: int, **values: str) -> Phrase:
        """The text of that key in the plural form for `number`, which it may show as `{count}`."""
        forms = self.texts[key]
        form = forms.get(_plural_form(number, self), forms["other"])
        return Phrase(form, (("count", self.number(number)), *values.items()))

    def pattern(self, text: str, *, opens: bool = False) -> Pattern:
        """A pattern without words of any language, such as marks between values.

        `opens` says that in a text it is a line of its own, which must know its direction.
        """
        return _bare(text, self.direction, opens=opens)

    def plain(self, value: str) -> Alone:
        """A value that stands by itself, as somebody else wrote it."""
        return Alone(_bare(ALONE, self.direction, opens=True), (("value", value),))

    def sentence(self, text: str) -> Alone:
        """What a customer wrote in this language, and goes in its direction.

        Whatever it begins with: else a name of the other direction turned all of it round.
        """
        if not has_words_of(text, self.direction):
            return self.plain(text)
        return Alone(_SENTENCES[self.direction], (("value", text),))

    def number(self, number: int) -> str:
        """The number with the locale's digits and grouping."""
        return _number(number, self)

    def percent(self, percent: int) -> str:
        """The percentage as the locale writes it."""
        return _percent(percent, self)


@lru_cache(maxsize=1024)
def catalogue(tag: str | None, fallback: str | None = None) -> Catalogue:
    """The texts for that locale: exactly it, else its language, else the fallback, else English.

    The tag is BCP 47 (`de-CH`) or POSIX (`de_CH.UTF-8`); anything at all is answered.
    """
    if not speaks(tag):
        tag = fallback
    language = language_of(tag)
    subtags = (tag or "").strip().split(".")[0].split("@")[0].replace("_", "-").split("-")
    while subtags:
        locale = _known_locale("-".join(subtags))
        if locale is not None and locale.language == language:
            return _of(locale)
        subtags.pop()

    return _of(Locale(language))


@cache
def languages() -> frozenset[str]:
    """The languages that have a catalogue."""
    return frozenset(name for name in _names() if "-" not in name)


# There is one of each: no more than there are locales.
@lru_cache(maxsize=1024)
def _of(locale: Locale) -> Catalogue:
    texts = _texts(locale.language, locale.territory)
    tag = str(locale).replace("_", "-")
    return Catalogue(locale, texts, _TAGS.get(tag, tag), locale.text_direction)


@lru_cache(maxsize=64)
def _bare(text: str, direction: str, *, opens: bool) -> Pattern:
    made = Pattern.of(text, direction)
    return (
        replace(made, text=RIGHT_TO_LEFT_MARK + made.text) if opens and direction == "rtl" else made
    )


@lru_cache(maxsize=4096)
def _number(number: int, words: Catalogue) -> str:
    return plain(format_decimal(number, locale=words.locale))


@lru_cache(maxsize=1024)
def _percent(percent: int, words: Catalogue) -> str:
    return plain(format_percent(percent / 100, locale=words.locale))


@lru_cache(maxsize=4096)
def _plural_form(number: int, words: Catalogue) -> str:
    return words.locale.plural_form(number)


@cache
def _names() -> frozenset[str]:
    return frozenset(
        file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")
    )


def _known_locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


@cache
def _texts(language: str, territory: str | None) -> Mapping[str, Mapping[str, Pattern]]:
    country = f"{language}-{territory}"
    country = _WRITES_AS.get(country, country)
    return _file(language) | (_file(country) if country in _names() else {})


@cache
def _file(name: str) -> dict[str, Mapping[str, Pattern]]:
    document = tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))
    direction = Locale.parse(name, sep="-").text_direction
    return {
        key: {form: Pattern.of(text, direction) for form, text in forms.items()}
        for key, forms in _flat(document, "")
    }


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield prefix + key, {"other": value}
        elif "other" in value:
            yield prefix + key, value
        else:
            yield from _flat(value, f"{prefix}{key}.")
