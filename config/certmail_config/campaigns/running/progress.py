"""News of what is left to a reviewer: each has its place in time, and an older one undoes nothing.

News come in any order and more than once: a request is repeated, a queue runs behind. Whatever the
order, what is known in the end is the same. Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from certmail_config.base.numbers import whole
from certmail_config.campaigns.campaign import Identifier
from certmail_config.jobs.fields import Count
from certmail_config.jobs.times import Time

AHEAD: Final = timedelta(minutes=5)
"""So far a clock may be ahead of ours. News from farther in the future would hide all that follow."""
_MOST: Final = 2**63 - 1


class ProgressNews(BaseModel):
    """What is left to a reviewer, and since when that is so."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )

    reviewer: Identifier
    """Their id, as in the campaign."""
    pending: Count
    """How much is left to decide; with 0 they are done."""
    completed: Count | None = None
    """How much is decided."""
    at: Time | None = None
    """Since when it is so."""
    sequence: Annotated[int, Field(ge=0, le=_MOST), BeforeValidator(whole)] | None = None
    """In place of a time: a number that grows with each news of the reviewer."""

    @model_validator(mode="after")
    def _has_its_place(self) -> Self:
        if (self.at is None) == (self.sequence is None):
            raise PydanticCustomError(
                "unclear_order",
                "give one of at and sequence: without either nobody knows which news is the newer",
            )
        return self


class Progress(NamedTuple):
    """What is known of a reviewer, and by which news; without any, by the list they came in."""

    pending: int | None
    completed: int | None
    at: datetime | None = None
    sequence: int | None = None


class ProgressVerdict(StrEnum):
    """What becomes of a news."""

    TAKEN = "taken"
    """It is newer than what was known."""
    SAME = "same"
    """It was known already."""
    OLDER = "older"
    """Something newer is known: it changes nothing."""
    IN_THE_FUTURE = "in_the_future"
    """Its time has not come yet: it changes nothing."""


def merge(known: Progress, news: ProgressNews, now: datetime) -> tuple[Progress, ProgressVerdict]:
    """What is known after a news, and what became of it.

    Of two of one time the one that is farther counts. News with a sequence are newer than any with
    a time, so that an upstream may begin to count.
    """
    if news.at is not None and news.at > now + AHEAD:
        return known, ProgressVerdict.IN_THE_FUTURE

    told = Progress(news.pending, news.completed, news.at, news.sequence)
    if known.at is None and known.sequence is None:
        return told, ProgressVerdict.TAKEN
    if told == known:
        return known, ProgressVerdict.SAME
    if _place(told) > _place(known):
        return told, ProgressVerdict.TAKEN
    return known, ProgressVerdict.OLDER


def _place(one: Progress) -> tuple[bool, float, int, int]:
    place = one.sequence if one.at is None else one.at.timestamp()
    assert place is not None, "news have one of both"
    pending, completed = one.pending or 0, -1 if one.completed is None else one.completed
    return one.sequence is not None, place, -pending, completed
