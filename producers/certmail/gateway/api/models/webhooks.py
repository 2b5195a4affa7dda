"""Webhooks: who is told what becomes of reminders."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import NO_NUL, GivenTime, Model, Page, PageQuery, Time
from certmail_config.admin.webhooks.endpoints import MAX_NAME
from certmail_config.admin.webhooks.running import MAX_OVERLAP_HOURS, OVERLAP_HOURS
from certmail_config.base.ids import NAME_PATTERN
from certmail_config.sql.webhooks.messages import MessageState
from certmail_config.webhooks.health import EndpointState
from certmail_config.webhooks.targets import MAX_URL

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_TenantId = Annotated[str, Field(pattern=rf"^\*$|{NAME_PATTERN}")]
_TypeName = Annotated[str, Field(max_length=64, pattern=NO_NUL)]


class WebhookWanted(Model):
    """Who is to be told of what."""

    model_config = _STRICT

    url: Annotated[
        str, Field(max_length=MAX_URL, description="Where messages are sent: https://….")
    ]
    tenants: Annotated[
        list[_TenantId],
        Field(
            min_length=1,
            max_length=1000,
            description="Whose events: ids of tenants, or `*` for all, also those that come later.",
        ),
    ]
    types: Annotated[
        tuple[_TypeName, ...],
        Field(
            max_length=50,
            strict=False,
            description="Of what: types of events. Empty: of everything.",
        ),
    ] = ()
    name: Annotated[
        str, Field(max_length=MAX_NAME, pattern=NO_NUL, description="What it is for.")
    ] = ""


class WebhookChange(Model):
    """What is to be different of an endpoint; what is left out, or null, stays."""

    model_config = _STRICT

    url: Annotated[
        str | None,
        Field(
            max_length=MAX_URL,
            description="Where messages are sent from now on, also those that wait. Its secret stays.",
        ),
    ] = None
    types: Annotated[
        tuple[_TypeName, ...] | None,
        Field(
            max_length=50,
            strict=False,
            description="Of what happens from now on. Empty: of everything.",
        ),
    ] = None
    name: Annotated[
        str | None, Field(max_length=MAX_NAME, pattern=NO_NUL, description="What it is for.")
    ] = None


class Webhook(Model):
    """An endpoint, and how it takes its messages."""

    id: str
    name: str
    url: str
    tenants: list[str]
    types: Annotated[list[str], Field(description="`*`: everything.")]
    state: Annotated[
        EndpointState,
        Field(
            description="`active`; `backing_off`: it fails, and is tried by one message at a time; `disabled`: it failed for five days, "
            "or answered 410; `paused`: by a person. What happens is kept in each."
        ),
    ]
    code: Annotated[str | None, Field(description="Why it is not active.")]
    since: Annotated[Time | None, Field(description="Since when it is in that state.")]
    error: Annotated[str | None, Field(description="Why it last did not take a message.")]
    failing_since: Time | None
    next_at: Annotated[Time | None, Field(description="Nothing is sent before.")]
    succeeded_at: Annotated[Time | None, Field(description="When it last took a message.")]
    previous_secret_until: Annotated[
        Time | None, Field(description="So long the secret before signs as well.")
    ]
    created_at: Time


class WebhookWithSecret(Webhook):
    """An endpoint with its new secret, which is shown this once."""

    secret: Annotated[str, Field(description="For the receiver: `whsec_…`.")]


class WebhookMessage(Model):
    """A message that is kept for an endpoint."""

    id: Annotated[str, Field(description="Its `webhook-id`.")]
    type: str
    state: MessageState
    attempts: int
    due_at: Annotated[Time, Field(description="When it is, or was, sent (again).")]
    ended_at: Time | None
    status: Annotated[int | None, Field(description="Of the last answer.")]
    error: Annotated[str | None, Field(description="Why it was not taken.")]


class WebhookDetails(Webhook):
    """An endpoint with what is kept for it."""

    waiting: int
    delivered: int
    failed: int
    messages: Annotated[list[WebhookMessage], Field(description="The newest, the newest first.")]


class WebhookPage(Page[Webhook]):
    """Some of the endpoints, the oldest first."""


class WebhookQuery(PageQuery):
    """Which endpoints."""


class WebhookTrial(Model):
    """What came back when an endpoint was tried out."""

    message: Annotated[str, Field(description="The `webhook-id` that it was sent.")]
    taken: bool
    status: int | None
    why: Annotated[str, Field(description="What that means, as a clause.")]
    seconds: float
    answer: Annotated[str, Field(description="The beginning of the answer's body.")]


class RotateWanted(Model):
    """How long the secret before is to sign as well."""

    model_config = _STRICT

    hours: Annotated[int, Field(ge=0, le=MAX_OVERLAP_HOURS)] = OVERLAP_HOURS


class ReplayWanted(Model):
    """Which messages are to be sent again: exactly one of these."""

    model_config = _STRICT

    message: Annotated[
        str | None, Field(max_length=64, pattern=NO_NUL, description="One: its `webhook-id`.")
    ] = None
    since: Annotated[
        GivenTime | None,
        Field(description="All that happened at this time or later.", strict=False),
    ] = None
    failed: Annotated[bool, Field(description="All that was given up after its last attempt.")] = (
        False
    )


class Replayed(Model):
    """How many messages are sent again, under the same `webhook-id`."""

    replayed: int
