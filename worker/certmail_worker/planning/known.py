"""What SQL and the record know of a campaign's planned mails, brought up to date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection as Db

from certmail_config.campaigns.applying.difference import Materialised
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.outcomes import WENT, ended_as
from certmail_config.campaigns.cadence import Kind
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.campaigns.moments import (
    KeptMoment,
    MomentId,
    load_moments,
    write_moments,
)
from certmail_config.sql.campaigns.outcomes import JobOutcome, outcomes_of_campaign


class KnownMail(NamedTuple):
    """What is known of a planned mail, which kind it is, and how it ended."""

    known: Materialised
    kind: Kind
    outcome: str | None = None


def look_up(db: Db, kept: KeptCampaign) -> dict[Identity, KnownMail]:
    """All planned mails of a campaign; what the record says of their jobs is written first."""
    tenant, campaign = kept.key
    moments = load_moments(db, tenant, campaign)
    outcomes = outcomes_of_campaign(db, tenant, campaign)

    news = [after for each in moments.values() if (after := _after(each, outcomes)) is not None]
    if news:
        write_moments(db, tenant, campaign, news)
        moments |= {each.id: each for each in news}

    return {
        Identity(campaign, *each.id): KnownMail(_materialised(each, outcomes), each.kind)
        for each in moments.values()
    }


def write_down(db: Db, tenant: str, mails: Mapping[Identity, KnownMail]) -> None:
    """Write what is known of planned mails of a tenant now."""
    by_campaign: defaultdict[str, list[KeptMoment]] = defaultdict(list)
    for identity, mail in mails.items():
        by_campaign[identity.campaign].append(_kept_moment(identity, mail))
    for campaign, moments in sorted(by_campaign.items()):
        write_moments(db, tenant, campaign, moments)


def _kept_moment(identity: Identity, mail: KnownMail) -> KeptMoment:
    known = mail.known
    return KeptMoment(
        MomentId(identity.reviewer, identity.rule, identity.ordinal),
        known.at,
        mail.kind,
        known.digest,
        known.generation,
        known.job,
        known.state,
        mail.outcome,
    )


def _after(each: KeptMoment, outcomes: Mapping[str, JobOutcome]) -> KeptMoment | None:
    outcome = outcomes.get(each.job or "")
    state = None if outcome is None else ended_as(outcome.state, outcome.reason)
    if outcome is None or state is None:
        return None
    return replace(each, state=state, outcome=outcome.state)


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
