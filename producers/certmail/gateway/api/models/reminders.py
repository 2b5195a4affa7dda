"""Reminders: taken in alone or together, asked for, called off."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import Model, Time
from certmail.gateway.api.models.problems import Problem
from certmail_config.jobs.languages import LANGUAGES
from certmail_config.jobs.states import AttemptOutcome, State

MAX_IN_BATCH = 1000
MAX_IN_LOOKUP = 1000


class Receipt(Model):
    """What became of an enqueued reminder: it is durable.

    Of a duplicate, id and state are those of the first.
    """

    id: str = Field(description="A UUIDv7; `X-Certmail-Id` of the mail.")
    state: State
    duplicate: bool
    forecast_at: Time | None = Field(
        description="When it is expected to leave; null where nobody knows."
    )
    language: str = Field(description=f"Of the mail: one of {', '.join(LANGUAGES)}.")
    language_note: str | None = Field(
        description="Why the mail is not in the language that `locale` asks for; null where it is, or none was asked for."
    )


class Batch(Model):
    """Reminders to be enqueued together; each is answered for itself.

    They are checked one by one as `Reminder` says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reminders: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_IN_BATCH,
        json_schema_extra={"items": {"$ref": "#/components/schemas/Reminder"}},
    )


class BatchItem(Model):
    """The answer to one reminder of a batch: as if it had been sent alone."""

    status: int = Field(description="202, 200 for a duplicate, or the problem's.")
    receipt: Receipt | None = None
    problem: Problem | None = None


class BatchAnswer(Model):
    """One answer for each reminder, in order."""

    items: list[BatchItem]


class Attempt(Model):
    """One request to Gmail."""

    n: int
    begun_at: Time
    ended_at: Time | None
    http_status: int | None
    google_reason: str | None
    outcome: AttemptOutcome | None
    gmail_id: str | None


class ReminderStatus(Model):
    """A reminder as it stands; `reason` says in words why it is where it is."""

    id: str
    tenant: str
    state: State
    reason: str | None
    held: bool = Field(description="Waits for a person, since what became of a request is unknown.")
    attempts: list[Attempt]
    send_at: Time | None
    expires_at: Time
    forecast_at: Time | None
    mailbox: str | None
    possible_duplicate: bool


class Called(Model):
    """A reminder that was called off: it will not be sent."""

    id: str
    state: State


class Lookup(Model):
    """The reminders that are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    ids: list[Annotated[str, Field(max_length=64)]] = Field(
        min_length=1, max_length=MAX_IN_LOOKUP, description="From the receipts."
    )


class LookupItem(Model):
    """What is known of one: the reminder, or null where there is none of this id that the key reaches."""

    id: str
    reminder: ReminderStatus | None


class LookupAnswer(Model):
    """One answer for each id, in order."""

    items: list[LookupItem]
