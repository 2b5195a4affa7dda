"""Campaigns that run, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.documents import plan_document, view_document
from certmail_config.admin.campaigns.views import CampaignView
from certmail_config.campaigns import why
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.coming import DAYS_AHEAD, PlanSummary
from certmail_config.campaigns.moments_of_day import zone
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.campaigns.why import WHY_NOT
from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.sql import registry
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.tenants.models import DEFAULT_NAME, ConnectionState
from certmail_config.tenants.state_labels import WORDS
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
            [
                "/".join(each.key),
                each.state,
                _time(each.campaign.due, each.campaign),
                each.planned_at,
                each.error,
            ]
            for each in found
        ],
    )


def show_view(view: CampaignView, summary: PlanSummary | None) -> None:
    """Print one campaign, and what comes next."""
    kept, counts = view.kept, view.reviewers
    campaign = kept.campaign
    fields(
        [
            ("campaign", "/".join(kept.key)),
            ("name", campaign.name),
            ("state", STATE_WORDS[kept.state]),
            ("starts", _time(campaign.start, campaign)),
            ("due", _time(campaign.due, campaign)),
            ("connection", campaign.connection),
            ("reviewers", f"{counts.reviewers:,}, {counts.complete:,} of them done"),
            ("left to decide", f"{counts.pending:,}, and {counts.completed:,} decided"),
            ("mails planned", _moments(view)),
            ("planned last", kept.planned_at),
            ("trouble", kept.error),
        ]
    )
    if summary is not None:
        show_next(summary, campaign.time_zone, kept.state)


def show_next(summary: PlanSummary, time_zone: str, state: CampaignState) -> None:
    """Say what comes next: the first mails, how many on which day, and what does not go."""
    if summary.first_at is None:
        out.print("\nNo mail is to come.")
    else:
        paused = state is CampaignState.PAUSED
        leaves = "If it ran, the next mail would leave" if paused else "The next mail leaves"
        out.print(f"\n{leaves} on {_local(summary.first_at, time_zone)}.", markup=False)
    for day, count in summary.days.items():
        out.print(f"  {why.day(day)}: {_mails(count)}", markup=False)
    if summary.later:
        near = f" after the next {DAYS_AHEAD} days" if summary.days else ""
        out.print(f"  {_mails(summary.later)}{near}, in all.", markup=False)
    if summary.not_going:
        named = "; ".join(
            f"{_mails(count)}, for {WHY_NOT[each]}" for each, count in _named(summary)
        )
        out.print(f"Not going: {named}.", markup=False)


def _named(summary: PlanSummary) -> Sequence[tuple[Any, int]]:
    return sorted(summary.not_going.items(), key=lambda each: -each[1])


def _moments(view: CampaignView) -> str:
    counts = view.moments
    coming = counts[MomentState.ENQUEUED] + counts[MomentState.PLANNED]
    return f"{coming:,} wait; {counts[MomentState.ENDED]:,} went, or failed"


def _mails(count: int) -> str:
    return f"{count:,} mail{'' if count == 1 else 's'}"


def _time(at: datetime, campaign: Campaign) -> str:
    return f"{at.astimezone(zone(campaign.time_zone)):%Y-%m-%d %H:%M} {campaign.time_zone}"


def _local(at: datetime, time_zone: str) -> str:
    there = at.astimezone(zone(time_zone))
    return f"{why.day(there.date())} at {there:%H:%M} ({time_zone})"


def changed_fields(was: Campaign, now: Campaign) -> list[str]:
    """What is another in a campaign that was put again; of times and its name, from what to what."""
    told = {
        "name": (was.name or "none", now.name or "none"),
        "start": (_local(was.start, now.time_zone), _local(now.start, now.time_zone)),
        "due": (_local(was.due, now.time_zone), _local(now.due, now.time_zone)),
    }
    changed = [name for name in type(now).model_fields if getattr(was, name) != getattr(now, name)]
    sentences = []
    for name in changed:
        before, after = told.get(name, ("", ""))
        sentences.append(f"{name}: {before} → {after}" if before else f"{name} changed")
    return sentences


def waits_for(admin: Admin, campaign: Campaign) -> list[str]:
    """What keeps its mails from leaving, in sentences."""
    tenant, name = campaign.tenant, campaign.connection
    with admin.db() as db:
        connection = registry.find_connection(db, tenant, name)

    sentences = []
    if connection is not None and connection.state is not ConnectionState.ACTIVE:
        other = "" if name == DEFAULT_NAME else f" --name {name}"
        how = (
            f"connections setup-link {tenant}{other}"
            if connection.state is ConnectionState.DRAFT
            else f"connections show {tenant}/{name}"
        )
        sentences.append(
            f"The connection {tenant}/{name} is {WORDS[connection.state]}: mails wait until it "
            f"works (`certmail {how}`, or the console)."
        )
    if workers_alive(admin.redis) == 0:
        sentences.append(
            "No worker is running: nothing leaves before one does. "
            "(`certmail worker` starts one, `certmail up` everything.)"
        )
    return sentences


def show_waits(sentences: Sequence[str]) -> None:
    """Say what keeps mails from leaving."""
    for each in sentences:
        out.print(each, markup=False)
