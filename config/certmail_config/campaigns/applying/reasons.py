"""Why a job is withdrawn, in a code and the words that go on record. Pure.

What the begin script finds unwanted it says in the same words (ledger/lua/shared/moves.lua): it is
the same to whoever reads them, whichever came first.
"""

from __future__ import annotations

from typing import Final

MOVED: Final = "moved: its campaign has it at another time, or with other words"
NOT_PLANNED: Final = "not_planned: its campaign does not want it any more"
STOPPED: Final = "campaign_stopped: its campaign was stopped"
PAUSED: Final = "campaign_paused: its campaign is paused"
COMPLETE: Final = "review_complete: the review was complete before it could leave"
WITHDRAWN: Final = "reviewer_withdrawn: its reviewer is no longer part of the campaign"
