"""Composes a mail: its content from a letter, two bodies from that, one message of those."""

from certmail_worker.compose.bodies import html_body, text_body
from certmail_worker.compose.content import content
from certmail_worker.compose.letter import Letter, Mail
from certmail_worker.compose.wire.message import message


def compose(letter: Letter) -> Mail:
    """The mail for this letter: the same bytes each time, whatever the clock and the machine.

    Raises ComposeError if no mail can be made of it.
    """
    shown = content(letter)
    raw = message(letter, shown.subject, text_body(shown), html_body(shown))
    return Mail(shown.subject, raw)
