"""Reminding reviewers now, beside what is planned for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.ledger import Act
from certmail_config.sql.campaigns import campaigns
from certmail_config.sql.campaigns.looks import mark_reviewers
from certmail_config.sql.campaigns.moments import (
    KeptMoment,
    MomentId,
    newest_ordinals,
    write_moments,
)
from certmail_config.sql.campaigns.progress import read_progress
from certmail_config.sql.campaigns.reviewers import ids_of_reviewers


@dataclass(frozen=True, slots=True)
class Reminded:
    """Who is reminded now, and who is not: done already, or not of the campaign."""

    reminded: Sequence[str]
    complete: Sequence[str]
    unknown: Sequence[str]


def remind_now(
    admin: Admin, tenant: str, id_: str, reviewers: Collection[str] | None = None
) -> Reminded:
    """Remind these reviewers, or all, as far as they have something left; raises Refused.

    It is a mail of its own: the planner enqueues it at its next turn, and what is planned stays.
    Asked for again, it is another one.
    """
    now = datetime.now(UTC)
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

        before = newest_ordinals(db, tenant, id_, BY_HAND)
        kind: Kind = "overdue" if kept.campaign.due <= now else "reminder"
        moments = [
            KeptMoment(
                MomentId(each, BY_HAND, before.get(each, 0) + 1),
                now,
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
    return Reminded(reminded, complete, unknown)
