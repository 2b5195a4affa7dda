"""What states of campaigns, and reasons for a mail that does not go, are called in the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail.gateway.console.texts import N_
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.campaigns.why import WhyNot

STATES: Final[Mapping[CampaignState, tuple[str, str]]] = {
    CampaignState.RUNNING: ("good", N_("Running")),
    CampaignState.PAUSED: ("wait", N_("Paused")),
    CampaignState.STOPPED: ("idle", N_("Stopped")),
}
"""Tone and name of each state."""
WHY_NOT: Final[Mapping[WhyNot, str]] = {
    WhyNot.COMPLETE: N_("the review is complete"),
    WhyNot.TOO_EARLY: N_("its day lies before the first day of the campaign"),
    WhyNot.NO_MANAGER: N_("the reviewer has no manager"),
    WhyNot.MERGED: N_("another mail goes to them on that day and stands for it"),
    WhyNot.CAP: N_("it would be one mail more than they may get in seven days"),
    WhyNot.MISSED: N_("its hours are past"),
}
"""As `certmail campaign show` says it."""
PRESETS: Final[Mapping[str, tuple[str, str]]] = {
    "gentle": (
        N_("Gentle"),
        N_("At the start, 4 days and 1 day before it is due, and twice afterwards."),
    ),
    "standard": (
        N_("Standard"),
        N_(
            "At the start, once a week, three times in the last week, then every other working day; in the end the manager."
        ),
    ),
    "strict": (
        N_("Strict"),
        N_(
            "Every third working day, daily at the end and after it; the manager early, in the end the owner."
        ),
    ),
}
"""Name and meaning of each preset, in the order of the form."""
