"""What the end of a job means for the planned mail that it stood for. Pure."""

from __future__ import annotations

from typing import Final

from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.states import FINAL, State

WENT: Final = frozenset({State.ACCEPTED, State.UNCERTAIN})
"""It has gone, or may have: its mail is never planned again."""
_MAY_COME_AGAIN: Final = frozenset(
    {
        "campaign_paused",
        "campaign_stopped",
        "moved",
        "not_planned",
        "outside_hours",
        "review_complete",
        "reviewer_replaced",
        "reviewer_withdrawn",
    }
)
"""Why a job was suppressed whose mail may be planned again: what stood against it may be over."""


def ended_as(state: State, reason: str) -> MomentState | None:
    """The state of the planned mail then; None as long as its job is not final."""
    if state not in FINAL:
        return None
    if state is State.SUPPRESSED and reason.partition(":")[0] in _MAY_COME_AGAIN:
        return MomentState.WITHDRAWN
    return MomentState.ENDED
