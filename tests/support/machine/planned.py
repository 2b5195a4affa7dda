"""Campaigns that planned some of the reminders, and do not want them any more."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import State
from certmail_config.ledger.unwanted.marks import CampaignMark, ReviewerMark
from certmail_config.ledger.unwanted.references import CampaignReference, ReviewerReference
from support.machine.pressure import lanes, picks, rarely, workers
from support.machine.restores import Restores

ALL = ReviewerReference("*")
_OF_REVIEWERS = st.sampled_from([*ReviewerMark, None, None])
_OF_CAMPAIGNS = st.sampled_from([*CampaignMark, None, None, None])


class Planned(Restores):
    """A review is complete, somebody is replaced, a campaign pauses, stops or goes on."""

    @rule(
        campaign=st.sampled_from(["c1", "c1", "c2"]),
        marks=st.dictionaries(st.sampled_from(["a", "b", "e"]), _OF_REVIEWERS, min_size=1),
        mark=_OF_CAMPAIGNS,
        of_campaign=rarely,
        lost=rarely,
    )
    def mark_unwanted(
        self,
        campaign: str,
        marks: dict[str, ReviewerMark | None],
        mark: CampaignMark | None,
        *,
        of_campaign: bool,
        lost: bool,
    ) -> None:
        said: dict[ReviewerReference, ReviewerMark | CampaignMark | None] = {
            ReviewerReference(reviewer): each for reviewer, each in marks.items()
        }
        if of_campaign:
            said = {ALL: mark}
        self.call("mark_unwanted", "acme", CampaignReference(campaign), said, lost=lost)

    @rule(
        lane=lanes,
        worker=workers,
        mark=st.sampled_from(
            [
                ReviewerMark.COMPLETE,
                ReviewerMark.REPLACED,
                CampaignMark.PAUSED,
                CampaignMark.STOPPED,
            ]
        ),
        begun=st.booleans(),
    )
    def mark_while_it_is_prepared(
        self, lane: str, worker: str, mark: ReviewerMark | CampaignMark, *, begun: bool
    ) -> None:
        """Just before its request, or while that is under way."""
        if self.names % 2 == 0:
            self.name()
        self.send(self.name(), None, lane, State.READY, 0, 3600, 1)
        job = self.fetch(lane, worker)
        if job is None:
            return
        if begun:
            self.start(job, None)
        said = {ALL: mark}
        self.ledgers.do("mark_unwanted", job.tenant, CampaignReference("c1"), said)
        if not begun:
            self.start(job, None)
        self.ledgers.do("mark_unwanted", job.tenant, CampaignReference("c1"), {ALL: None})

    @precondition(lambda self: self.ledgers.model.entries)
    @rule(pick=picks, lost=rarely)
    def withdraw(self, pick: int, *, lost: bool) -> None:
        """Its moment was moved, or is no more."""
        entry = self.choose(list(self.ledgers.model.entries.values()), pick)
        self.call("withdraw", JobId(entry.id), "moved: to another day", lost=lost)

    @precondition(lambda self: self.ledgers.model.entries)
    @rule(some=st.lists(picks, min_size=1, max_size=5), lost=rarely)
    def forget_what_ended(self, some: list[int], *, lost: bool) -> None:
        """The record knows its end; what has not ended, and what nobody knows, is named beside it."""
        entries = list(self.ledgers.model.entries.values())
        ids = dict.fromkeys(self.choose(entries, pick).id for pick in some)
        self.call("forget", [*map(JobId, ids), JobId("nobody's")], 2 * 86400.0, lost=lost)
