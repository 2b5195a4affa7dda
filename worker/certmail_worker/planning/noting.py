"""Noting after a turn when each reviewer is looked at again, and what failed.

Another planner may have planned meanwhile what has changed since: its word stands, but where this one
is not sure of what became of a mail. Then somebody looks soon.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.campaigns.applying.next_look import (
    SOON,
    UNSETTLED,
    CampaignReviewer,
    retry_at,
)
from certmail_config.sql.campaigns.campaigns import held
from certmail_config.sql.campaigns.looks import next_look, note_looks
from certmail_config.sql.campaigns.planning import look_again, note_failed, note_planned
from certmail_worker.planning.applying import Applied
from certmail_worker.planning.slices import CampaignSlice
from certmail_worker.planning.view import PlannerView


def note_turn(
    admin: Admin,
    tenant: str,
    view: PlannerView,
    looks: Mapping[CampaignReviewer, datetime],
    failed: Mapping[str, str],
    applied: Applied,
    now: datetime,
) -> bool:
    """Say of each reviewer when they are looked at again; gives whether some are due still."""
    more = False
    with admin.db() as db:
        for id_, part in view.campaigns.items():
            if held(db, tenant, id_) is None:
                continue
            kept, again = part.kept, None
            if id_ in failed:
                tried = kept.retry_at is not None and kept.retry_at > now
                again = kept.retry_at if tried else retry_at(kept.failures, now)
            unsure = {each for campaign, each in applied.unsure if campaign == id_}
            _note_looks(db, tenant, part, looks, unsure, again, now)

            if again is None and not unsure.isdisjoint(part.gone):
                again = now + SOON
            gone = _again_for_gone(view, part, again, now)
            following = min(
                (at for at in (next_look(db, tenant, id_), gone) if at is not None), default=None
            )
            if following is not None and following <= now:
                more, following = True, now
            if id_ in failed:
                assert again is not None, "said above"
                note_failed(db, kept, failed[id_], again, following)
                continue
            noted = note_planned(db, kept, now, following, removed_left=gone is not None)
            if not noted and following is not None:  # another may have planned the change since
                look_again(db, kept, following)
    return more


def _note_looks(
    db: Db,
    tenant: str,
    part: CampaignSlice,
    looks: Mapping[CampaignReviewer, datetime],
    unsure: Collection[str],
    again: datetime | None,
    now: datetime,
) -> None:
    """Note when each of them is looked at next: all of them `again`, where something failed."""
    id_ = part.kept.campaign.id
    following = {
        each.id: again or (now + SOON if each.id in unsure else looks.get((id_, each.id)))
        for each in part.reviewers
    }
    forced = unsure if again is None else [*following]
    note_looks(db, tenant, part.reviewers, following, unsure=forced)


def _again_for_gone(
    view: PlannerView, part: CampaignSlice, again: datetime | None, now: datetime
) -> datetime | None:
    """When to look again at mails of those who are gone; None where nothing is left of them."""
    if not part.gone and not part.gone_left:
        return None
    if again is not None:
        return again
    id_ = part.kept.campaign.id
    if any((id_, each) in view.unsettled for each in part.gone):
        return now + UNSETTLED
    return now if part.gone_left else None
