"""What became of the demo's campaigns: the sums, and whether they did what they were meant to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from redis import Redis

from certmail_config.jobs.states import State
from certmail_worker.demo.ledger import Seen, glance
from certmail_worker.demo.planned import DEPUTY, PlannedCampaign

_MEANT: Final = ("notice", "reminder", "overdue", "escalation", "digest")
"""Each of these kinds goes at least once."""


class RecordedJob(NamedTuple):
    """A job as the record has it."""

    tenant: str
    campaign: str
    kind: str
    state: State


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """One campaign's part: `ledger` and `record` map each job to what Redis and SQL say of it.

    `moments` has the job of each mail that was planned: those of a digest have one between them,
    which is of the campaign that it names.
    """

    tenant: str
    campaign: str
    name: str
    reviewers: int
    done: int
    moments: Sequence[str]
    ledger: Mapping[str, Seen]
    record: Mapping[str, State]
    ends: Mapping[str, State]
    kinds: Mapping[str, str]
    """How each job of `moments` ended, and what kind of mail it is."""

    def as_json(self) -> dict[str, Any]:
        """What `certmail demo --json` says of it."""
        states = Counter(self.ends[job] for job in self.moments)
        kinds = Counter(self.kinds[job] for job in self.moments if self.ends[job] is State.ACCEPTED)
        return {
            "tenant": self.tenant,
            "campaign": self.campaign,
            "name": self.name,
            "reviewers": self.reviewers,
            "done": self.done,
            "planned": len(self.moments),
            "ends": {str(state): states[state] for state in State if states[state]},
            "accepted_kinds": dict(kinds.most_common()),
        }


def campaign_results(
    redis: Redis,
    planned: Sequence[PlannedCampaign],
    moments: Sequence[Sequence[str]],
    record: Mapping[str, RecordedJob],
    others: Collection[str],
    done: int,
) -> list[CampaignResult]:
    """Each campaign's jobs in ledger and record.

    `moments` are the jobs of each campaign's planned mails, `others` jobs that no campaign of these
    has planned; of the first so many reviewers were done on the way.
    """
    results = []
    for number, (each, planned_jobs) in enumerate(zip(planned, moments, strict=True)):
        campaign = each.campaign
        jobs = [
            job
            for job, one in record.items()
            if job not in others and (one.tenant, one.campaign) == (campaign.tenant, campaign.id)
        ]
        results.append(
            CampaignResult(
                campaign.tenant,
                campaign.id,
                campaign.name or campaign.id,
                len(each.reviewers),
                0 if number else done,
                [job for job in planned_jobs if job in record],
                glance(redis, jobs),
                {job: record[job].state for job in jobs},
                {job: record[job].state for job in planned_jobs if job in record},
                {job: record[job].kind for job in planned_jobs if job in record},
            )
        )
    return results


def not_as_meant(
    results: Sequence[CampaignResult],
    messages: Sequence[Mapping[str, Any]],
    done: Mapping[str, datetime],
    seen: Iterable[str],
) -> list[str]:
    """What the campaigns should have done and did not, in words; empty when all is well.

    `done` is since when who had nothing left, by address; `seen` are the jobs that were planned.
    """
    ours = {job for each in results for job in each.ledger}
    kinds = {kind for each in results for kind in each.as_json()["accepted_kinds"]}
    found = [f"no campaign sent any {each}" for each in _MEANT if each not in kinds]

    found += [f"job {job} was planned, but is not on record" for job in seen if job not in ours]

    if not any(DEPUTY in str(each["to"]) for each in messages):
        found.append("the deputy got no mail")

    for each in messages:
        since = done.get(str(each["to"]))
        if since is None or each["certmail_id"] not in ours:
            continue
        if datetime.fromisoformat(str(each["at"])) > since:
            found.append("somebody was reminded by a campaign after they were done")
    return found
