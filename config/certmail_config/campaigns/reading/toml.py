"""A campaign from its TOML file, or JSON text of the same form."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.cadence import CadenceRule
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.reading.places import line_of

_LINE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_MANUAL: Final = "docs/campaigns.md has a whole campaign to copy from."
_MOST: Final = 10
"""Faults that a message names."""


def read_campaign(text: str, file: str) -> Campaign:
    """Read a campaign; raises WrongUse that names each fault with its line."""
    value = _parsed(text, file)
    try:
        return Campaign.model_validate(value)
    except ValidationError as error:
        raise _wrong(error, value, text, file) from None


def read_rules(text: str, file: str) -> tuple[CadenceRule, ...]:
    """Read the rules of a file that has nothing else, or those of a campaign; raises WrongUse."""
    value = _parsed(text, file)
    rules = value.get("rule")
    if not isinstance(rules, list) or not rules:
        raise WrongUse("no_rules", f"{file} has no rules.", f"It needs [[rule]]. {_MANUAL}")

    found = []
    for number, each in enumerate(rules):
        try:
            found.append(CadenceRule.model_validate(each))
        except ValidationError as error:
            raise _wrong(error, value, text, file, ("rule", number)) from None
    return tuple(found)


def why_wrong(error: ValidationError) -> str:
    """What is wrong with a campaign that was changed, without lines."""
    return "; ".join(faults.words(each) for each in _details(error))


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        line = f", line {found[1]}" if (found := _LINE.search(said)) else ""
        what = _LINE.sub("", said)
        raise WrongUse(
            "invalid_toml", f"{file}{line} cannot be read as TOML: {what}.", _MANUAL
        ) from None


def _wrong(
    error: ValidationError,
    value: dict[str, Any],
    text: str,
    file: str,
    before: tuple[str | int, ...] = (),
) -> WrongUse:
    details = _details(error)
    named = [_sentence(each, value, text, before) for each in details[:_MOST]]
    more = f"; and {len(details) - _MOST} more" if len(details) > _MOST else ""
    return WrongUse(
        faults.code(details[0]), f"{file}, {'; '.join(named)}{more}.", _remedy(details[0])
    )


def _details(error: ValidationError) -> list[ErrorDetails]:
    found = error.errors(include_input=False, include_url=False)
    # Rules that are wrong are none to Pydantic: that there are too few then is not worth saying.
    return [each for each in found if not _follows_from_others(each, found)]


def _follows_from_others(one: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    where = one["loc"]
    deeper = any(
        len(each["loc"]) > len(where) and each["loc"][: len(where)] == where for each in found
    )
    return one["type"] == "too_short" and deeper


def _sentence(
    error: ErrorDetails, value: dict[str, Any], text: str, before: tuple[str | int, ...]
) -> str:
    where = (*before, *error["loc"])
    line = line_of(text, where)
    at = f"line {line}" if line else "at the top"
    names = [each for each in where if isinstance(each, str)]

    whose = ""
    if where[:1] == ("rule",) and len(where) > 1 and isinstance(number := where[1], int):
        rules = value.get("rule")
        rule = rules[number] if isinstance(rules, list) else None
        known = rule.get("id") if isinstance(rule, dict) else None
        whose = f"rule {known!r}" if isinstance(known, str) else f"rule {number + 1}"
        names = names[1:]

    named = " ".join(each for each in (whose, ".".join(names)) if each)
    return f"{at}{f', {named}' if named else ''}: {faults.words(error)}"


def _remedy(error: ErrorDetails) -> str:
    if error["type"] == "timezone_aware":
        return "Add the offset from UTC: 2026-12-11T17:00:00+01:00."
    return _MANUAL
