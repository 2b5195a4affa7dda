"""Whether a sentence is ours, or one with which a library explains itself to programmers."""

from __future__ import annotations

import re
from typing import Final

FOREIGN: Final = re.compile(
    r"Input should|[Ii]nput |Value error|Expecting|Extra data|Unterminated|Invalid control|decode using|utf-8-sig|set_int_max|codec|"
    r"Invalid JSON|[Ss]tring should|valid string|valid integer|raw data|Exceeds the limit|[Ee]xtra inputs|pydantic|@-sign|invalid literal|"
    r"Internationalized characters|Traceback|Codepoint|hex escape|surrogates not|Field required|Decimal|type="
)


def foreign(sentence: str) -> str:
    """The words in it that are not ours; empty if all are."""
    found = FOREIGN.search(sentence)
    return found[0] if found else ""
