"""Fills the two bodies of a mail: the templates are filled once for each outline, gaps in each mail."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from markupsafe import escape

from certmail_worker.compose import pages
from certmail_worker.compose.content import Content
from certmail_worker.compose.language.phrases import Pattern, Phrase, Values
from certmail_worker.compose.outline import Outline, gapped, outline_of, reader
from certmail_worker.compose.wire.bodies import Body
from certmail_worker.compose.wire.frames import Frame, frame
from certmail_worker.compose.wire.quoting import quoted

_Read = Callable[[Content], object]


class _Page(NamedTuple):
    frame: Frame
    readers: tuple[_Read, ...]


def text_body(content: Content) -> Body:
    """The plain-text body."""
    page = _text(outline_of(content))
    return page.frame.filled([_in_text(read(content)) for read in page.readers])


def html_body(content: Content) -> Body:
    """The HTML body."""
    page = _html(outline_of(content))
    return page.frame.filled([_in_html(read(content)) for read in page.readers])


# There are some hundred outlines, and no more of them in use than of letters that differ.
@lru_cache(maxsize=256)
def _text(outline: Outline) -> _Page:
    return _page(pages.text_page(gapped(outline)))


@lru_cache(maxsize=256)
def _html(outline: Outline) -> _Page:
    return _page(pages.html_page(gapped(outline)))


def _page(filled: str) -> _Page:
    cut = frame(filled)
    return _Page(cut, tuple(map(reader, cut.names)))


def _in_text(value: object) -> str:
    if isinstance(value, Phrase):
        return _phrase_in_text(value.pattern, value.values)
    return quoted(str(value))


def _in_html(value: object) -> str:
    if isinstance(value, Phrase):
        return _phrase_in_html(value.pattern, value.values)
    return quoted(str(escape(value)))


# Of the phrases of a mail all but two or three are those of other mails.
@lru_cache(maxsize=4096)
def _phrase_in_text(pattern: Pattern, values: Values) -> str:
    return quoted(str(Phrase(pattern, values)))


@lru_cache(maxsize=4096)
def _phrase_in_html(pattern: Pattern, values: Values) -> str:
    return quoted(str(Phrase(pattern, values).__html__()))
