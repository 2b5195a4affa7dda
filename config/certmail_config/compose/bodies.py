"""Fills the two bodies of a mail: the templates are filled once for each outline, gaps in each mail."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from markupsafe import escape

from certmail_config.compose import pages
from certmail_config.compose.content import Content
from certmail_config.compose.language.phrases import Pattern, Phrase, Values
from certmail_config.compose.outline import Outline, gapped, outline_of, reader
from certmail_config.compose.wire.bodies import Body
from certmail_config.compose.wire.frames import Frame, frame
from certmail_config.compose.wire.quoting import quoted

_Write = Callable[[Content], str]
_Remembered = Callable[[Pattern, Values], str]
# What says who somebody is, or leads to what is theirs, is not kept from mail to mail.
_PERSONAL: Final = frozenset({"greeting", "link_sentence"})


class _Page(NamedTuple):
    frame: Frame
    writers: tuple[_Write, ...]
    """What writes a content's value into each gap, quoted."""

    def filled(self, content: Content) -> Body:
        return self.frame.filled([write(content) for write in self.writers])


def bodies(content: Content) -> tuple[Body, Body]:
    """Both bodies, the plain text first."""
    outline = outline_of(content)
    return _text(outline).filled(content), _html(outline).filled(content)


def text_body(content: Content) -> Body:
    """The plain-text body."""
    return _text(outline_of(content)).filled(content)


def html_body(content: Content) -> Body:
    """The HTML body."""
    return _html(outline_of(content)).filled(content)


# There are some hundred outlines, and no more of them in use than of letters that differ.
@lru_cache(maxsize=256)
def _text(outline: Outline) -> _Page:
    return _page(pages.text_page(gapped(outline)), str, _phrase_in_text)


@lru_cache(maxsize=256)
def _html(outline: Outline) -> _Page:
    return _page(pages.html_page(gapped(outline)), escape, _phrase_in_html)


def _page(filled: str, form: Callable[[object], str], remembered: _Remembered) -> _Page:
    cut = frame(filled)
    return _Page(cut, tuple(_writer(name, form, remembered) for name in cut.names))


def _writer(name: str, form: Callable[[object], str], remembered: _Remembered) -> _Write:
    read = reader(name)

    def write(content: Content) -> str:
        value = read(content)
        if type(value) is Phrase and name not in _PERSONAL:
            return remembered(value.pattern, value.values)
        return quoted(str(form(value)))

    return write


# Of a mail's other phrases most are those of other mails, too.
@lru_cache(maxsize=4096)
def _phrase_in_text(pattern: Pattern, values: Values) -> str:
    return quoted(str(Phrase(pattern, values)))


@lru_cache(maxsize=4096)
def _phrase_in_html(pattern: Pattern, values: Values) -> str:
    return quoted(str(escape(Phrase(pattern, values))))
