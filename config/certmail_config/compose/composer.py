"""Composes a mail: its content from a letter, two bodies from that, one message of those."""

from certmail_config.compose.bodies import bodies
from certmail_config.compose.calendar import calendar_lines, due_events
from certmail_config.compose.content import Content, content
from certmail_config.compose.letter import Letter, Mail
from certmail_config.compose.look import PLAIN, Look
from certmail_config.compose.own.blocks import OwnBlocks, dressed
from certmail_config.compose.wire.bodies import Body, body_of_lines
from certmail_config.compose.wire.message import message


def compose(letter: Letter, brand: Look = PLAIN, own: OwnBlocks | None = None) -> Mail:
    """The mail for this letter: the same bytes each time, whatever the clock and the machine.

    `brand` and `own` are its tenant's look and words, where it has any.

    Raises ComposeError if no mail can be made of it.
    """
    shown = content(letter)
    blocks = own(shown) if own else {}
    calendar = _calendar(letter, dressed(shown, blocks)) if brand.calendar else None
    shown = dressed(shown, blocks, brand)

    raw = message(
        letter,
        shown.subject,
        shown.lang,
        *bodies(shown),
        calendar,
        sender_name=brand.display_name,
    )
    return Mail(shown.subject, shown.lang, raw)


def _calendar(letter: Letter, content: Content) -> Body | None:
    events = due_events(letter, content)
    return body_of_lines(calendar_lines(events, letter.now)) if events else None
