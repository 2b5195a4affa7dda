"""Blocks of a customer's own, as a tenant's words give them."""

from __future__ import annotations

from collections.abc import Mapping

from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.own.blocks import OwnBlocks, own_lines


def says(texts: Mapping[str, str]) -> OwnBlocks:
    """These words, by block, in each mail."""
    return lambda shown: {
        name: own_lines(catalogue(shown.lang), text.splitlines()) for name, text in texts.items()
    }
