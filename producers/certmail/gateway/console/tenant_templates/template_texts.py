"""What kinds, blocks and samples are called on these pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail.gateway.console.texts import N_
from certmail_config.templates.blocks import Block

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "notice": (N_("Notice"), N_("A campaign has begun.")),
    "reminder": (N_("Reminder"), N_("Decisions are still open.")),
    "final": (N_("Last reminder"), N_("The due date is near.")),
    "overdue": (N_("Overdue"), N_("The due date has passed, whichever kind it was before.")),
    "escalation": (N_("Escalation"), N_("To a manager or owner: somebody else’s are missing.")),
    "digest": (N_("Digest"), N_("Several campaigns in one mail.")),
    "custom": (N_("Custom"), N_("Says what the application gives it to say.")),
}
"""Name and sentence of each kind."""
BLOCKS: Final[Mapping[Block, tuple[str, str]]] = {
    Block.SUBJECT: (N_("Subject"), ""),
    Block.PREHEADER: (N_("Preview line"), N_("What a list of mails shows after the subject.")),
    Block.HEADLINE: (N_("Headline"), ""),
    Block.ASK: (N_("Request"), N_("What is asked of the reviewer. Each line is a paragraph.")),
    Block.TEXT: (N_("Text"), N_("All that the mail says. Each line is a paragraph.")),
    Block.BUTTON: (N_("Button"), N_("It stands beside the link in the text part, too.")),
    Block.FOOTER: (N_("Small print"), N_("Each line is a paragraph.")),
}
"""Name and hint of each block."""
SAMPLES: Final[Mapping[str, str]] = {
    "rich": N_("The usual is known"),
    "thin": N_("Next to nothing is known"),
    "nasty": N_("As long and odd as it gets"),
}
"""What is known of the reviewer of each sample."""
FASTER: Final = N_("Somebody was faster. What you wrote is still here, and is not published.")
PUBLISHED: Final = N_("Published. Mails are written with it within a minute.")
RESET: Final = N_(
    "All mails are in certmail’s own words and look again. The versions before are kept."
)
FASTER_THAN_RESET: Final = N_("Somebody has published meanwhile, so nothing was changed.")
FAULTY: Final = N_("Nothing was published: correct what is named first.")
NOT_SENT: Final = N_("Nothing was sent: correct what is named first.")
