"""Composes a mail: its content from a letter, two bodies from that, one message of those."""

from certmail_worker.compose import pages
from certmail_worker.compose.content import content
from certmail_worker.compose.letter import Letter, Mail
from certmail_worker.compose.wire.bodies import encoded
from certmail_worker.compose.wire.message import message


def compose(letter: Letter) -> Mail:
    """The mail for this letter: the same bytes each time, whatever the clock and the machine.

    Raises ComposeError if no mail can be made of it.
    """
    shown = content(letter)
    text, html = encoded(pages.text_page(shown)), encoded(pages.html_page(shown))
    return Mail(shown.subject, message(letter, shown.subject, text, html))
