"""How campaigns stand: their reviewers counted, what was planned, and what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.campaigns.calendar import NoWorkingDay
from certmail_config.campaigns.plan import Plan, make_plan, versions
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.campaigns.why import WhyNot
from certmail_config.process.release import release
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, moments, planning, reviewers
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.reviewers import ReviewerCounts
from certmail_config.sql.campaigns.seals import ReviewerSeals

DAYS_AHEAD: Final = 7


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign, its reviewers counted, and the mails that were planned by state."""

    kept: KeptCampaign
    reviewers: ReviewerCounts
    moments: Mapping[MomentState, int]


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What comes next: when the first mails leave, how many on each day, and why others do not."""

    first_at: datetime | None
    days: Mapping[date, int]
    """For the next days, in the reviewers' dates."""
    later: int
    not_going: Mapping[WhyNot, int]


def view_campaign(admin: Admin, tenant: str, id_: str) -> CampaignView:
    """One campaign as it stands; raises Refused."""
    with admin.db() as db:
        return CampaignView(
            campaigns.get_campaign(db, tenant, id_),
            reviewers.count_reviewers(db, tenant, id_),
            moments.count_moments(db, tenant, id_),
        )


def plan_campaign(admin: Admin, tenant: str, id_: str, now: datetime) -> Plan:
    """The plan of one campaign beside its tenant's others; raises Refused, SealBroken.

    As it would be if it ran, where it does not.
    """
    with admin.db() as db:
        kept = campaigns.get_campaign(db, tenant, id_)
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        beside = [each for each in campaigns.running_of_tenant(db, tenant) if each.key != kept.key]
        enrolments = [planning.load_enrolment(db, seals, each) for each in (kept, *beside)]

    try:
        plan = make_plan(enrolments, now, versions(release(None).version))
    except NoWorkingDay as error:
        raise Refused(
            "campaign_unplannable",
            f"A calendar of the campaign has no working day within three years of {error.args[0]}.",
            "Look at days and closed of the calendar, and at the reviewers' countries.",
        ) from None
    return Plan(
        tuple(each for each in plan.moments if _is_of(id_, each.campaign, each.parts)),
        tuple(each for each in plan.non_moments if each.campaign == id_),
        plan.versions,
    )


def summary(plan: Plan, state: CampaignState, now: datetime | None = None) -> PlanSummary:
    """What comes next, in numbers; of a stopped campaign nothing does."""
    if state is CampaignState.STOPPED:
        return PlanSummary(None, {}, 0, {})

    until = (now or datetime.now(UTC)).date() + timedelta(days=DAYS_AHEAD)
    near = Counter(each.date for each in plan.moments if each.date <= until)
    return PlanSummary(
        plan.moments[0].at if plan.moments else None,
        dict(sorted(near.items())),
        len(plan.moments) - near.total(),
        dict(sorted(Counter(each.why for each in plan.non_moments).items())),
    )


def _is_of(id_: str, campaign: str, parts: tuple[object, ...]) -> bool:
    return campaign == id_ or any(getattr(part, "campaign", "") == id_ for part in parts)
