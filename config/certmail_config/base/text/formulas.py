"""Cells that no spreadsheet calculates, whatever somebody wrote into them. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a text begins that a spreadsheet takes for a formula, or would without its apostrophe.

Some take the wide forms of East Asian keyboards for the same.
"""


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet calculates: a formula in it would come from others."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def as_meant(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from calculating it."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
