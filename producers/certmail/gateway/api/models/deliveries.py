"""The record of deliveries: listed and counted."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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
    """How many reminders there are; `states` names those states only in which there are any."""

    total: int
    states: dict[State, int]
    held: int = Field(description="Of these, those that wait for a person.")
    possible_duplicates: int = Field(
        description="Of these, those of which two copies may have arrived."
    )


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
    state: Annotated[State | None, Field(description="Only those in this state.")] = None
    since: Annotated[GivenTime | None, Field(description="Only those enqueued then or later.")] = (
        None
    )
    until: Annotated[GivenTime | None, Field(description="Only those enqueued before.")] = None


class DeliveryQuery(PageQuery, TotalsQuery):
    """Which deliveries. `since` is included, `until` is not."""
