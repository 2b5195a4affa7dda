"""What needs a person: why, and what to do."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import NO_NUL, Model, OnlyTenant, Time
from certmail_config.webhooks.health import EndpointState


class Stop(Model):
    """Something that stops everything, and what to do about it."""

    message: str
    remedy: str


class TroubledMailbox(Model):
    """A connection whose reminders wait, and what to do about it."""

    id: str
    tenant: str
    name: str
    mailbox: str | None
    code: str | None
    message: str
    remedy: str
    waiting: int = Field(description="How many reminders wait for it.")


class OpenOutcome(Model):
    """A reminder of which nobody knows whether Gmail took it. `recipient` is null once erased."""

    job: str = Field(description="Its id, as in `GET /v1/reminders/{id}`.")
    tenant: str
    campaign: str | None
    kind: str
    recipient: str | None
    mailbox: str | None
    reason: str | None
    waits_for: str = Field(description="Who is to decide: a rule, somebody who looks, or a person.")
    possible_duplicate: bool
    updated_at: Time


class OpenOutcomeList(Model):
    """The oldest of them, and how many there are; `capped`: at least so many."""

    reminders: list[OpenOutcome]
    total: int
    capped: bool


class StoppedWebhook(Model):
    """A webhook that backs off or is disabled, and what to do about it."""

    id: str
    host: str
    state: EndpointState
    code: str | None
    since: Time | None
    message: str
    remedy: str


class EndingCertificate(Model):
    """A connection whose certificate ends within 30 days, and what to do about it."""

    connection: str
    tenant: str
    name: str
    not_after: Time
    ended: bool
    remedy: str


class UnplannedCampaign(Model):
    """A campaign that could not be planned when it was last tried; what was enqueued of it leaves."""

    tenant: str
    campaign: str
    failures: int = Field(description="How often in a row.")
    message: str
    tried_again: Time | None
    remedy: str


class Attention(Model):
    """What does not go on by itself. A list is null where the API key's scopes do not cover it.

    Connections and certificates are for `tenants:read`, webhooks for `webhooks:read`, campaigns for
    `campaigns:read`.
    """

    calm: bool = Field(description="Whether nothing of what is shown needs anybody.")
    stopped: list[Stop]
    connections: list[TroubledMailbox] | None
    uncertain: OpenOutcomeList
    webhooks: list[StoppedWebhook] | None
    certificates: list[EndingCertificate] | None
    campaigns: list[UnplannedCampaign] | None


class AttentionQuery(Model):
    """Whose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: OnlyTenant = None
    campaign: Annotated[
        str | None,
        Field(
            max_length=300,
            pattern=NO_NUL,
            description="Only this campaign's reminders of unknown outcome.",
        ),
    ] = None
