"""Composes a mail: its content from a letter, two bodies from that, one message of those."""

from certmail_worker.compose import mime, pages
from certmail_worker.compose.content import content
from certmail_worker.compose.letter import Letter, Mail


def compose(letter: Letter) -> Mail:
    """The mail for this letter: the same bytes each time, whatever the clock and the machine.

    Raises ComposeError if no mail can be made of it.
    """
    shown = content(letter)
    raw = mime.message(letter, shown.subject, pages.text_page(shown), pages.html_page(shown))
    return Mail(shown.subject, raw)
