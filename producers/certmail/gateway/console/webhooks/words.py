"""What states of endpoints and of their messages are called in the console, marked for catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail.gateway.console.texts import N_
from certmail_config.sql.webhooks.messages import MessageState
from certmail_config.webhooks.health import EndpointState

STATES: Final[Mapping[EndpointState, tuple[str, str]]] = {
    EndpointState.ACTIVE: ("good", N_("Active")),
    EndpointState.BACKING_OFF: ("wait", N_("Backing off")),
    EndpointState.DISABLED: ("bad", N_("Disabled")),
    EndpointState.PAUSED: ("idle", N_("Paused")),
}
"""Tone and name of each state of an endpoint."""
MESSAGES: Final[Mapping[MessageState, tuple[str, str]]] = {
    MessageState.WAITING: ("wait", N_("Waiting")),
    MessageState.DELIVERED: ("good", N_("Delivered")),
    MessageState.FAILED: ("bad", N_("Failed")),
}
"""Tone and name of each state of a message."""
