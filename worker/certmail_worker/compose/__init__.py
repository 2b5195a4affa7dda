"""Turns what is known about one reminder into the mail that leaves: `compose(letter) -> mail`.

Start at `composer`: `content` decides what is said, `pages` fills the two bodies, `wire` makes
the message of them. Pure: no clock, no store and no network.
"""

from certmail_worker.compose.composer import compose
from certmail_worker.compose.letter import ComposeError, Letter, Mail

__all__ = ["ComposeError", "Letter", "Mail", "compose"]
