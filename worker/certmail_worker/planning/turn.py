"""One turn of the planner: the reviewers who are due, some of a tenant after some of another.

All campaigns of a tenant are planned together, since what they have for one person on one day
becomes one mail; of a large one some reviewers at a time (`slices`). A campaign that cannot be planned harms itself
alone: the others go on without it, and it is tried again later.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from certmail_config.admin.admin import Admin
from certmail_config.campaigns.applying.by_hand import by_hand, is_asked_for
from certmail_config.campaigns.applying.difference import difference
from certmail_config.campaigns.applying.mails import (
    PlannedMail,
    identities_of,
    planned_mails,
)
from certmail_config.campaigns.applying.next_look import (
    next_looks,
)
from certmail_config.campaigns.plan import Moment, make_plan, versions
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.crypto.keyed_hash import KeyedHash
from certmail_config.jobs.states import State
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.planning import (
    due_campaigns,
)
from certmail_worker.planning.applying import apply
from certmail_worker.planning.forgetting import forget_ended
from certmail_worker.planning.intake import PlannedIntake
from certmail_worker.planning.known import KnownMail, write_if_unchanged
from certmail_worker.planning.noting import note_turn
from certmail_worker.planning.view import (
    UNPLANNABLE,
    PlannerView,
    load_view,
    why_not_wanted,
    words_of,
)

log = logging.getLogger(__name__)

CAMPAIGNS_PER_TURN: Final = 200


class TenantPlanned(NamedTuple):
    """What became of the due campaigns of a tenant; `more`: some of it is still to be planned.

    `moments` is the plan of the reviewers who were due.
    """

    tenant: str
    campaigns: int
    enqueued: int
    withdrawn: int
    failed: Mapping[str, str]
    more: bool = False
    moments: Sequence[Moment] = ()


def due_tenants(admin: Admin, now: datetime) -> dict[str, list[KeptCampaign]]:
    """The campaigns to be planned by now, by their tenants; raises StoresUnreachable."""
    found: defaultdict[str, list[KeptCampaign]] = defaultdict(list)
    with admin.db() as db:
        for each in due_campaigns(db, now, CAMPAIGNS_PER_TURN):
            found[each.campaign.tenant].append(each)
    return dict(found)


def plan_tenant(
    admin: Admin,
    intake: PlannedIntake,
    tenant: str,
    due: Sequence[KeptCampaign],
    now: Callable[[], datetime],
) -> TenantPlanned:
    """Plan all of a tenant's campaigns that is due; raises StoresUnreachable, RedisError."""
    left = list(due)
    planned = TenantPlanned(tenant, 0, 0, 0, {}, more=True)
    while planned.more:
        part = plan_slice(admin, intake, tenant, left, now)
        planned = TenantPlanned(
            tenant,
            max(planned.campaigns, part.campaigns),
            planned.enqueued + part.enqueued,
            planned.withdrawn + part.withdrawn,
            {**planned.failed, **part.failed},
            part.more,
            [*planned.moments, *part.moments],
        )
        if planned.more:
            left = due_tenants(admin, now()).get(tenant, [])
    return planned


def plan_slice(
    admin: Admin,
    intake: PlannedIntake,
    tenant: str,
    due: Sequence[KeptCampaign],
    now: Callable[[], datetime],
) -> TenantPlanned:
    """Plan some of a tenant's reviewers who are due, and apply their plan.

    Raises StoresUnreachable, RedisError.
    """
    view = load_view(admin, tenant, due, now().astimezone(UTC))
    at = now().astimezone(UTC)
    moments = _moments(view, at)
    mails = _mails(view, moments, at)
    wanted = difference(mails, view.materialised, at, why_not_wanted(view))
    applied = apply(admin, intake, tenant, wanted, view, at)

    failed = {**applied.refused, **view.failed}
    _end_asked_in_vain(admin, tenant, view, moments)
    looks = next_looks(moments, mails, wanted.outdated, view.unsettled, at)
    more = note_turn(admin, tenant, view, looks, failed, applied, at)
    forget_ended(admin.redis, view.ended | applied.withdrawn)
    return TenantPlanned(
        tenant, len(view.campaigns), applied.enqueued, len(applied.withdrawn), failed, more, moments
    )


def _moments(view: PlannerView, now: datetime) -> list[Moment]:
    """The plan of all; where it cannot be made, that of those of which it can."""
    made_with = versions("")
    try:
        planned = make_plan(view.enrolments, now, made_with).moments
    except UNPLANNABLE:
        for each in list(view.enrolments):
            try:
                make_plan([each], now, made_with)
            except UNPLANNABLE as error:
                view.enrolments.remove(each)
                view.leave_out(each.campaign.id, words_of(error))
        planned = make_plan(view.enrolments, now, made_with).moments
    kinds = {identity: each.kind for identity, each in view.known.items()}
    return [*planned, *by_hand(view.enrolments, view.materialised, kinds, now)]


def _mails(view: PlannerView, moments: Sequence[Moment], now: datetime) -> list[PlannedMail]:
    keyed_hash = KeyedHash(view.salt, b"planned")
    ended = {key for key, each in view.known.items() if each.known.state is MomentState.ENDED}
    standing = {key for key, each in view.known.items() if each.known.stands}
    return list(planned_mails(moments, view.enrolments, ended, now, keyed_hash.of, standing))


def _end_asked_in_vain(
    admin: Admin, tenant: str, view: PlannerView, moments: Iterable[Moment]
) -> None:
    """What was asked for by hand of a reviewer who is done, or is no more, does not come.

    Nor does that of a campaign that was stopped.
    """
    coming = {identity for each in moments for identity in identities_of(each)}
    running = {each.campaign.id for each in view.enrolments}
    over = {id_ for id_, each in view.campaigns.items() if each.kept.state is CampaignState.STOPPED}
    gone = {(id_, one) for id_, each in view.campaigns.items() for one in each.gone}
    vain = {
        identity: KnownMail(
            each.known._replace(state=MomentState.ENDED), each.kind, State.SUPPRESSED
        )
        for identity, each in view.known.items()
        if is_asked_for(identity, each.known)
        and each.known.job is None
        and identity not in coming
        and (identity.campaign in running | over or (identity.campaign, identity.reviewer) in gone)
    }
    if vain:
        # Another planner may have enqueued one meanwhile: the next plan sees what became of it.
        with admin.db() as db:
            rows = [{key: mail} for key, mail in vain.items()]
            write_if_unchanged(db, tenant, rows, view.known, view.seen)
