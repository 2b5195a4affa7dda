"""The calls about lanes: what may leave at all, and at which pace.

Times as in intake.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from certmail_config.base.ids import ConnectionId
from certmail_config.ledger.arguments import flag, ms
from certmail_config.ledger.script import Call, load
from certmail_config.ledger.values import Lane, Suspension

SEND_UNITS = 100
"""Quota units of one `messages.send` (Gmail API, usage limits)."""


def set_lane(lane: Lane, *, code: str, message: str) -> Call[bool]:
    """Create a lane, suspended for the reason given, or change the limits of one as it stands."""
    args = (
        lane.connection,
        lane.tenant,
        lane.mailbox,
        lane.units_per_minute,
        SEND_UNITS,
        lane.in_flight,
    )

    shared = (lane.project, lane.per_day, lane.project_units_per_minute, lane.project_units_per_day)
    return Call(
        load("set_lane"),
        (*args, lane.version, code, message, flag(lane.verify), *shared, lane.warm_up_days),
        lambda answer: answer == 1,
    )


def open_lane(
    connection: ConnectionId,
    version: int,
    *,
    careful: bool = False,
    by: str = "",
    clock: float | None = None,
) -> Call[bool]:
    """Let a lane's jobs leave, with `careful` one first.

    False when a newer version of the connection rules.

    `by`, here and below, says for the record who did it; empty is certmail itself.
    """
    args = (connection, version, flag(careful), ms(clock), by)
    return Call(load("open_lane"), args, lambda answer: answer[0] != b"refused")


def suspend_lane(
    connection: ConnectionId, suspension: Suspension, *, by: str = "", clock: float | None = None
) -> Call[bool]:
    """Stop a lane; False when a newer version of the connection rules."""
    args = (connection, suspension.version, suspension.code, suspension.words, ms(clock), by)
    return Call(load("suspend_lane"), args, lambda answer: answer[0] != b"refused")


def remove_lane(connection: ConnectionId, *, by: str = "", clock: float | None = None) -> Call[int]:
    """Take a lane away with its connection.

    Gives how many jobs still wait in it or are leased; 0: the lane is gone.
    """
    return Call(load("remove_lane"), (connection, ms(clock), by), int)


def pause(
    tenant: str | None,
    *,
    on: bool,
    reason: str = "",
    by: str = "",
    connections: Sequence[ConnectionId] = (),
    clock: float | None = None,
) -> Call[bool]:
    """Let nothing of a tenant leave, or let it leave again; False if that changes nothing.

    None or `*` stands for all tenants.

    To go on, a tenant's `connections` must be named: their lanes are visited again. What is under
    way is not held up.
    """
    args = (tenant or "*", flag(on) or "0", reason, ms(clock), by, *connections)
    return Call(load("pause"), args, lambda answer: answer == 1)


def warn_expiry(
    connection: ConnectionId,
    tenant: str,
    version: int,
    *,
    not_after: str,
    days: int,
    clock: float | None = None,
) -> Call[bool]:
    """Say that a certificate ends (RFC 3339) in so many days or less.

    True where that was not said before.
    """
    args = (connection, tenant, version, not_after, days, ms(clock))
    return Call(load("warn_expiry"), args, lambda answer: answer == 1)


def suspend_template(
    tenant: str, version: int, place: str, why: str, *, clock: float | None = None
) -> Call[bool]:
    """Let certmail's own words stand where a tenant's failed, until it publishes others.

    True where that was not said before.
    """
    args = (tenant, version, place, why, ms(clock))
    return Call(load("suspend_template"), args, lambda answer: answer == 1)


def spend(
    connection: ConnectionId, units: int, *, nonce: str, clock: float | None = None
) -> Call[bool]:
    """Pay for requests other than sends.

    False when the mailbox's minute has no room for them now.
    """
    return Call(
        load("spend"),
        (connection, units, nonce, flag(False), ms(clock)),
        lambda answer: answer == b"paid",
    )


def spend_message(
    connection: ConnectionId, *, nonce: str, clock: float | None = None
) -> Call[str | None]:
    """Pay for a message that is no reminder: once a minute a connection.

    Gives what it waits for, None when it is paid.
    """

    def read(answer: bytes) -> str | None:
        return None if answer == b"paid" else answer.decode()

    return Call(load("spend"), (connection, SEND_UNITS, nonce, flag(True), ms(clock)), read)
