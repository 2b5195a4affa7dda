"""Whole numbers as others write them. Pure.

In a text that is digits, and in JSON whatever is a whole number there.
"""

from __future__ import annotations

import re
from typing import Final

from pydantic_core import PydanticCustomError

_DIGITS: Final = re.compile(r"[0-9]+")


def whole(value: object) -> object:
    """A number that Pydantic may go on with, strict or not; raises PydanticCustomError.

    It is for use before Pydantic's own reading of a whole number, which refuses what is none.

    Python's reading of text takes signs, underscores and the digits of every script; 1.000 is a
    thousand to some and one to others; and `true` is no number. In JSON 3.0 is the same number as
    3, to JSON Schema as to us.
    """
    if isinstance(value, bool):
        raise PydanticCustomError("invalid_number", "not a whole number such as 3")

    if isinstance(value, str):
        text = value.strip()
        if not _DIGITS.fullmatch(text):
            raise PydanticCustomError(
                "invalid_number", "not a whole number in digits only, such as 1000"
            )
        return text

    if isinstance(value, float) and value.is_integer():
        return int(value)

    return value
