"""Which reviewers are planned together: some of those who are due, and whoever belongs to them.

What a tenant's campaigns have for one person on one day becomes one mail: so whoever has the same
address is planned with them, and whoever a job tells of besides. Nobody else matters to their plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection as Db

from certmail_config.campaigns.applying.identity import Identity
from certmail_config.sql.campaigns.campaigns import KeptCampaign, find_campaign, list_campaigns
from certmail_config.sql.campaigns.looks import (
    ReviewerLook,
    due_reviewers,
    gone_reviewers,
    named_reviewers,
    reviewers_of_jobs,
    reviewers_of_people,
)
from certmail_worker.planning.known import KnownMail, look_up

REVIEWERS: Final = 1000
"""How many are planned at once: a second, in which nobody else writes to SQLite for long."""


class CampaignSlice(NamedTuple):
    """The part of a campaign that is planned now."""

    kept: KeptCampaign
    reviewers: Sequence[ReviewerLook]
    gone: Sequence[str]
    """Who is no longer in it, and whose mails are to be withdrawn."""
    gone_left: bool
    """Whether there are more of those, or nobody has looked."""


class TenantSlice(NamedTuple):
    """The parts of a tenant's campaigns, by their ids, and what is known of their planned mails.

    `ended` are the jobs of these mails of which it is new that they have ended.
    """

    campaigns: dict[str, CampaignSlice]
    known: dict[Identity, KnownMail]
    ended: set[str]


def take_slice(
    db: Db, tenant: str, due: Sequence[KeptCampaign], now: datetime, limit: int = REVIEWERS
) -> TenantSlice:
    """The next reviewers of a tenant's campaigns that are due, as they stand now."""
    taking = _Taking(db, tenant)
    left = limit
    for id_ in (each.campaign.id for each in due):
        if left <= 0:
            break
        found = due_reviewers(db, tenant, id_, now, left)
        kept = taking.campaign(id_)
        gone = gone_reviewers(db, tenant, id_, left) if kept and kept.reviewers_removed else []
        taking.add(found)
        taking.add_gone(id_, gone, more=len(gone) >= left)
        left -= len(found) + len(gone)

    taking.whoever_belongs_to_them()
    return TenantSlice(taking.campaigns(), taking.known, taking.ended)


class _Taking:
    """A slice that grows until nobody outside of it belongs to it."""

    def __init__(self, db: Db, tenant: str) -> None:
        self._db = db
        self._tenant = tenant
        self._several = len(list_campaigns(db, frozenset({tenant}), limit=2)) > 1
        self._kept: dict[str, KeptCampaign] = {}
        self._taken: defaultdict[str, dict[str, ReviewerLook]] = defaultdict(dict)
        self._gone: defaultdict[str, set[str]] = defaultdict(set)
        self._gone_left: set[str] = set()
        self.known: dict[Identity, KnownMail] = {}
        self.ended: set[str] = set()

    def campaign(self, id_: str) -> KeptCampaign | None:
        """A campaign as it stands; None where it was removed."""
        if id_ not in self._kept and (found := find_campaign(self._db, self._tenant, id_)):
            self._kept[id_] = found
        return self._kept.get(id_)

    def add(self, reviewers: Iterable[ReviewerLook]) -> list[ReviewerLook]:
        """Take them, too; gives those who are new."""
        new = [each for each in reviewers if each.id not in self._taken[each.campaign]]
        for each in new:
            self._taken[each.campaign][each.id] = each
        return new

    def add_gone(self, campaign: str, ids: Iterable[str], *, more: bool = False) -> None:
        """Take the mails of those who are no longer in a campaign."""
        self._gone[campaign] |= set(ids)
        if more:
            self._gone_left.add(campaign)

    def whoever_belongs_to_them(self) -> None:
        """Take whoever has the same address, and whoever the same jobs tell of."""
        new = {each: list(rows.values()) for each, rows in self._taken.items()}
        gone = {each: set(ids) for each, ids in self._gone.items()}
        while any(new.values()) or any(gone.values()):
            found = [each for rows in new.values() for each in rows]
            # Two of one address in one campaign have nothing to do with each other.
            people = {each.person for each in found} if self._several else set()
            added = self.add(reviewers_of_people(self._db, self._tenant, people))

            jobs = self._look_up([*found, *added], gone)
            others, gone = self._behind(jobs)
            new = defaultdict(list)
            for each in self.add(others):
                new[each.campaign].append(each)

    def _look_up(self, reviewers: Iterable[ReviewerLook], gone: dict[str, set[str]]) -> set[str]:
        """Learn what is known of their mails; gives the jobs that stand for these."""
        named = defaultdict(set, {campaign: set(ids) for campaign, ids in gone.items()})
        for each in reviewers:
            named[each.campaign].add(each.id)

        jobs: set[str] = set()
        for campaign, ids in sorted(named.items()):
            if not ids:
                continue
            mails, ended = look_up(self._db, self._tenant, campaign, sorted(ids))
            self.known.update(mails)
            self.ended |= ended
            jobs |= {
                each.known.job
                for each in mails.values()
                if each.known.job is not None and each.known.stands
            }
        return jobs

    def _behind(self, jobs: set[str]) -> tuple[list[ReviewerLook], dict[str, set[str]]]:
        """Whoever else these jobs tell of, and who of them is in no campaign any more."""
        missing: defaultdict[str, set[str]] = defaultdict(set)
        for campaign, reviewer in reviewers_of_jobs(self._db, jobs):
            if reviewer not in self._taken[campaign] and reviewer not in self._gone[campaign]:
                missing[campaign].add(reviewer)

        found: list[ReviewerLook] = []
        for campaign, ids in missing.items():
            found += named_reviewers(self._db, self._tenant, campaign, sorted(ids))
        there = {(each.campaign, each.id) for each in found}
        gone = {
            campaign: {each for each in ids if (campaign, each) not in there}
            for campaign, ids in missing.items()
        }
        for campaign, ids in gone.items():
            self._gone[campaign] |= ids
        return found, gone

    def campaigns(self) -> dict[str, CampaignSlice]:
        """What was taken of each campaign.

        Each is read behind its reviewers: who is planned by an older one is known to be.
        """
        named = {*self._kept, *self._taken, *self._gone}
        before = {id_: kept.changes for id_, kept in self._kept.items()}
        looked, self._kept = {*self._kept}, {}
        return {
            id_: CampaignSlice(
                replace(kept, changes=before.get(id_, kept.changes)),
                list(self._taken[id_].values()),
                sorted(self._gone[id_]),
                id_ in self._gone_left or (kept.reviewers_removed and id_ not in looked),
            )
            for id_ in sorted(named)
            if (kept := self.campaign(id_)) is not None
        }
