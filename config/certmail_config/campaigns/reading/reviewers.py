"""Reviewers from a CSV file or JSON lines: each row is a reviewer, or is said to be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.reading.rows import BadRow, Columns, read_rows
from certmail_config.campaigns.reviewer import Reviewer

FIELDS: Final = tuple(Reviewer.model_fields)
REQUIRED: Final = ("id", "to")

_Places = dict[tuple[str | None, str | None], tuple[str, str] | None]
"""What is wrong with a country and subdivision, asked once for each pair."""


@dataclass(slots=True)
class Reviewers:
    """What a file holds; rows = reviewers + bad rows."""

    reviewers: list[Reviewer] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_reviewers(data: bytes, file: str, campaign: Campaign) -> Reviewers:
    """Read all rows; raises WrongUse for a file that as a whole is not what it should be."""
    found = Reviewers()
    places: _Places = {}
    lines: dict[str, int] = {}
    for line, given in read_rows(data, file, Columns(FIELDS, REQUIRED)):
        row = given if isinstance(given, BadRow) else _reviewer(line, given)
        if isinstance(row, Reviewer):
            row = _fits(line, row, campaign, places, lines)

        if isinstance(row, Reviewer):
            lines[row.id] = line
            found.reviewers.append(row)
        else:
            found.bad.append(row)

    return found


def _reviewer(line: int, given: Mapping[str, Any]) -> Reviewer | BadRow:
    try:
        return Reviewer.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return BadRow(line, faults.place(first) or None, faults.code(first), faults.words(first))


def _fits(
    line: int,
    row: Reviewer,
    campaign: Campaign,
    places: _Places,
    lines: Mapping[str, int],
) -> Reviewer | BadRow:
    """What a row alone does not tell: whether it is there already, and fits the campaign."""
    if row.id in lines:
        message = f"line {lines[row.id]} has this id already; only that one is planned"
        return BadRow(line, "id", "doubled_reviewer", message)

    place = (row.country, row.subdivision)
    if place not in places:
        try:
            campaign.calendar.of(*place)
            places[place] = None
        except PydanticCustomError as error:
            places[place] = (error.type, error.message())
    wrong = places[place]
    return row if wrong is None else BadRow(line, "subdivision", *wrong)
