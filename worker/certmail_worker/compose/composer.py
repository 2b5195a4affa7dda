"""Composes: from a letter to its content, from the content to two bodies, from those to one message."""

from certmail_worker.compose import mime, pages
from certmail_worker.compose.content import content
from certmail_worker.compose.letter import Letter, Mail


def compose(letter: Letter) -> Mail:
    """The mail for this letter: the same bytes each time, whatever the clock and the machine.

    Raises:
        ComposeError: No mail can be made of it.
    """
    said = content(letter)
    raw = mime.message(letter, said.subject, pages.text_page(said), pages.html_page(said))
    return Mail(said.subject, raw)
