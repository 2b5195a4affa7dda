"""What somebody asks of the record, where more than one state may be meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.record.groups import StateGroup, states_named

STATES_TO_NAME: Final = tuple(
    dict.fromkeys([*(str(each) for each in StateGroup), *(str(each) for each in State)])
)
"""What may be asked for: groups of states, then each state by itself."""


@dataclass(frozen=True, slots=True)
class RecordQuestion:
    """A filter that names no state, and the `states` that are meant; none means any."""

    asked: Filter
    states: tuple[State, ...] = ()

    @classmethod
    def of(cls, asked: Filter, named: str | None) -> Self:
        """With the states of a group, or the one state, of this name; raises ValueError."""
        return cls(asked, states_named(named) if named else ())

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The same as a filter for each state; they have no delivery in common."""
        return tuple(replace(self.asked, state=each) for each in self.states) or (self.asked,)
