"""The states of a campaign that runs, and of each mail that is planned for it. Pure."""

from __future__ import annotations

from enum import StrEnum


class CampaignState(StrEnum):
    """What is done for a campaign."""

    RUNNING = "running"
    """Its reviewers are reminded."""
    PAUSED = "paused"
    """Nothing leaves until somebody lets it go on; what was missed is caught up on once."""
    STOPPED = "stopped"
    """Nothing leaves any more, for good."""


class MomentState(StrEnum):
    """What became of a mail that was planned."""

    PLANNED = "planned"
    """It is to be enqueued: the planner was interrupted, or somebody asked for it by hand."""
    ENQUEUED = "enqueued"
    """A job of the ledger stands for it; that knows the rest."""
    ENDED = "ended"
    """Its job is final: `outcome` is how, and it is never planned again."""
    WITHDRAWN = "withdrawn"
    """It is no longer wanted, and its job was called off; it may be planned again."""
