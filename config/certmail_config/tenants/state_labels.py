"""What people call the states of a connection, one word each.

The words stand in tables of the command line, in the API and in the console.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail_config.tenants.models import ConnectionState

WORDS: Final[Mapping[ConnectionState, str]] = {
    ConnectionState.ATTENTION: "needs attention",
    ConnectionState.PENDING: "being set up",
    ConnectionState.DRAFT: "not set up",
    ConnectionState.ACTIVE: "working",
    ConnectionState.DISABLED: "suspended",
}
"""In the order in which they want looking at.

Documents for machines name the state itself, with the word beside it.
"""
EXPLAINED: Final = "; ".join(f"`{state}`: {word}" for state, word in WORDS.items())
