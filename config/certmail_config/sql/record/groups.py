"""Groups of states, as people ask for them: what was accepted, what waits, what was not sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from certmail_config.jobs.states import State


class StateGroup(StrEnum):
    """What somebody wants to know of a campaign; each state is in one of them."""

    ACCEPTED = "accepted"
    """Gmail took them."""
    WAITING = "waiting"
    """They wait, or are under way."""
    UNCERTAIN = "uncertain"
    """Nobody knows whether Gmail took them."""
    NOT_SENT = "not-sent"
    """They ended without having been sent."""


STATES_OF: Final[Mapping[StateGroup, tuple[State, ...]]] = {
    StateGroup.ACCEPTED: (State.ACCEPTED,),
    StateGroup.WAITING: (State.SCHEDULED, State.READY, State.DISPATCHED, State.SENDING),
    StateGroup.UNCERTAIN: (State.UNCERTAIN,),
    StateGroup.NOT_SENT: (State.FAILED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED),
}
GROUP_OF: Final = {state: group for group, states in STATES_OF.items() for state in states}


def states_named(name: str) -> tuple[State, ...]:
    """The states of a group, or the one state, of this name; raises ValueError for neither."""
    if name in set(StateGroup):
        return STATES_OF[StateGroup(name)]
    return (State(name),)


def group_counts(states: Mapping[State, int]) -> dict[StateGroup, int]:
    """How many are in each group, of counts by state; only those groups in which there are any."""
    counts = {
        group: sum(states.get(state, 0) for state in of_it) for group, of_it in STATES_OF.items()
    }
    return {group: count for group, count in counts.items() if count}
