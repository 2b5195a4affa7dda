"""The demo's campaigns as they run: put, changed on the way, and stopped in the end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.admin.campaigns.remind import remind_now
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import put_campaign, stop_campaign
from certmail_config.campaigns.running.progress import ProgressNews
from certmail_config.campaigns.running.states import MomentState
from certmail_config.sql.campaigns.moments import KeptMoment, load_moments
from certmail_config.sql.campaigns.planning import earliest_plan
from certmail_worker.demo.cast import ACME, GLOBEX
from certmail_worker.demo.director import Cue
from certmail_worker.demo.planned import (
    ASKED,
    DONE,
    PlannedCampaign,
    moved,
    of_globex,
    privileged,
    quarterly,
)
from certmail_worker.demo.progress import DemoProgress

_LATER: Final = timedelta(hours=1)


@dataclass(slots=True)
class DemoCampaigns:
    """What runs, and each job of it that was seen."""

    admin: Admin
    progress: DemoProgress
    begun: datetime
    planned: Sequence[PlannedCampaign] = ()
    done: dict[str, datetime] = field(default_factory=dict)
    """When who had nothing left, by their address."""
    seen: dict[str, datetime] = field(default_factory=dict)
    """Each job, and when it may leave."""

    def start(self) -> None:
        """Put them, as `certmail campaign run` does; the worker's planner does the rest."""
        self.planned = [quarterly(self.begun), privileged(self.begun), *of_globex(self.begun)]
        for each in self.planned:
            put_campaign(self.admin, each.campaign)
            put_reviewers(self.admin, each.campaign.tenant, each.campaign.id, list(each.reviewers))
        told = ", ".join(f"{each.campaign.name} ({each.campaign.tenant})" for each in self.planned)
        self.progress.say(f"{len(self.planned)} campaigns run: {told}. A worker plans them.")

    def cues(self) -> list[Cue]:
        """What people do meanwhile."""
        return [
            Cue(
                ACME,
                6,
                f"{len(DONE)} reviewers of acme have decided: what was planned for them is called off.",
                self._complete,
            ),
            Cue(
                ACME,
                12,
                "Privileged accounts (acme) was due yesterday, not next week: it is overdue, and managers hear of it.",
                self._move_due,
            ),
            Cue(
                ACME,
                20,
                f"{len(ASKED)} reviewers of acme are reminded once more, by hand.",
                self._remind,
            ),
            Cue(
                GLOBEX,
                10,
                "Who is in both campaigns of globex gets one mail for both, a digest.",
                lambda: None,
            ),
        ]

    def jobs(self) -> Sequence[str]:
        """Every job that the planner has made by now, those it has taken back included."""
        for each in self.planned:
            for one in self._moments(each):
                if one.job is not None and one.state is not MomentState.PLANNED:
                    self.seen[one.job] = one.at
        return list(self.seen)

    def moments(self) -> Sequence[Sequence[str]]:
        """Of each campaign the job of each mail that was planned."""
        return [[one.job for one in self._moments(each) if one.job] for each in self.planned]

    def _moments(self, each: PlannedCampaign) -> Collection[KeptMoment]:
        with self.admin.db() as db:
            return load_moments(db, each.campaign.tenant, each.campaign.id).values()

    def is_later(self, job: str) -> bool:
        """Whether a job is of another day, and only waits for that."""
        at = self.seen.get(job)
        return at is not None and at > datetime.now(UTC) + _LATER

    def up_to_date(self) -> bool:
        """Whether the planner has seen to all that has changed."""
        with self.admin.db() as db:
            following = earliest_plan(db)
        return following is None or following > datetime.now(UTC)

    def stop(self) -> None:
        """Stop them for good: what waits for later days is called off."""
        for each in self.planned:
            stop_campaign(self.admin, each.campaign.tenant, each.campaign.id)
        self.progress.say(
            "The campaigns are stopped: what was planned for later days is called off."
        )

    def _complete(self) -> None:
        first = self.planned[0]
        now = datetime.now(UTC)
        news = [ProgressNews(reviewer=each, pending=0, at=now) for each in DONE]
        report_progress(self.admin, first.campaign.tenant, first.campaign.id, news)
        addresses: Mapping[str, str] = {each.id: each.to for each in first.reviewers}
        # Of what was answered: nothing leaves after that.
        self.done = {addresses[each]: datetime.now(UTC) for each in DONE}

    def _move_due(self) -> None:
        put_campaign(self.admin, moved(self.planned[1].campaign, self.begun))

    def _remind(self) -> None:
        campaign = self.planned[0].campaign
        remind_now(self.admin, campaign.tenant, campaign.id, ASKED)
