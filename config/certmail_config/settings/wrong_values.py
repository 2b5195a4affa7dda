"""What is wrong with settings, in words for whoever set them.

The value itself is never in them, since it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

_WORDS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "int_parsing": lambda _: "must be a whole number, without a unit",
    "int_parsing_size": lambda _: "must be a whole number, and not so large",
    "int_from_float": lambda _: "must be a whole number",
    "int_type": lambda _: "must be a whole number",
    "float_parsing": lambda _: "must be a number, without a unit",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a number, and not infinite",
    "greater_than": lambda given: f"must be more than {given['gt']:g}",
    "greater_than_equal": lambda given: f"must be {given['ge']:g} at least",
    "less_than_equal": lambda given: f"must be {given['le']:g} at most",
    "literal_error": lambda given: f"must be {given['expected']}",
    "string_too_short": lambda given: f"must have {given['min_length']} characters at least",
    "too_short": lambda given: f"must have {given['min_length']} characters at least",
}
"""Pydantic's own words are for programmers."""
_FORMS: Final = {
    "durability": "must be fsync, replicas:N, declared or none",
    "uncertain": "must be hold or resend, perhaps with kinds that differ, as in hold,final=resend",
    "uncertain_5xx": "must be hold or resend:SECONDS",
}
"""How the settings are written that have a pattern."""


def explain(error: ValidationError, prefix: str) -> str:
    """One clause per wrong variable."""
    clauses = []

    for item in error.errors(include_input=False, include_url=False):
        field = ".".join(str(part) for part in item["loc"][:1])
        if item["type"] == "string_pattern_mismatch":
            text = _FORMS[field]
        elif words := _WORDS.get(item["type"]):
            text = words(item.get("ctx", {}))
        else:
            text = str(item["msg"]).removeprefix("Value error, ")
        clauses.append(f"{prefix}{field.upper()}: {text}" if field else text)

    return "; ".join(clauses)
