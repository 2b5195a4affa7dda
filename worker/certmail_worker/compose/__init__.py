"""Turns what is known about one reminder into the mail that leaves: `compose(letter) -> mail`."""

from certmail_worker.compose.composer import compose
from certmail_worker.compose.letter import ComposeError, Letter, Mail

__all__ = ["ComposeError", "Letter", "Mail", "compose"]
