"""How campaigns stand: their reviewers counted, what was planned, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.campaigns.calendar import NoWorkingDay
from certmail_config.campaigns.coming import NOTHING, PlanSummary, count_coming
from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, moments, planning, reviewers
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.reviewers import ReviewerCounts
from certmail_config.sql.campaigns.seals import ReviewerSeals


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign, its reviewers counted, and the mails that were planned by state."""

    kept: KeptCampaign
    reviewers: ReviewerCounts
    moments: Mapping[MomentState, int]


def view_campaign(admin: Admin, tenant: str, id_: str) -> CampaignView:
    """One campaign as it stands; raises Refused."""
    with admin.db() as db:
        return CampaignView(
            campaigns.get_campaign(db, tenant, id_),
            reviewers.count_reviewers(db, tenant, id_),
            moments.count_moments(db, tenant, id_),
        )


def coming_of_campaign(admin: Admin, tenant: str, id_: str, now: datetime) -> PlanSummary:
    """What comes next of one campaign beside its tenant's others; of a stopped one nothing does.

    As it would be if it ran, where it is paused. Raises Refused, SealBroken.
    """
    with admin.db() as db:
        kept = campaigns.get_campaign(db, tenant, id_)
        if kept.state is CampaignState.STOPPED:
            return NOTHING
        enrolments = _enrolments(admin, db, kept)

    try:
        return count_coming(enrolments, id_, now)
    except NoWorkingDay as error:
        raise no_working_day(error) from None


def no_working_day(error: NoWorkingDay) -> Refused:
    """Why nothing of a campaign can be planned."""
    return Refused(
        "campaign_unplannable",
        f"A calendar of the campaign has no working day within three years of {error.args[0]}.",
        "Look at days and closed of the calendar, and at the reviewers' countries.",
    )


def _enrolments(admin: Admin, db: Db, kept: KeptCampaign) -> list[Enrolment]:
    """A campaign, and those of its tenant that run beside it."""
    tenant = kept.campaign.tenant
    seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
    beside = [each for each in campaigns.running_of_tenant(db, tenant) if each.key != kept.key]
    return [planning.load_enrolment(db, seals, each) for each in (kept, *beside)]
