"""Which reminders have changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from certmail.gateway.api.models.base import GivenTime, Model, OnlyTenant, PageQuery, Time
from certmail_config.jobs.states import State


class Change(Model):
    """A state that a reminder came into.

    `cursor`: go on from here, where the page was not read to its end.
    """

    cursor: str
    at: Time
    id: str = Field(description="The reminder's.")
    tenant: str
    campaign: str | None
    state: State
    reason: str | None
    held: bool
    possible_duplicate: bool


class ChangePage(Model):
    """Some changes, the oldest first.

    Ask again with `next`, at once if there is `more`, or else after a while.
    """

    items: list[Change]
    next: str
    more: bool


class ChangeQuery(PageQuery):
    """Changes from where: a cursor, else a time, else the beginning of the record."""

    tenant: OnlyTenant = None
    since: Annotated[
        GivenTime | None,
        Field(
            description="Those that happened then or later. Only without a cursor, which knows better."
        ),
    ] = None
