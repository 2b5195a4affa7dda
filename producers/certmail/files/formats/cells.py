"""The meaning of a cell: its text, or nothing. Pure.

Nothing, where it holds a spreadsheet's error or a program's word for nothing.
"""

from __future__ import annotations

import re
from typing import Final

from certmail_config.base.errors import ReminderRejected

_ERROR: Final = re.compile(
    r"#(?:N/A|NV|N/D|N/T|[^\W\d_a-z]{2,}(?:/0)?[!?¡¿]|[¡¿][^\W\d_a-z]+[!?]|DIV/0!|#{2,}|GETTING_DATA)"
)
"""#N/A, #REF!, #NAME?, #DIV/0! in the languages of Excel, and ##### for a number too wide."""
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
        "?",
    }
)
"""In this very case: Null, Nan and Na are people's names."""
_DASHES: Final = frozenset({"-", "--", "\u2013", "\u2014"})
_NUMBERS: Final = frozenset({"pending", "completed", "priority"})
"""Where a dash may be 0, as Excel's accounting format shows it: with 0 pending nothing is sent."""
_NAMES: Final = frozenset({"tenant", "to", "campaign", "connection", "key"})
"""Fields that may be called so: a mailbox of North America is `na`."""
_WORDS_ONLY: Final = frozenset({"name", "campaign_name", "manager", "locale"})
"""Fields without which the same mail is sent, with fewer words.

What others say decides whether, when and with what link.
"""
_TAKEN_FOR: Final = ("cp1252", "latin-1", "mac_roman")
"""What programs take UTF-8 for: J\u00fcrg becomes J\u00c3\u00bcrg."""


def says_nothing(field: str, text: str) -> bool:
    """Whether a cell that is not blank stands for an empty one.

    Raises ReminderRejected for an error that cannot be left out.
    """
    value = text.strip()
    if _ERROR.fullmatch(value):
        if field in _WORDS_ONLY:
            return True
        raise ReminderRejected(
            "spreadsheet_error", f"the spreadsheet has an error here: {value}", field=field
        )

    if field in _NAMES or (
        field == "locale" and value.isascii() and value.isalpha() and len(value) <= 3
    ):
        return False

    return value in _NOTHING or (value in _DASHES and field not in _NUMBERS)


def garbled(text: str) -> str | None:
    """Why a text is not what was written, where that is certain.

    It was read in another encoding, and saved like that.
    """
    if text.isascii():
        return None
    if "\ufffd" in text:
        return "a character of it was lost (\ufffd) before it came here"

    for wrong in _TAKEN_FOR:
        try:
            meant = text.encode(wrong).decode("utf-8")
            if meant.isprintable() and not meant.isascii():
                return f"was opened in another encoding and saved so: it reads like {meant!r}"
        except UnicodeError:
            continue

    return None
