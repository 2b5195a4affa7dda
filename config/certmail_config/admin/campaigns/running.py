"""Putting, pausing, stopping and removing campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.marks import MARK_OF, unwanted_marks
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.campaigns.calendar import NoWorkingDay, days_of
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.campaigns.slots import Timetable
from certmail_config.ledger import Act
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.moments import count_moments
from certmail_config.tenants.models import Tenant, TenantState

_ACTS: Final = {
    CampaignState.RUNNING: Act.CAMPAIGN_RESUMED,
    CampaignState.PAUSED: Act.CAMPAIGN_PAUSED,
    CampaignState.STOPPED: Act.CAMPAIGN_STOPPED,
}
ANY: Final = 0
"""For `instead_of`: whichever version there is, but there must be one."""


@dataclass(frozen=True, slots=True)
class Put:
    """A campaign after it was put; `was` is what it was before, None where it is new."""

    kept: KeptCampaign
    was: KeptCampaign | None

    @property
    def changed(self) -> bool:
        """Whether anything is new."""
        return self.was is None or self.was.version != self.kept.version


def put_campaign(
    admin: Admin,
    campaign: Campaign,
    *,
    instead_of: int | None = None,
    only_new: bool = False,
) -> Put:
    """Keep a campaign as it is given, whole; what is the same changes nothing.

    With `instead_of` only where that version is the newest (`ANY`: where there is one), with
    `only_new` only where there is none. Raises Refused, WrongUse.
    """
    check_campaign(admin, campaign)
    put = _put(admin, campaign, instead_of, only_new=only_new)
    while put is None:  # somebody else put it first, while we looked
        put = _put(admin, campaign, instead_of, only_new=only_new)

    if put.changed:
        what = Act.CAMPAIGN_ADDED if put.was is None else Act.CAMPAIGN_CHANGED
        admin.record(what, campaign.tenant, reason=f"{campaign.id}, version {put.kept.version}")
    return put


def _put(admin: Admin, campaign: Campaign, instead_of: int | None, *, only_new: bool) -> Put | None:
    now = datetime.now(UTC)
    tenant, id_ = campaign.tenant, campaign.id
    with admin.db() as db:
        was = campaigns.held(db, tenant, id_)
        _check_version(campaign, was, instead_of, only_new=only_new)

        if was is None:
            if not campaigns.add_campaign(db, campaign, now):
                return None
            # There may have been one of this id, which was stopped and removed.
            unwanted_marks(admin, registry.get_tenant(db, tenant)).set_campaign(id_, None)
        elif was.campaign != campaign:
            if was.state is CampaignState.STOPPED:
                raise campaign_stopped(tenant, id_)
            campaigns.change_campaign(db, campaign, now)
        return Put(campaigns.get_campaign(db, tenant, id_), was)


def pause_campaign(admin: Admin, tenant: str, id_: str) -> KeptCampaign:
    """Let nothing of a campaign leave until it is resumed; raises Refused."""
    return _set_state(admin, tenant, id_, CampaignState.PAUSED)


def resume_campaign(admin: Admin, tenant: str, id_: str) -> KeptCampaign:
    """Let a paused campaign go on; what it missed is caught up on once. Raises Refused."""
    return _set_state(admin, tenant, id_, CampaignState.RUNNING)


def stop_campaign(admin: Admin, tenant: str, id_: str) -> KeptCampaign:
    """Let nothing of a campaign leave any more, for good; raises Refused."""
    return _set_state(admin, tenant, id_, CampaignState.STOPPED)


def remove_campaign(admin: Admin, tenant: str, id_: str) -> KeptCampaign:
    """Remove a stopped campaign with its reviewers; what went stays on record. Raises Refused."""
    with admin.db() as db:
        campaigns.hold(db, tenant, id_)
        found = campaigns.get_campaign(db, tenant, id_)
        if found.state is not CampaignState.STOPPED:
            raise Refused(
                "campaign_running",
                f"The campaign {id_!r} of {tenant!r} is {found.state}.",
                "Stop it first: what waits for its reviewers is called off then.",
            )
        # Forgotten too early, what is enqueued could be sent for another campaign of this id.
        counts = count_moments(db, tenant, id_)
        if left := counts[MomentState.PLANNED] + counts[MomentState.ENQUEUED]:
            raise Refused(
                "campaign_ending",
                f"Of the campaign {id_!r} of {tenant!r} {left} reminders are not called off yet.",
                "A worker does that within a minute; try again then.",
            )
        campaigns.remove_campaign(db, tenant, id_)

    admin.record(Act.CAMPAIGN_REMOVED, tenant, reason=id_)
    return found


def check_campaign(admin: Admin, campaign: Campaign) -> None:
    """Check that a campaign fits its tenant, which may send; raises Refused, WrongUse."""
    with admin.db() as db:
        tenant = registry.get_tenant(db, campaign.tenant)
        _check_connection(db, campaign)
    if tenant.state == TenantState.SUSPENDED:
        raise Refused(
            "tenant_suspended", f"The tenant {tenant.id!r} is suspended.", "Ask the operator."
        )

    try:
        Timetable(campaign, days_of(campaign.calendar, campaign.time_zone))
    except NoWorkingDay as error:
        raise WrongUse(
            "no_working_day",
            f"The calendar has no working day within three years of {error.args[0]}.",
            "Look at days and closed of the calendar.",
        ) from None


def tenant_of_campaigns(admin: Admin, tenant: str) -> Tenant:
    """A tenant that may have campaigns; raises Refused."""
    with admin.db() as db:
        return registry.get_tenant(db, tenant)


def campaign_stopped(tenant: str, id_: str) -> Refused:
    """Nothing of it can be changed any more."""
    return Refused(
        "campaign_stopped",
        f"The campaign {id_!r} of {tenant!r} was stopped for good.",
        "Remove it, or give the new one another id.",
    )


def _set_state(admin: Admin, tenant: str, id_: str, state: CampaignState) -> KeptCampaign:
    office = tenant_of_campaigns(admin, tenant)
    with admin.db() as db:
        campaigns.hold(db, tenant, id_)
        was = campaigns.get_campaign(db, tenant, id_)
        if was.state is CampaignState.STOPPED and state is not CampaignState.STOPPED:
            raise campaign_stopped(tenant, id_)

        if was.state is not state:
            campaigns.set_state(db, tenant, id_, state, datetime.now(UTC))
        # Whoever repeats the request may do so because Redis was away.
        unwanted_marks(admin, office).set_campaign(id_, MARK_OF[state])
        found = campaigns.get_campaign(db, tenant, id_)

    if was.state is not state:
        admin.record(_ACTS[state], tenant, reason=id_)
    return found


def _check_connection(db: Db, campaign: Campaign) -> None:
    if registry.find_connection(db, campaign.tenant, campaign.connection) is None:
        raise Refused(
            "unknown_connection",
            f"The tenant {campaign.tenant!r} has no connection {campaign.connection!r}.",
            "See `certmail connections list`.",
        )


def _check_version(
    campaign: Campaign, was: KeptCampaign | None, instead_of: int | None, *, only_new: bool
) -> None:
    there = was.version if was else None
    if only_new and was is not None:
        raise _changed_meanwhile(campaign, f"There is one already, of version {there}.")
    if instead_of is None:
        return
    if was is None:
        raise _changed_meanwhile(campaign, "There is none.")
    if instead_of not in {ANY, there}:
        raise _changed_meanwhile(campaign, f"Its version is {there}, not {instead_of}.")


def _changed_meanwhile(campaign: Campaign, why: str) -> Refused:
    return Refused(
        "campaign_changed",
        f"The campaign {campaign.id!r} of {campaign.tenant!r} is not the one that you meant. {why}",
        "Look at it, and put it again.",
    )
