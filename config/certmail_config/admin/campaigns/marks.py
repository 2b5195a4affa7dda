"""What the ledger is told at once, so that nothing leaves that is no longer wanted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from certmail_config.admin.admin import Admin
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.tenants.models import Tenant


class ReviewerMark(StrEnum):
    """Why nothing of a reviewer's is wanted in a campaign."""

    COMPLETE = "complete"
    """Nothing is left to decide."""
    REPLACED = "replaced"
    """Somebody else decides."""
    WITHDRAWN = "withdrawn"
    """They are no longer part of the campaign."""


class CampaignMark(StrEnum):
    """Why nothing of a campaign's is wanted."""

    PAUSED = "paused"
    """It goes on later: what was to begin waits."""
    STOPPED = "stopped"
    """It does not go on."""


class WantedMarks(Protocol):
    """The marks of one tenant's campaigns, which whoever begins a delivery looks at."""

    def set_campaign(self, campaign: str, mark: CampaignMark | None) -> None:
        """Nothing of the campaign is wanted; None: it is again. Raises RedisError."""

    def set_reviewers(self, campaign: str, marks: Mapping[str, ReviewerMark | None]) -> None:
        """Nothing of these reviewers is wanted; None: it is again. Raises RedisError."""


class _NoMarks:
    """Until the ledger knows marks."""

    def set_campaign(self, campaign: str, mark: CampaignMark | None) -> None:
        """Tell nobody."""

    def set_reviewers(self, campaign: str, marks: Mapping[str, ReviewerMark | None]) -> None:
        """Tell nobody."""


MARK_OF = {
    CampaignState.RUNNING: None,
    CampaignState.PAUSED: CampaignMark.PAUSED,
    CampaignState.STOPPED: CampaignMark.STOPPED,
}
"""What the ledger is told of a campaign in each state."""


def wanted_marks(admin: Admin, tenant: Tenant) -> WantedMarks:  # noqa: ARG001
    """The marks of a tenant's campaigns."""
    return _NoMarks()


def mark_of_pending(pending: int | None) -> ReviewerMark | None:
    """What the ledger is told of a reviewer who has so much left."""
    return ReviewerMark.COMPLETE if pending == 0 else None
