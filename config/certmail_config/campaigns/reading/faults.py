"""What is wrong with a value in a file, in our own words and with a code. Pure."""

from __future__ import annotations

from typing import Final

from pydantic_core import ErrorDetails

from certmail_config.base.complaints import complaint

_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "literal_error": "unknown_value",
    "string_too_long": "too_long",
    "string_too_short": "missing",
    "string_pattern_mismatch": "invalid_name",
    "timezone_aware": "time_without_zone",
    "bool_type": "invalid_value",
    "bool_parsing": "invalid_value",
}
_BY_BEGINNING: Final = {
    "datetime": "invalid_time",
    "date_": "invalid_day",
    "int_": "invalid_number",
    "finite_": "invalid_number",
    "greater_": "invalid_number",
    "less_": "invalid_number",
    "too_": "invalid_number",
}


def code(error: ErrorDetails) -> str:
    """What programs call it."""
    kind = error["type"]
    if kind in _CODES:
        return _CODES[kind]
    if kind.startswith("too_") and "ctx" in error and "field_type" in error["ctx"]:
        return "wrong_length"
    for beginning, name in _BY_BEGINNING.items():
        if kind.startswith(beginning) and kind != "too_long_a_campaign":
            return name
    return "invalid_value" if kind.endswith("_type") else kind


def place(error: ErrorDetails) -> str:
    """Where it stands: calendar.window, say."""
    return ".".join(str(each) for each in error["loc"] if isinstance(each, str))


def words(error: ErrorDetails) -> str:
    """The sentence for people."""
    return complaint(error)
