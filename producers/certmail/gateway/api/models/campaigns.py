"""Campaigns: counted, and called off."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import NO_NUL, Model, OnlyTenant, Page, PageQuery, Time
from certmail.gateway.api.models.deliveries import Totals
from certmail_config.base.ids import NAME_PATTERN


class Campaign(Model):
    """What became of a campaign's reminders."""

    tenant: str
    campaign: str
    totals: Totals
    enqueued_at: Time = Field(description="When its first reminder was enqueued.")
    updated_at: Time = Field(description="When anything happened to one last.")


class CampaignPage(Page[Campaign]):
    """Some of the campaigns, by tenant and campaign."""


class CampaignQuery(PageQuery):
    """Which campaigns."""

    tenant: OnlyTenant = None
    campaign: Annotated[
        str | None, Field(max_length=300, pattern=NO_NUL, description="Only this one.")
    ] = None


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
