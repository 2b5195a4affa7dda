"""Sentences with values in them, which read as text in a text mail and as escaped HTML in a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from markupsafe import Markup, escape

_ISOLATED: Final = Markup("<bdi>{}</bdi>")


# Where a sentence without blanks may break: a page can be told, in a text nobody should find it.
_BREAK: Final = "\u200b"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with `{names}` where values belong, in both of its forms."""

    text: str
    html: Markup

    @classmethod
    def of(cls, text: str) -> Self:
        """Both forms of one sentence."""
        return cls(text.replace(_BREAK, ""), escape(text))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A pattern and its values: a template writes `{{ phrase }}` and gets the form that fits it.

    Values are never read as patterns. In HTML each is escaped and isolated, so that a name written from right to left
    cannot turn the sentence around it.
    """

    pattern: Pattern
    values: Mapping[str, str]

    def __str__(self) -> str:
        """The sentence as plain text."""
        return self.pattern.text.format_map(self.values)

    def opening(self) -> str:
        """The sentence where none stands before it: some catalogues begin in lower case, since a greeting precedes."""
        return f"{self.pattern.text[0].upper()}{self.pattern.text[1:]}".format_map(self.values)

    def __html__(self) -> Markup:
        """The sentence as HTML; Jinja's autoescape asks for it."""
        isolated = {name: _ISOLATED.format(value) for name, value in self.values.items()}
        return self.pattern.html.format_map(isolated)
