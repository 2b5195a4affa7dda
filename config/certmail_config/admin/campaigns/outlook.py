"""What comes of a campaign: its mails by day, those that leave later than planned, and why others do not go.

Of one that runs, and of one that nobody has put yet. All of it beside the tenant's other campaigns
that run: their mails of one day become one, and they may share the mailbox.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.views import no_working_day
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.calendar import NoWorkingDay
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.departures import Late, MailboxPace, late
from certmail_config.campaigns.plan import Enrolment, Plan, make_plan, versions
from certmail_config.campaigns.why import WhyNot
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.process.release import release
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns, planning
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.campaigns.standing import same_people
from certmail_config.tenants.models import GoogleLimits


@dataclass(frozen=True, slots=True)
class Outlook:
    """The plan of one campaign, and what the mailbox makes of it."""

    plan: Plan
    late: Sequence[Late]

    @property
    def first_at(self) -> datetime | None:
        """When the next mail leaves."""
        return self.plan.moments[0].at if self.plan.moments else None

    @property
    def days(self) -> Mapping[date, Mapping[Kind, int]]:
        """How many of each kind go on each day, in the reviewers' dates."""
        found: defaultdict[date, Counter[Kind]] = defaultdict(Counter)
        for each in self.plan.moments:
            found[each.date][each.kind] += 1
        return dict(sorted(found.items()))

    @property
    def not_going(self) -> Mapping[WhyNot, int]:
        """How many that a rule names do not go, by reason."""
        return dict(sorted(Counter(each.why for each in self.plan.non_moments).items()))


def outlook(admin: Admin, tenant: str, id_: str, now: datetime) -> Outlook:
    """What comes of a campaign that is kept; raises Refused, SealBroken.

    As it would be if it ran, where it does not.
    """
    with admin.db() as db:
        kept = campaigns.get_campaign(db, tenant, id_)
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        enrolments = [
            planning.load_enrolment(db, seals, each) for each in (kept, *_beside(db, tenant, id_))
        ]
        pace = _pace(db, kept.campaign)
    return _look(enrolments, now, pace)


def outlook_of_new(admin: Admin, wanted: Enrolment, now: datetime) -> Outlook:
    """What would come of a campaign that nobody has put yet; raises Refused, SealBroken."""
    tenant, id_ = wanted.campaign.tenant, wanted.campaign.id
    with admin.db() as db:
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        beside = [planning.load_enrolment(db, seals, each) for each in _beside(db, tenant, id_)]
        pace = _pace(db, wanted.campaign)
    return _look([wanted, *beside], now, pace)


def plan_of_reviewers(
    admin: Admin, tenant: str, id_: str, reviewers: Collection[str], now: datetime
) -> Plan:
    """What comes of a campaign for some of its reviewers, a page of them; raises Refused, SealBroken.

    It is what the whole plan says of them: what is decided of a person depends on no other.
    """
    with admin.db() as db:
        kept = campaigns.get_campaign(db, tenant, id_)
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        enrolments = [
            planning.load_enrolment(db, seals, each, people)
            for each in (kept, *_beside(db, tenant, id_))
            if (people := same_people(db, tenant, id_, reviewers, each.campaign.id))
        ]
    return _of(_made(enrolments, now), id_)


def _beside(db: Db, tenant: str, id_: str) -> list[KeptCampaign]:
    running = campaigns.running_of_tenant(db, tenant)
    return [each for each in running if each.campaign.id != id_]


def _pace(db: Db, campaign: Campaign) -> MailboxPace:
    found = registry.find_connection(db, campaign.tenant, campaign.connection)
    limits = found.limits if found is not None else GoogleLimits()
    return MailboxPace(limits.units_per_minute / SEND_UNITS, limits.per_day)


def _look(enrolments: Sequence[Enrolment], now: datetime, pace: MailboxPace) -> Outlook:
    """The first of them is the one that is looked at."""
    wanted = enrolments[0].campaign
    whole = _made(enrolments, now)

    # What leaves from another mailbox delays nothing here.
    sharing = {
        each.campaign.id for each in enrolments if each.campaign.connection == wanted.connection
    }
    mails = [each for each in whole.moments if each.campaign in sharing]
    delayed = late(enrolments, mails, pace)
    return Outlook(
        _of(whole, wanted.id), [each for each in delayed if each.moment.campaign == wanted.id]
    )


def _made(enrolments: Sequence[Enrolment], now: datetime) -> Plan:
    try:
        return make_plan(enrolments, now, versions(release(None).version))
    except NoWorkingDay as error:
        raise no_working_day(error) from None


def _of(plan: Plan, id_: str) -> Plan:
    """What of a plan is of one campaign, digests that hold a part of it included."""
    return Plan(
        tuple(
            each
            for each in plan.moments
            if each.campaign == id_ or any(part.campaign == id_ for part in each.parts)
        ),
        tuple(each for each in plan.non_moments if each.campaign == id_),
        plan.versions,
    )
