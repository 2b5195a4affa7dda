"""What SQL and the record know of a campaign's planned mails, brought up to date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection as Db

from certmail_config.campaigns.applying.difference import Materialised
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.next_look import CampaignReviewer
from certmail_config.campaigns.applying.outcomes import WENT, ended_as
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.running.states import MomentState
from certmail_config.sql.campaigns.campaigns import hold
from certmail_config.sql.campaigns.looks import changed_since
from certmail_config.sql.campaigns.moments import (
    KeptMoment,
    MomentId,
    moments_of_reviewers,
    note_ends,
    write_moments,
)
from certmail_config.sql.campaigns.outcomes import JobOutcome, outcomes_of_reviewers


class KnownMail(NamedTuple):
    """What is known of a planned mail, which kind it is, and how it ended."""

    known: Materialised
    kind: Kind
    outcome: str | None = None


class LookedUp(NamedTuple):
    """The planned mails about some reviewers, and the jobs of which it is new that they have ended."""

    mails: dict[Identity, KnownMail]
    ended: set[str]


def look_up(db: Db, tenant: str, campaign: str, reviewers: Collection[str]) -> LookedUp:
    """The planned mails about reviewers; what the record says of their jobs is written first."""
    moments = {each.id: each for each in moments_of_reviewers(db, tenant, campaign, reviewers)}
    outcomes = outcomes_of_reviewers(db, tenant, campaign, reviewers)

    news = [after for each in moments.values() if (after := _after(each, outcomes)) is not None]
    if news:
        note_ends(db, tenant, campaign, news)
        moments |= {each.id: each for each in news}

    mails = {
        Identity(campaign, *each.id): KnownMail(_materialised(each, outcomes), each.kind)
        for each in moments.values()
    }
    ended = {each.job for each in news if each.job and each.state is not MomentState.ENQUEUED}
    return LookedUp(mails, ended)


def write_if_unchanged(
    db: Db,
    tenant: str,
    groups: Sequence[Mapping[Identity, KnownMail]],
    before: Mapping[Identity, KnownMail],
    seen: Mapping[CampaignReviewer, int] | None = None,
) -> list[bool]:
    """Write mails down, each group whole, if all of it is still as it was `before`.

    With `seen`, only if nothing has changed of their reviewers since. Gives which were written.
    Another planner may be at work, one that was killed or one that stood still: what it has written
    of jobs since must not be lost, or they would leave beside others. Raises Refused where a
    campaign is no more.
    """
    identities = [identity for group in groups for identity in group]
    for campaign in sorted({each.campaign for each in identities}):
        hold(db, tenant, campaign)
    found = _read(db, tenant, identities)
    changed = set() if seen is None else changed_since(db, tenant, reviewers_of(identities), seen)

    same = [
        all(_stamp(found.get(one)) == _stamp(_known(before.get(one))) for one in group)
        and changed.isdisjoint(reviewers_of(group))
        for group in groups
    ]
    rows = {
        identity: mail
        for group, unchanged in zip(groups, same, strict=True)
        if unchanged
        for identity, mail in group.items()
    }
    _write_down(db, tenant, rows, found.keys())
    return same


def reviewers_of(identities: Iterable[Identity]) -> set[CampaignReviewer]:
    """Whom these mails are about."""
    return {(each.campaign, each.reviewer) for each in identities}


def _read(db: Db, tenant: str, identities: Sequence[Identity]) -> dict[Identity, Materialised]:
    """These mails, and others of their reviewers."""
    reviewers: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for each in identities:
        reviewers[each.campaign][each.reviewer] = None
    return {
        Identity(campaign, *moment.id): _materialised(moment, {})
        for campaign, named in sorted(reviewers.items())
        for moment in moments_of_reviewers(db, tenant, campaign, named)
    }


def _known(mail: KnownMail | None) -> Materialised | None:
    return None if mail is None else mail.known


def _stamp(known: Materialised | None) -> tuple[int, str | None, MomentState] | None:
    return None if known is None else (known.generation, known.job, known.state)


def _write_down(
    db: Db, tenant: str, mails: Mapping[Identity, KnownMail], there: Collection[Identity]
) -> None:
    """Write what is known of planned mails of a tenant now; `there` are those that SQL has."""
    by_campaign: defaultdict[str, list[KeptMoment]] = defaultdict(list)
    for identity, mail in mails.items():
        by_campaign[identity.campaign].append(_kept_moment(identity, mail))
    for campaign, moments in sorted(by_campaign.items()):
        known = {_moment_id(each) for each in there if each.campaign == campaign}
        write_moments(db, tenant, campaign, moments, known)


def _kept_moment(identity: Identity, mail: KnownMail) -> KeptMoment:
    known = mail.known
    return KeptMoment(
        _moment_id(identity),
        known.at,
        mail.kind,
        known.digest,
        known.generation,
        known.job,
        known.state,
        mail.outcome,
    )


def _moment_id(identity: Identity) -> MomentId:
    return MomentId(identity.reviewer, identity.rule, identity.ordinal)


def _after(each: KeptMoment, outcomes: Mapping[str, JobOutcome]) -> KeptMoment | None:
    outcome = outcomes.get(each.job or "")
    if outcome is None:
        return None
    state = ended_as(outcome.state, outcome.reason)
    if state is not None:
        return each._replace(state=state, outcome=outcome.state)
    # A planner was killed that had enqueued it: since then it has left, and nobody knows more.
    return each._replace(state=MomentState.ENQUEUED) if each.state is MomentState.PLANNED else None


def _materialised(each: KeptMoment, outcomes: Mapping[str, JobOutcome]) -> Materialised:
    outcome = outcomes.get(each.job or "")
    return Materialised(
        each.at,
        each.digest,
        each.generation,
        each.job,
        each.state,
        went=outcome is not None and outcome.state in WENT,
    )
