"""What the model knows of reminders that a campaign planned, and does not want any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from support.model.moves import Moves
from support.model.values import Entry

WHY: Final = {
    "complete": "review_complete: the review was complete before it could leave",
    "replaced": "reviewer_replaced: somebody else reviews in the place of its reviewer",
    "withdrawn": "reviewer_withdrawn: its reviewer is no longer part of the campaign",
    "stopped": "campaign_stopped: its campaign was stopped",
}
PAUSED: Final = "campaign_paused: its campaign is paused"
OUTSIDE_HOURS: Final = "outside_hours: it could not leave within its hours"


class Wanting(Moves):
    """Marks are set at any time; begin and settle look."""

    def mark_unwanted(self, tenant: str, campaign: str, marks: Mapping[str, str | None]) -> int:
        of_campaign = self.unwanted[f"{tenant}:{campaign}"]
        for reviewer, mark in marks.items():
            of_campaign.pop(reviewer, None)
            if mark is not None:
                of_campaign[reviewer] = mark
        return len(of_campaign)

    def why_unwanted(self, entry: Entry) -> tuple[str | None, bool]:
        """Why it is not wanted, and whether it waits instead of ending."""
        paused = False
        for pair in entry.wants.split(" ")[1:]:
            campaign, _, reviewer = pair.partition(":")
            marks = self.unwanted[f"{entry.tenant}:{campaign}"]
            found = [marks.get(reviewer), marks.get("*")]
            for mark in found:
                if mark in WHY:
                    return WHY[mark], False
            paused = paused or "paused" in found
        return (PAUSED, True) if paused else (None, False)

    @staticmethod
    def outside_hours(entry: Entry, now: int) -> bool:
        closes = entry.wants.partition(" ")[0]
        return bool(closes) and int(closes) <= now
