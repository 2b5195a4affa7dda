"""Sentences with values in them, as text for a text mail and as escaped HTML for a page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

from markupsafe import Markup

from certmail_config.compose.language import directions

Values = tuple[tuple[str, str], ...]
"""Names, and what stands for each."""

# Where a sentence without blanks may break: a page can be told, in a text nobody should find it.
_BREAK: Final = "\u200b"


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A sentence with `{names}` where values belong, in both of its forms.

    Equal only to itself: there is one of each, and caches ask often.
    """

    text: str
    html: str
    """Escaped."""
    in_text: Callable[[str], str] = directions.in_text
    """How a value of its own direction stands in the sentence."""
    in_html: Callable[[str], str] = directions.in_html

    @property
    def phrased(self) -> bool:
        """Whether it says where it may break, as only a language without blanks does."""
        return _BREAK in self.html

    @classmethod
    def of(cls, text: str, direction: str = "ltr") -> Self:
        """Both forms of one sentence, which is written in that direction."""
        both = text.replace(_BREAK, ""), directions.escaped(text)
        if direction == "rtl":
            return cls(*both, directions.in_rtl_text, directions.in_rtl_html)
        return cls(*both)


@dataclass(slots=True)
class Phrase:
    """A pattern and its values: a template writes `{{ phrase }}` and gets the form that fits it.

    Values are never read as patterns. In HTML each is escaped; in both, a name written from right
    to left cannot turn the sentence around it.
    """

    pattern: Pattern
    values: Values
    wire_text: str | None = field(default=None, init=False, compare=False)
    """How either body is sent with it, once that is known: whoever keeps a phrase keeps that, too."""
    wire_html: str | None = field(default=None, init=False, compare=False)

    def __str__(self) -> str:
        """The sentence as plain text."""
        return self._filled(self.pattern.text)

    def opening(self) -> str:
        """The sentence as it opens a text, with a capital letter.

        Some catalogues begin in lower case, since a greeting precedes.
        """
        return self._filled(f"{self.pattern.text[0].upper()}{self.pattern.text[1:]}")

    def html(self) -> str:
        """The sentence as HTML: pattern and values are escaped."""
        in_html = self.pattern.in_html
        return self.pattern.html.format_map({name: in_html(value) for name, value in self.values})

    def __html__(self) -> Markup:
        """The same; Jinja's autoescape asks for it."""
        return Markup(self.html())  # noqa: S704 - it is escaped

    def _filled(self, text: str) -> str:
        in_text = self.pattern.in_text
        return text.format_map({name: in_text(value) for name, value in self.values})


class Alone(Phrase):
    """A value that stands by itself, as somebody else wrote it."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """What was written."""
        return self.values[0][1]

    def __str__(self) -> str:
        """The value as plain text."""
        return self.pattern.text.replace(ALONE, self.pattern.in_text(self.values[0][1]))

    def html(self) -> str:
        """The value as HTML."""
        return self.pattern.in_html(self.values[0][1])


ALONE: Final = "{value}"
"""The pattern of such, whatever mark is in front of it."""
