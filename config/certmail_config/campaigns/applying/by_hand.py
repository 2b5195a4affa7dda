"""What somebody asked for by hand, beside what the rules name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from certmail_config.campaigns.applying.difference import Materialised
from certmail_config.campaigns.applying.identity import BY_HAND, Identity
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.calendar import Days, days_of
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment, Moment
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import MomentState


def is_asked_for(identity: Identity, known: Materialised) -> bool:
    """Whether somebody asked for it, and nothing has come of it yet."""
    waits = known.state is MomentState.PLANNED and known.job is None
    return identity.rule == BY_HAND and (waits or known.stands)


def within_hours(campaign: Campaign, reviewer: Reviewer, now: datetime) -> datetime:
    """When a mail to them may leave: now, or as their hours begin next. Raises NoWorkingDay."""
    days = _days(campaign, reviewer)
    return days.at(days.first_open(days.local_date(now), now), now)


def _days(campaign: Campaign, reviewer: Reviewer) -> Days:
    calendar = campaign.calendar.of(reviewer.country, reviewer.subdivision)
    return days_of(calendar, reviewer.time_zone or campaign.time_zone)


def by_hand(
    enrolments: Sequence[Enrolment],
    known: Mapping[Identity, Materialised],
    kinds: Mapping[Identity, Kind],
    now: datetime,
) -> Iterator[Moment]:
    """The mails that were asked for by hand; of reviewers who are done there is none."""
    asked = {key: each for key, each in known.items() if is_asked_for(key, each)}
    if not asked:
        return

    for enrolment in enrolments:
        campaign = enrolment.campaign
        reviewers = {each.id: each for each in enrolment.reviewers}
        for identity, each in asked.items():
            reviewer = reviewers.get(identity.reviewer)
            if identity.campaign != campaign.id or reviewer is None:
                continue
            if enrolment.pending.get(reviewer.id, reviewer.pending) == 0:
                continue
            days = _days(campaign, reviewer)
            today = days.local_date(max(now, each.at.astimezone(UTC)))
            yield Moment(
                campaign.tenant,
                campaign.id,
                reviewer.id,
                BY_HAND,
                identity.ordinal,
                today,
                each.at.astimezone(UTC),
                kinds[identity],
                reviewer.deputy_on(today) or reviewer.to,
                "somebody asked for it by hand",
            )
