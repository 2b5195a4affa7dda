"""What the API gives and takes, as Pydantic models: the OpenAPI document is made from them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from certmail_config.connections import DEFAULT_NAME, ConnectionState, TenantState
from certmail_config.connections import Kind as ConnectionKind
from certmail_config.ids import NAME_PATTERN
from certmail_config.languages import LANGUAGES
from certmail_config.moments import rfc3339
from certmail_config.numbers import whole
from certmail_config.reminder import Reminder
from certmail_config.setup_links import LONGEST_STATE
from certmail_config.state_words import EXPLAINED
from certmail_config.states import AttemptOutcome, State

MOST_IN_BATCH = 1000
MOST_IN_PAGE = 500
MOST_IN_LOOKUP = 1000
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_TIME: Final = "a time with its zone is wanted, as in 2026-11-25T09:00:00Z"
_PLUS: Final = "a time with its zone is wanted; in an address a + stands for a space, so write it as %2B, as in 09:00:00%2B01:00"
NO_NUL = r"^[^\x00]*$"
"""Databases refuse it."""
T = TypeVar("T")


def _rfc3339(value: object) -> object:
    """Pydantic would take numbers and dates for times, too."""
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        plus = _RFC3339.fullmatch(value.replace(" ", "+")) is not None
        raise PydanticCustomError("invalid_time", _PLUS if plus else _TIME)
    return value


GivenTime = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]
Time = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Model(BaseModel):
    """All are frozen; a client must allow for fields that come later."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Fault(Model):
    """One thing that is wrong, and where."""

    pointer: str | None = Field(
        None, description="Where in the body, as a JSON pointer; empty for all of it."
    )
    parameter: str | None = Field(None, description="Which query parameter or header.")
    code: str = Field(description="For programs.")
    detail: str = Field(description="For people.")


class Problem(Model):
    """An RFC 9457 problem document: what is wrong, where, and what to do."""

    type: str = Field(
        description="The address that explains this kind of problem.", json_schema_extra={"format": "uri"}
    )
    title: str
    status: int
    code: str = Field(description="For programs; one for each type.")
    detail: str
    remedy: str = Field(description="What to do.")
    errors: list[Fault]


class Receipt(Model):
    """What became of an enqueued reminder: it is durable. Of a duplicate, id and state are those of the first."""

    id: str = Field(description="A UUIDv7; `X-Certmail-Id` of the mail.")
    state: State
    duplicate: bool
    forecast_at: Time | None = Field(description="When it is expected to leave; null where nobody knows.")
    language: str = Field(description=f"Of the mail: one of {', '.join(LANGUAGES)}.")
    language_note: str | None = Field(
        description="Why the mail is not in the language that `locale` asks for; null where it is, or none was asked for."
    )


class Batch(Model):
    """Reminders to be enqueued together; each is answered for itself. They are checked one by one as `Reminder` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reminders: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_IN_BATCH,
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


class SetupLinkWanted(Model):
    """For whom a set-up link is, and where it leads back to."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tenant: Annotated[str, Field(pattern=NAME_PATTERN, description="The tenant's id.")]
    connection: Annotated[str, Field(pattern=NAME_PATTERN, description="The connection's name.")] = (
        DEFAULT_NAME
    )
    return_url: Annotated[
        str | None,
        Field(
            max_length=2000,
            description="Where the administrator is sent back to, with `tenant`, `connection`, `status` (`active`: it works) and `state` in the query; "
            "its beginning must be among CERTMAIL_RETURN_URLS.",
        ),
    ] = None
    state: Annotated[
        str | None, Field(max_length=LONGEST_STATE, description="Given back with the return URL, unchanged.")
    ] = None
    again: Annotated[
        bool,
        Field(
            description="Make the link even though the connection works: whoever opens it sees whose mailbox it is, and can change it."
        ),
    ] = False


class SetupLink(Model):
    """A link for a tenant's administrator. The address is a secret until it is used: in the first browser in which Start is pressed."""

    tenant: str
    connection: str
    url: str = Field(json_schema_extra={"format": "uri"})
    expires_at: Time


class Tenant(Model):
    """A company whose reviewers are reminded."""

    id: str
    name: str
    state: TenantState


class Connection(Model):
    """A tenant's mailbox. Where it does not work, code, message and remedy say why and what to do."""

    id: str
    tenant: str
    name: str
    kind: ConnectionKind | None
    state: ConnectionState
    state_text: Annotated[str, Field(description=f"The state as people read it: {EXPLAINED}.")]
    code: str | None
    message: str | None
    remedy: str | None
    mailbox: str | None
    key_id: str | None
    not_after: Time | None


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
    decided_by: str | None = Field(description="Who called it off or settled it; null where nobody had to.")
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


