"""A reviewer of a campaign, as people write one: a row of a file."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from certmail_config.campaigns.calendar import Country
from certmail_config.campaigns.campaign import Identifier, TimeZone
from certmail_config.campaigns.written_days import Day
from certmail_config.jobs.fields import Address, Count, Link, Locale, Text


class Reviewer(BaseModel):
    """Who decides, until when somebody else does, and how much is left."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )

    id: Identifier
    """What upstream calls the reviewer."""
    to: Address
    """Their address."""
    name: Text | None = None
    """What mails call them."""
    locale: Locale | None = None
    """Their language; else the campaign's."""
    time_zone: TimeZone | None = None
    """Their zone; else the campaign's, which is said in the plan."""
    country: Country | None = None
    """Whose working week and holidays they have; else the campaign's."""
    subdivision: str | None = None
    """The part of it."""
    manager: Address | None = None
    """Who is told if they do not decide."""
    deputy: Address | None = None
    """Who gets their mail while they are away."""
    deputy_from: Day | None = None
    """From this day on; without one, from now on."""
    deputy_until: Day | None = None
    """Up to and including this day; without one, for good."""
    pending: Count | None = None
    """How much is left to decide; with 0 they are done."""
    completed: Count | None = None
    """How much is decided."""
    link: Link | None = None
    """Where they decide; else the campaign's link."""

    @model_validator(mode="after")
    def _deputy_fits(self) -> Self:
        if self.deputy is None and (self.deputy_from or self.deputy_until):
            raise PydanticCustomError("no_deputy", "days of a deputy are given, but no deputy")
        if self.deputy_from and self.deputy_until and self.deputy_until < self.deputy_from:
            raise PydanticCustomError(
                "deputy_ends_early", "deputy_until must not be before deputy_from"
            )
        return self

    def deputy_on(self, day: date) -> str | None:
        """Who gets their mail on a day in their place."""
        if self.deputy is None:
            return None
        begun = self.deputy_from is None or self.deputy_from <= day
        return self.deputy if begun and (self.deputy_until is None or day <= self.deputy_until) else None  # fmt: skip
