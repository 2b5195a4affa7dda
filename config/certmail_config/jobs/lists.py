"""What a reminder may list: items that are open, and campaigns of a digest. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from certmail_config.jobs.fields import Count, Link, Text
from certmail_config.jobs.times import DayOrTime

MAX_ITEMS: Final = 50
MAX_CAMPAIGNS: Final = 20

Short = Annotated[str, Field(max_length=120)]


class _Listed(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )


class Item(_Listed):
    """One thing that is left to decide."""

    what: Annotated[str, Field(min_length=1, max_length=120)]
    """What it is about, such as an application or a group."""
    who: Short | None = None
    """Whose access it is."""
    access: Short | None = None
    """Which access, such as a role."""


class DigestCampaign(_Listed):
    """One of the campaigns that a digest tells of."""

    name: Annotated[Text, Field(min_length=1)]
    """What the mail calls it."""
    due_at: DayOrTime | None = None
    """Until when: a time, or a date, which ends in the reminder's `time_zone`."""
    pending: Count | None = None
    """How much is left to decide; with 0 the campaign is left out."""
    completed: Count | None = None
    """How much is decided."""
    link: Link | None = None
    """Where the reviewer decides."""


Items = Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)]
Campaigns = Annotated[tuple[DigestCampaign, ...], Field(max_length=MAX_CAMPAIGNS)]


def written(listed: tuple[Item | DigestCampaign, ...], value: Callable[[object], str]) -> str:
    """A list in the canonical form: each member in the order of its fields, what is None left out."""
    objects = (
        ",".join(f'"{name}":{value(each)}' for name, each in one if each is not None)
        for one in listed
    )
    return f"[{','.join(f'{{{one}}}' for one in objects)}]"
