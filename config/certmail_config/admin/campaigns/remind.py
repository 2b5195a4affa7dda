"""Reminding reviewers now, beside what is planned for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.views import no_working_day
from certmail_config.base.errors import Refused
from certmail_config.campaigns.applying.by_hand import within_hours
from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.calendar import NoWorkingDay
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.ledger import Act
from certmail_config.sql import registry
from certmail_config.sql.campaigns import campaigns
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.looks import mark_reviewers
from certmail_config.sql.campaigns.moments import (
    KeptMoment,
    MomentId,
    newest_ordinals,
    write_moments,
)
from certmail_config.sql.campaigns.progress import read_progress
from certmail_config.sql.campaigns.reviewers import ids_of_reviewers, load_reviewers
from certmail_config.sql.campaigns.seals import ReviewerSeals


@dataclass(frozen=True, slots=True)
class Reminded:
    """Who is reminded, and who is not: done already, or not of the campaign.

    `later` are those of the reminded for whose hours it waits, and when they begin.
    """

    reminded: Sequence[str]
    complete: Sequence[str]
    unknown: Sequence[str]
    later: Mapping[str, datetime]


def outside_hours(
    admin: Admin,
    tenant: str,
    id_: str,
    reviewers: Collection[str] | None = None,
    *,
    now: datetime | None = None,
) -> tuple[int, int]:
    """For how many of these, or of all, who have something left, it is outside their hours now.

    And how many those are who have something left. Raises Refused, SealBroken.
    """
    now = now or datetime.now(UTC)
    with admin.db() as db:
        kept = campaigns.get_campaign(db, tenant, id_)
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        found = load_reviewers(db, seals, id_, reviewers)
    opening = _opening(kept, [each for each in found if each.pending != 0], now)
    return sum(at > now for at in opening.values()), len(opening)


def remind_now(
    admin: Admin,
    tenant: str,
    id_: str,
    reviewers: Collection[str] | None = None,
    *,
    wait_for_hours: bool = False,
    now: datetime | None = None,
) -> Reminded:
    """Remind these reviewers, or all, as far as they have something left; raises Refused, SealBroken.

    It is a mail of its own: the planner enqueues it at its next turn, and what is planned stays.
    It leaves at any hour; with `wait_for_hours` as the hours of each begin, where they have not.
    Asked for again, it is another one.
    """
    now = now or datetime.now(UTC)
    with admin.db() as db:
        campaigns.hold(db, tenant, id_)
        kept = campaigns.get_campaign(db, tenant, id_)
        if kept.state is not CampaignState.RUNNING:
            raise Refused(
                "campaign_not_running",
                f"The campaign {id_!r} of {tenant!r} is {kept.state}: nobody is reminded.",
                "Resume it first." if kept.state is CampaignState.PAUSED else "",
            )

        wanted = ids_of_reviewers(db, tenant, id_) if reviewers is None else list(reviewers)
        known = read_progress(db, tenant, id_, wanted)
        complete = [each for each, one in known.items() if one.pending == 0]
        reminded = [each for each in known if known[each].pending != 0]

        later: dict[str, datetime] = {}
        if wait_for_hours:
            seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
            opening = _opening(kept, load_reviewers(db, seals, id_, reminded), now)
            later = {each: at for each, at in opening.items() if at > now}

        before = newest_ordinals(db, tenant, id_, BY_HAND)
        kind: Kind = "overdue" if kept.campaign.due <= now else "reminder"
        moments = [
            KeptMoment(
                MomentId(each, BY_HAND, before.get(each, 0) + 1),
                later.get(each, now),
                kind,
                digest="",
                generation=0,
                job=None,
                state=MomentState.PLANNED,
            )
            for each in reminded
        ]
        if moments:
            write_moments(db, tenant, id_, moments)
            mark_reviewers(db, tenant, id_, reminded)
            campaigns.touch_some(db, tenant, id_, now)

    if reminded:
        admin.record(Act.CAMPAIGN_REMINDED, tenant, reason=f"{id_}: {len(reminded)} reviewers")
    unknown = [each for each in dict.fromkeys(wanted) if each not in known]
    return Reminded(reminded, complete, unknown, later)


def _opening(
    kept: KeptCampaign, reviewers: Iterable[Reviewer], now: datetime
) -> Mapping[str, datetime]:
    """When each of them may get a mail within their hours."""
    try:
        return {each.id: within_hours(kept.campaign, each, now) for each in reviewers}
    except NoWorkingDay as error:
        raise no_working_day(error) from None
