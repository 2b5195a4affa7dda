"""The record of deliveries: listed and counted."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from certmail.gateway.api.models.base import (
    NO_NUL,
    GivenTime,
    Model,
    OnlyTenant,
    Page,
    PageQuery,
    Time,
)
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.sql.record.groups import StateGroup
from certmail_config.sql.record.question import STATES_TO_NAME

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _day(value: object) -> object:
    """Refuse what Pydantic would take for a day, too: numbers and times."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("invalid_day", "a day is wanted, as in 2026-11-25")
    return value


def _named_state(value: str) -> str:
    if value not in STATES_TO_NAME:
        raise PydanticCustomError("invalid_state", f"one of {', '.join(STATES_TO_NAME)} is wanted")
    return value


NamedState = Annotated[
    str,
    AfterValidator(_named_state),
    WithJsonSchema({"type": "string", "enum": list(STATES_TO_NAME)}),
]
"""A state, or a group of states, in a query."""


class Delivery(Model):
    """A reminder on record. `recipient` and `mailbox` are null once erased."""

    id: str
    tenant: str
    connection: str
    kind: str
    campaign: str | None
    recipient: str | None
    mailbox: str | None
    state: State
    reason: str | None
    held: bool
    possible_duplicate: bool
    decided_by: str | None = Field(
        description="Who called it off or settled it; null where nobody had to."
    )
    enqueued_at: Time
    send_at: Time | None
    expires_at: Time
    updated_at: Time
    attempts: int = Field(description="How many requests to Gmail were made for it.")
    left_at: Time | None = Field(
        description="When the request left that Gmail accepted, or else the last whose answer was lost; null where none may have left."
    )
    http_status: int | None = Field(
        description="What Google answered to the request that it accepted, or else to the last. The next three are of the same."
    )
    google_reason: str | None
    gmail_id: str | None
    latency_ms: int | None


class DeliveryAttempt(Model):
    """One request to Gmail for a reminder. What is not known of it is null."""

    n: int
    begun_at: Time
    ended_at: Time | None
    outcome: AttemptOutcome | None = Field(description="Null while it is under way.")
    reason: str | None
    http_status: int | None
    google_reason: str | None
    latency_ms: int | None
    gmail_id: str | None
    gmail_thread_id: str | None
    template_version: int | None = Field(
        description="Of the tenant's own words; null where they are certmail's alone, or not on record."
    )
    locale: str | None
    message_sha256: str | None = Field(description="Of the bytes that Gmail was given.")
    subject_sha256: str | None


class DeliveryEvent(Model):
    """One thing that happened to a reminder."""

    at: Time
    type: str
    state: State | None = Field(description="The state that it came into.")
    reason: str | None
    attempt: int | None
    outcome: AttemptOutcome | None


class DeliveryStory(Delivery):
    """A reminder on record, with each of its requests, and all that happened to it in order."""

    requests: list[DeliveryAttempt]
    events: list[DeliveryEvent]


class Totals(Model):
    """How many reminders there are; `states` names those states only in which there are any.

    So does `groups`: what waits is `waiting`, what ended without having been sent is `not-sent`.
    """

    total: int
    states: dict[State, int]
    groups: dict[StateGroup, int]
    held: int = Field(description="Of these, those that wait for a person.")
    possible_duplicates: int = Field(
        description="Of these, those of which two copies may have arrived."
    )


class ReasonCount(Model):
    """How many are in a state for a reason."""

    state: State
    code: str = Field(description="Empty where no reason is on record.")
    words: str = Field(description="Those of one of them, with addresses hidden.")
    count: int


class ReasonCounts(Model):
    """Why, those reasons first that are most often given.

    `capped`: there may be more; of each state 20,000 deliveries are looked at.
    """

    reasons: list[ReasonCount]
    capped: bool


class HourCount(Model):
    """How many were enqueued in the hour that begins then."""

    at: Time
    total: int
    states: dict[State, int]


class HourCounts(Model):
    """The hours of a day in which any were enqueued; `day` is null where there is no such day.

    `capped`: the day has more, and these are its newest 20,000.
    """

    day: date | None
    hours: list[HourCount]
    capped: bool


class DeliveryPage(Page[Delivery]):
    """Some of the record, the newest first."""


class TotalsQuery(BaseModel):
    """Which deliveries are counted. `since` is included, `until` is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: OnlyTenant = None
    campaign: Annotated[
        str | None, Field(max_length=300, pattern=NO_NUL, description="Only this campaign's.")
    ] = None
    recipient: Annotated[
        str | None, Field(max_length=320, pattern=NO_NUL, description="Only those to this address.")
    ] = None
    state: Annotated[
        NamedState | None,
        Field(description="Only those in this state, or in one of this group of states."),
    ] = None
    since: Annotated[GivenTime | None, Field(description="Only those enqueued then or later.")] = (
        None
    )
    until: Annotated[GivenTime | None, Field(description="Only those enqueued before.")] = None


class HoursQuery(TotalsQuery):
    """Which deliveries, and of which day."""

    day: Annotated[
        date | None,
        Field(description="In UTC, as in 2026-11-25. Unset: the last on which any was enqueued."),
        BeforeValidator(_day),
    ] = None


class DeliveryQuery(PageQuery, TotalsQuery):
    """Which deliveries. `since` is included, `until` is not."""
