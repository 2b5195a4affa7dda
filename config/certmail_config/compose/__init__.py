"""Turns what is known about one reminder into the mail that leaves: `compose(letter) -> mail`.

Start at `composer`: `content` decides what is said, of which `occasion` is what others are told as
well; `bodies` fills the two pages with it, `wire` makes the message of them. Pure: no clock, no store and no network; what is remembered from mail to
mail is bounded, and found again only by all that it was made of.
"""

from certmail_config.compose.composer import compose
from certmail_config.compose.letter import ComposeError, Letter, Mail, PendingItem, Review
from certmail_config.compose.look import PLAIN, Look, Picture
from certmail_config.compose.own.tenant_words import TenantWords

__all__ = [
    "PLAIN",
    "ComposeError",
    "Letter",
    "Look",
    "Mail",
    "PendingItem",
    "Picture",
    "Review",
    "TenantWords",
    "compose",
]
