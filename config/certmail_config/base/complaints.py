"""What is wrong with a value, in our own words. Pure.

Pydantic's messages are for programmers, and quote its own names for things.
"""

from __future__ import annotations

from functools import cache
from typing import Final, get_args

from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from certmail_config.base.ids import NAME_PATTERN

A_TIME: Final = "not an RFC 3339 time such as 2026-12-11T17:00:00+01:00"
_A_NUMBER: Final = "not a whole number such as 3"
_WORDS: Final = {
    "missing": "this field is required",
    "extra_forbidden": "certmail knows no such field",
    "string_unicode": "not valid UTF-8",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_too_long": "longer than {max_length} characters",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": _A_NUMBER,
    "int_parsing": _A_NUMBER,
    "int_parsing_size": "more than any number that can stand here",
    "int_from_float": _A_NUMBER,
    "finite_number": _A_NUMBER,
    "greater_than_equal": "must be at least {ge:,}",
    "less_than_equal": "must be at most {le:,}",
    "list_type": "must be a list",
    "too_short": "has fewer than {min_length:,} items",
    "too_long": "has more than {max_length:,} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be one of: {expected}",
    "enum": "must be one of: {expected}",
    "timezone_aware": "a time needs a zone, as in 2026-12-11T17:00:00+01:00",
}
_PATTERNS: Final = {NAME_PATTERN: "lower-case letters, digits and hyphens only, 63 at most"}
_OTHER_CHARACTERS: Final = "holds a character that cannot stand here"
_OTHER: Final = "not a value that can stand here"


def complaint(error: ErrorDetails) -> str:
    """One sentence; of the value that is wrong it quotes nothing."""
    kind = error["type"]
    if kind in _WORDS:
        return _WORDS[kind].format(**error.get("ctx", {}))
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(error.get("ctx", {}).get("pattern", ""), _OTHER_CHARACTERS)
    if kind.startswith(("datetime", "date_")):
        return A_TIME
    return _OTHER if kind in _foreign() else error["msg"]


@cache
def _foreign() -> frozenset[str]:
    """The kinds that Pydantic has words of its own for; all others are ours."""
    return frozenset(get_args(ErrorType))
