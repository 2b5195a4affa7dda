"""What programs are told of a campaign, by the HTTP API and by `--json` alike. Pure."""

from __future__ import annotations

from typing import Any

from certmail_config.admin.campaigns.views import CampaignView
from certmail_config.campaigns.coming import PlanSummary
from certmail_config.campaigns.running.written import campaign_fields
from certmail_config.sql.campaigns.campaigns import KeptCampaign


def campaign_document(kept: KeptCampaign) -> dict[str, Any]:
    """One campaign as it is kept; moments are datetimes in UTC."""
    return {
        "tenant": kept.campaign.tenant,
        "id": kept.campaign.id,
        "state": kept.state,
        "version": kept.version,
        "campaign": campaign_fields(kept.campaign),
        "next_plan_at": kept.next_plan_at,
        "planned_at": kept.planned_at,
        "error": kept.error,
        "created_at": kept.created_at,
        "changed_at": kept.changed_at,
    }


def view_document(view: CampaignView) -> dict[str, Any]:
    """The same with its reviewers counted, and its planned mails by state."""
    counts = view.reviewers
    return campaign_document(view.kept) | {
        "reviewers": {
            "reviewers": counts.reviewers,
            "complete": counts.complete,
            "pending": counts.pending,
            "completed": counts.completed,
        },
        "moments": {str(state): count for state, count in view.moments.items()},
    }


def plan_document(plan: PlanSummary) -> dict[str, Any]:
    """What comes next, counted by day, and what does not go, by reason."""
    return {
        "first_at": plan.first_at,
        "days": {day.isoformat(): count for day, count in plan.days.items()},
        "later": plan.later,
        "not_going": {str(why): count for why, count in plan.not_going.items()},
    }
