"""The label of a connection's state, as lists and pages show it."""

from __future__ import annotations

from certmail.gateway.console import texts
from certmail_config.tenants.models import ConnectionState


class StateLabel:
    """Gives whatever has a state to show its tone and its name."""

    __slots__ = ()

    @property
    def shown(self) -> ConnectionState:
        """The state that a page shows, which may be another than the one on record."""
        raise NotImplementedError

    @property
    def tone(self) -> str:
        """The colour of its state."""
        return texts.STATES[self.shown][0]

    @property
    def state(self) -> str:
        """The name of its state."""
        return texts.STATES[self.shown][1]
