"""Campaigns that run, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from certmail_config.admin.campaigns.documents import plan_document, view_document
from certmail_config.admin.campaigns.views import CampaignView
from certmail_config.campaigns import why
from certmail_config.campaigns.coming import DAYS_AHEAD, PlanSummary
from certmail_config.campaigns.moments_of_day import zone
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.campaigns.why import WHY_NOT
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_worker.cli.support.output import fields, out, table

STATE_WORDS = {
    CampaignState.RUNNING: "running",
    CampaignState.PAUSED: "paused: nothing leaves until it is resumed",
    CampaignState.STOPPED: "stopped for good",
}


def view_json(view: CampaignView, summary: PlanSummary | None) -> dict[str, Any]:
    """What programs are told of one, with what comes next."""
    return view_document(view) | {"plan": None if summary is None else plan_document(summary)}


def show_list(found: Sequence[KeptCampaign]) -> None:
    """Print campaigns, a line each."""
    table(
        ["campaign", "state", "due", "planned", "trouble"],
        [
            ["/".join(each.key), each.state, each.campaign.due, each.planned_at, each.error]
            for each in found
        ],
    )


def show_view(view: CampaignView, summary: PlanSummary | None) -> None:
    """Print one campaign, and what comes next."""
    kept, counts = view.kept, view.reviewers
    campaign = kept.campaign
    local = zone(campaign.time_zone)
    fields(
        [
            ("campaign", "/".join(kept.key)),
            ("name", campaign.name),
            ("state", STATE_WORDS[kept.state]),
            ("starts", f"{campaign.start.astimezone(local):%Y-%m-%d %H:%M} {campaign.time_zone}"),
            ("due", f"{campaign.due.astimezone(local):%Y-%m-%d %H:%M} {campaign.time_zone}"),
            ("connection", campaign.connection),
            ("reviewers", f"{counts.reviewers:,}, {counts.complete:,} of them done"),
            ("left to decide", f"{counts.pending:,}, and {counts.completed:,} decided"),
            ("mails planned", _moments(view)),
            ("planned last", kept.planned_at),
            ("trouble", kept.error),
        ]
    )
    if summary is not None:
        show_next(summary, campaign.time_zone)


def show_next(summary: PlanSummary, time_zone: str) -> None:
    """Say what comes next: the first mails, how many on which day, and what does not go."""
    if summary.first_at is None:
        out.print("\nNo mail is to come.")
    else:
        out.print(f"\nThe next mail leaves on {_local(summary.first_at, time_zone)}.", markup=False)
    for day, count in summary.days.items():
        out.print(f"  {why.day(day)}: {_mails(count)}", markup=False)
    if summary.later:
        near = f" after the next {DAYS_AHEAD} days" if summary.days else ""
        out.print(f"  {_mails(summary.later)}{near}, in all.", markup=False)
    if summary.not_going:
        named = "; ".join(f"{count:,}, for {WHY_NOT[each]}" for each, count in _named(summary))
        out.print(f"Not going: {named}.", markup=False)


def _named(summary: PlanSummary) -> Sequence[tuple[Any, int]]:
    return sorted(summary.not_going.items(), key=lambda each: -each[1])


def _moments(view: CampaignView) -> str:
    counts = view.moments
    return f"{counts[MomentState.ENQUEUED] + counts[MomentState.PLANNED]:,} wait, {counts[MomentState.ENDED]:,} ended"


def _mails(count: int) -> str:
    return f"{count:,} mail{'' if count == 1 else 's'}"


def _local(at: datetime, time_zone: str) -> str:
    there = at.astimezone(zone(time_zone))
    return f"{why.day(there.date())} at {there:%H:%M} ({time_zone})"