class Totals(Model):
    """How many reminders there are; `states` names those states only in which there are any."""

    total: int
    states: dict[State, int]
    held: int = Field(description="Of these, those that wait for a person.")
    possible_duplicates: int = Field(description="Of these, those of which two copies may have arrived.")


class Campaign(Model):
    """What became of a campaign's reminders."""

    tenant: str
    campaign: str
    totals: Totals
    enqueued_at: Time = Field(description="When its first reminder was enqueued.")
    updated_at: Time = Field(description="When anything happened to one last.")


class Change(Model):
    """A state that a reminder came into. `cursor`: go on from here, where the page was not read to its end."""

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
    """Some changes, the oldest first. Ask again with `next`, at once if there is `more`, or else after a while."""

    items: list[Change]
    next: str
    more: bool


class Lookup(Model):
    """The reminders that are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    ids: list[Annotated[str, Field(max_length=64)]] = Field(
        min_length=1, max_length=MOST_IN_LOOKUP, description="From the receipts."
    )


class LookupItem(Model):
    """What is known of one: the reminder, or null where there is none of this id that the key reaches."""

    id: str
    reminder: ReminderStatus | None


class LookupAnswer(Model):
    """One answer for each id, in order."""

    items: list[LookupItem]


class CancelWanted(Model):
    """The campaign that is to be called off."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tenant: Annotated[str, Field(pattern=NAME_PATTERN, description="The tenant's id.")]
    campaign: Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]


class Cancelled(Model):
    """How many were called off, how many were under way already, and of how many a copy may be out."""

    cancelled: int
    already_sending: int
    uncertain: int


class Page(Model, Generic[T]):
    """Some of a list; `next` is the cursor of what follows, null at the end."""

    items: list[T]
    next: str | None


class TenantPage(Page[Tenant]):
    """Some of the tenants, by id."""


class ConnectionPage(Page[Connection]):
    """Some of the connections, by tenant and name."""


class DeliveryPage(Page[Delivery]):
    """Some of the record, the newest first."""


class CampaignPage(Page[Campaign]):
    """Some of the campaigns, by tenant and campaign."""


class PageQuery(Model):
    """How much of a list, and from where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[
        int, Field(ge=1, le=MOST_IN_PAGE, description="At most so many."), BeforeValidator(whole)
    ] = 100
    cursor: Annotated[
        str, Field(max_length=400, description="The `next` of the page before; empty for the first.")
    ] = ""


class TenantQuery(PageQuery):
    """Which tenants."""


class ConnectionQuery(PageQuery):
    """Which connections."""

    tenant: Annotated[str | None, Field(max_length=63, pattern=NO_NUL, description="Only this tenant's.")] = (
        None
    )


class CampaignQuery(PageQuery):
    """Which campaigns."""

    tenant: Annotated[str | None, Field(max_length=63, pattern=NO_NUL, description="Only this tenant's.")] = (
        None
    )
    campaign: Annotated[str | None, Field(max_length=300, pattern=NO_NUL, description="Only this one.")] = (
        None
    )


class ChangeQuery(PageQuery):
    """Changes from where: a cursor, else a time, else the beginning of the record."""

    tenant: Annotated[str | None, Field(max_length=63, pattern=NO_NUL, description="Only this tenant's.")] = (
        None
    )
    since: Annotated[
        GivenTime | None,
        Field(description="Those that happened then or later. Only without a cursor, which knows better."),
    ] = None


class TotalsQuery(BaseModel):
    """Which deliveries are counted. `since` is included, `until` is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: Annotated[str | None, Field(max_length=63, pattern=NO_NUL, description="Only this tenant's.")] = (
        None
    )
    campaign: Annotated[
        str | None, Field(max_length=300, pattern=NO_NUL, description="Only this campaign's.")
    ] = None
    recipient: Annotated[
        str | None, Field(max_length=320, pattern=NO_NUL, description="Only those to this address.")
    ] = None
    state: Annotated[State | None, Field(description="Only those in this state.")] = None
    since: Annotated[GivenTime | None, Field(description="Only those enqueued then or later.")] = None
    until: Annotated[GivenTime | None, Field(description="Only those enqueued before.")] = None


class DeliveryQuery(PageQuery, TotalsQuery):
    """Which deliveries. `since` is included, `until` is not."""


PUBLISHED: tuple[type[BaseModel], ...] = (
    Reminder,
    Receipt,
    Batch,
    BatchAnswer,
    ReminderStatus,
    Called,
    Lookup,
    LookupAnswer,
    CampaignPage,
    CancelWanted,
    Cancelled,
    ChangePage,
    SetupLinkWanted,
    SetupLink,
    TenantPage,
    ConnectionPage,
    DeliveryPage,
    Totals,
    Problem,
)
