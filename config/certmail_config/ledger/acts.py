"""What persons do that moves no reminder, as events: so the record says who did it.

Pausing, suspending, opening and removing have events of their own (lanes.py), with `by` too.
"""

from __future__ import annotations

from enum import StrEnum

from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, load

EVERYTHING = "*"
"""Stands for a tenant where the whole deployment is meant."""


class Act(StrEnum):
    """What was done; the event's type."""

    TENANT_ADDED = "tenant_added"
    TENANT_CHANGED = "tenant_changed"
    TENANT_REMOVED = "tenant_removed"
    TEMPLATES_PUBLISHED = "templates_published"
    CONNECTION_SET_UP = "connection_set_up"
    CONNECTION_CORRECTED = "connection_corrected"
    LIMITS_CHANGED = "limits_changed"
    CERTIFICATE_MADE = "certificate_made"
    SETUP_LINK_MADE = "setup_link_made"
    DELEGATION_LINK_MADE = "delegation_link_made"
    CONNECTION_SUSPENDED = "connection_suspended"
    CONNECTION_RESUMED = "connection_resumed"
    CONNECTION_PROBED = "connection_probed"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    ADDRESS_ERASED = "address_erased"
    VAULT_ROTATED = "vault_rotated"
    OPERATOR_ADDED = "operator_added"
    OPERATOR_CHANGED = "operator_changed"
    OPERATOR_RESET = "operator_reset"
    OPERATOR_DISABLED = "operator_disabled"
    OPERATOR_ENABLED = "operator_enabled"
    OPERATOR_REMOVED = "operator_removed"
    SIGNED_IN = "signed_in"


def act(
    what: Act,
    tenant: str = EVERYTHING,
    *,
    connection: str = "",
    reason: str = "",
    by: str = "",
    clock: float | None = None,
) -> Call[None]:
    """Note what somebody did; `reason` says more of it, and names no reviewer.

    Empty, `by` is certmail itself.
    """
    args = (what, tenant, connection, reason, by, ms(clock))
    return Call(load("act"), args, lambda _: None)
