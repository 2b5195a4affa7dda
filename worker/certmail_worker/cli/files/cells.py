"""What a cell says: nothing, where it holds a spreadsheet's error or a program's word for nothing; else its text. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from certmail_config.errors import ReminderRejected

_ERROR: Final = re.compile(
    r"#(?:N/A|NV|N/D|N/T|[^\W\d_a-z]{2,}(?:/0)?[!?¡¿]|[¡¿][^\W\d_a-z]+[!?]|DIV/0!|#{2,}|GETTING_DATA)"
)
"""#N/A, #REF!, #NAME?, #DIV/0! in the languages of Excel, and ##### for a number that its column had no room for."""
_NOTHING: Final = frozenset(
    {
        "NULL",
        "null",
        "(null)",
        "None",
        "none",
        "nan",
        "NaN",
        "NaT",
        "<NA>",
        "NA",
        "N/A",
        "n/a",
        "undefined",
        "\\N",
    }
    | {"-", "--", "\u2013", "\u2014", "?"}
)
"""In this very case: Null, Nan and Na are people's names."""
_NAMES: Final = frozenset({"tenant", "to", "campaign", "connection", "key"})
"""Fields that may be called so: a mailbox of North America is `na`."""
_WORDS_ONLY: Final = frozenset({"name", "campaign_name", "manager", "locale"})
"""Fields without which the same mail is sent, with fewer words. What others say decides whether, when and with what link."""
_FORMULA: Final = re.compile(r"'(?=[=+\-@\t\r])")
"""What an export of ours puts before a text that a spreadsheet would take for a formula."""


def says_nothing(field: str, text: str) -> bool:
    """Whether a cell that is not blank stands for an empty one. Raises ReminderRejected for an error that cannot be left out."""
    value = text.strip()
    if _ERROR.fullmatch(value):
        if field in _WORDS_ONLY:
            return True
        raise ReminderRejected(
            "spreadsheet_error", f"the spreadsheet has an error here: {value}", field=field
        )
    if field in _NAMES or (field == "locale" and value.isascii() and value.isalpha() and len(value) <= 3):
        return False
    return value in _NOTHING


def as_meant(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from calculating it."""
    return _FORMULA.sub("", text, count=1) if text.startswith("'") else text


def harmless(value: Any) -> Any:
    """A spreadsheet takes a cell that begins so for a formula, and what is in it came from others."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )
