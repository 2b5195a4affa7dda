"""One turn of the planner: the campaigns that are due, one tenant after the other.

All campaigns of a tenant are planned together, since what they have for one person on one day
becomes one mail. A campaign that cannot be planned harms itself alone: the others go on without it,
and it is tried again later.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from pydantic import ValidationError

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import CertmailError
from certmail_config.campaigns.applying.by_hand import by_hand, is_asked_for
from certmail_config.campaigns.applying.difference import Materialised, difference
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import (
    PlannedMail,
    identities_of,
    planned_mails,
)
from certmail_config.campaigns.applying.next_look import SOON, next_looks, retry_at
from certmail_config.campaigns.plan import Enrolment, Moment, make_plan, versions
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.crypto.keyed_hash import KeyedHash
from certmail_config.jobs.states import State
from certmail_config.sql.campaigns.campaigns import KeptCampaign, running_of_tenant
from certmail_config.sql.campaigns.planning import (
    due_campaigns,
    load_enrolment,
    note_failed,
    note_planned,
)
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.registry import get_tenant
from certmail_worker.planning.applying import Applied, apply
from certmail_worker.planning.intake import PlannedIntake
from certmail_worker.planning.known import KnownMail, look_up, write_down

log = logging.getLogger(__name__)

CAMPAIGNS_PER_TURN: Final = 200
_UNPLANNABLE: Final = (CertmailError, ValueError)
"""What is wrong with a campaign itself, and not with a store."""


class TenantPlanned(NamedTuple):
    """What became of the due campaigns of a tenant."""

    tenant: str
    campaigns: int
    enqueued: int
    withdrawn: int
    failed: Mapping[str, str]


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
    """Plan a tenant's campaigns and apply the plan; raises StoresUnreachable, RedisError."""
    view = _load(admin, tenant, due)
    at = now().astimezone(UTC)
    moments = _moments(view, at)
    mails = _mails(view, moments, at)
    wanted = difference(mails, view.materialised, at)
    applied = apply(admin, intake, tenant, wanted, view.known, at)

    failed = {**applied.refused, **view.failed}
    _end_asked_in_vain(admin, tenant, view, moments)
    _note(admin, view, moments, mails, failed, applied, at)
    return TenantPlanned(tenant, len(view.kept), applied.enqueued, applied.withdrawn, failed)


class _View(NamedTuple):
    """What is known of a tenant's campaigns: those that run, and those that were to be planned."""

    kept: Sequence[KeptCampaign]
    enrolments: list[Enrolment]
    known: dict[Identity, KnownMail]
    salt: bytes
    failed: dict[str, str]

    @property
    def materialised(self) -> dict[Identity, Materialised]:
        return {identity: each.known for identity, each in self.known.items()}


def _load(admin: Admin, tenant: str, due: Sequence[KeptCampaign]) -> _View:
    with admin.db() as db:
        owner = get_tenant(db, tenant)
        kept = {each.campaign.id: each for each in (*due, *running_of_tenant(db, tenant))}
        seals = ReviewerSeals(owner, admin.vault)
        view = _View(list(kept.values()), [], {}, owner.salt, {})

        for id_, each in sorted(kept.items()):
            try:
                if each.state is CampaignState.RUNNING:
                    view.enrolments.append(load_enrolment(db, seals, each))
            except _UNPLANNABLE as error:
                view.failed[id_] = _words(error)
                continue
            view.known.update(look_up(db, each))
    return view


def _moments(view: _View, now: datetime) -> list[Moment]:
    """The plan of all; where it cannot be made, that of those of which it can."""
    made_with = versions("")
    try:
        planned = make_plan(view.enrolments, now, made_with).moments
    except _UNPLANNABLE:
        for each in list(view.enrolments):
            try:
                make_plan([each], now, made_with)
            except _UNPLANNABLE as error:
                view.failed[each.campaign.id] = _words(error)
                view.enrolments.remove(each)
                for identity in [key for key in view.known if key.campaign == each.campaign.id]:
                    del view.known[identity]
        planned = make_plan(view.enrolments, now, made_with).moments
    kinds = {identity: each.kind for identity, each in view.known.items()}
    return [*planned, *by_hand(view.enrolments, view.materialised, kinds, now)]


def _mails(view: _View, moments: Sequence[Moment], now: datetime) -> list[PlannedMail]:
    keyed_hash = KeyedHash(view.salt, b"planned")
    ended = {key for key, each in view.known.items() if each.known.state is MomentState.ENDED}
    return list(planned_mails(moments, view.enrolments, ended, now, keyed_hash.of))


def _end_asked_in_vain(admin: Admin, tenant: str, view: _View, moments: Iterable[Moment]) -> None:
    """What was asked for by hand of a reviewer who is done, or is no more, does not come."""
    coming = {identity for each in moments for identity in identities_of(each)}
    running = {each.campaign.id for each in view.enrolments}
    vain = {
        identity: KnownMail(
            each.known._replace(state=MomentState.ENDED), each.kind, State.SUPPRESSED
        )
        for identity, each in view.known.items()
        if is_asked_for(identity, each.known)
        and each.known.job is None
        and identity.campaign in running
        and identity not in coming
    }
    if vain:
        with admin.db() as db:
            write_down(db, tenant, vain)


def _note(
    admin: Admin,
    view: _View,
    moments: Iterable[Moment],
    mails: Sequence[PlannedMail],
    failed: Mapping[str, str],
    applied: Applied,
    now: datetime,
) -> None:
    """Say of each campaign when it is looked at again."""
    looks = next_looks(moments, mails, now)
    with admin.db() as db:
        for kept in view.kept:
            id_ = kept.campaign.id
            if id_ in failed:
                note_failed(db, kept, failed[id_], retry_at(kept.failures, now))
                continue
            at = None
            if kept.state is CampaignState.RUNNING:
                at = looks.get(id_)
            if id_ in applied.unsure:
                at = now + SOON
            note_planned(db, kept, now, at)


def _words(error: Exception) -> str:
    if isinstance(error, CertmailError):
        return f"{error.code}: {error.message}"
    # The words of a validation quote what was validated.
    return type(error).__name__ if isinstance(error, ValidationError) else str(error)
