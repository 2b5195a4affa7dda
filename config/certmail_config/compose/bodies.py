"""Fills the two bodies of a mail: the templates are filled once for each outline, gaps in each mail."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from certmail_config.compose import pages
from certmail_config.compose.content import Content
from certmail_config.compose.language.directions import escaped
from certmail_config.compose.language.phrases import Phrase
from certmail_config.compose.outline import Outline, gapped, outline_of, reader
from certmail_config.compose.wire.bodies import Body
from certmail_config.compose.wire.frames import Frame, frame
from certmail_config.compose.wire.quoting import quoted

_Write = Callable[[object], str]


class _Page(NamedTuple):
    frame: Frame
    read: Callable[[Content], Sequence[object]]
    """What belongs into its gaps."""
    write: _Write
    """Writes that as the page is sent."""

    def filled(self, content: Content) -> Body:
        return self.frame.filled([*map(self.write, self.read(content))])


class _Pages(NamedTuple):
    text: _Page
    html: _Page


def bodies(content: Content) -> tuple[Body, Body]:
    """Both bodies, the plain text first."""
    text, html = _pages(outline_of(content))
    return text.filled(content), html.filled(content)


def text_body(content: Content) -> Body:
    """The plain-text body."""
    return _pages(outline_of(content)).text.filled(content)


def html_body(content: Content) -> Body:
    """The HTML body."""
    return _pages(outline_of(content)).html.filled(content)


# There are some hundred outlines, and no more of them in use than of letters that differ.
@lru_cache(maxsize=256)
def _pages(outline: Outline) -> _Pages:
    content = gapped(outline)
    return _Pages(
        _page(pages.text_page(content), _in_text), _page(pages.html_page(content), _in_html)
    )


def _page(filled: str, write: _Write) -> _Page:
    cut = frame(filled)
    return _Page(cut, reader(cut.names), write)


def _in_text(value: object) -> str:
    if not isinstance(value, Phrase):
        return quoted(str(value))
    if value.wire_text is None:
        value.wire_text = quoted(str(value))
    return value.wire_text


def _in_html(value: object) -> str:
    if not isinstance(value, Phrase):
        return quoted(escaped(str(value)))
    if value.wire_html is None:
        value.wire_html = quoted(value.html())
    return value.wire_html
