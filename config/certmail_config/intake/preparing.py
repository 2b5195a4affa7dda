"""Preparing a reminder: checked against its tenant, named, sealed, and made one call.

The call is to the ledger, and made elsewhere. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import JobId, uuid7
from certmail_config.crypto.keyed_hash import KeyedHash
from certmail_config.crypto.sealing import Sealer
from certmail_config.jobs.contract import OF_THE_JOB, write_payload
from certmail_config.jobs.reminder import DEFAULT_LIFE, Reminder
from certmail_config.jobs.states import State
from certmail_config.ledger import Call, Enqueued, enqueue
from certmail_config.tenants.models import DEFAULT_NAME, TenantState
from certmail_config.tenants.working_copy import TenantView

_LIFE = DEFAULT_LIFE.total_seconds()
_TAKES_IN = frozenset({TenantState.ACTIVE, TenantState.PAUSED})


@dataclass(frozen=True, slots=True)
class KnownTenant:
    """A tenant as producers know it, with what seals its reminders."""

    tenant: TenantView
    sealer: Sealer
    keys: KeyedHash
    fingerprints: KeyedHash

    @classmethod
    def of(cls, tenant: TenantView, sealer: Sealer) -> Self:
        """With the hashes that its salt keys."""
        keys, fingerprints = (KeyedHash(tenant.salt, each) for each in (b"key", b"fingerprint"))
        return cls(tenant, sealer, keys, fingerprints)


def prepare(
    reminder: Reminder,
    known: KnownTenant | None,
    *,
    now: float,
    keep_seconds: float,
    job: JobId | None = None,
    wants: str = "",
    clock: float | None = None,
) -> Call[Enqueued] | ReminderRejected:
    """Make the call that enqueues a reminder, or say what is wrong with it.

    `known` is its tenant, None if there is none; `job` the id that it is to have, if that is
    known. `wants` is what a campaign wants it for (`ledger.unwanted`): of such a one a hundred
    thousand wait at once, and it is written as short as can be. `clock` supplies the server's time
    in tests.
    """
    if known is None:
        return ReminderRejected(
            "unknown_tenant", f"there is no tenant {reminder.tenant!r}", field="tenant"
        )

    tenant = known.tenant
    if tenant.state not in _TAKES_IN:
        return ReminderRejected(
            "tenant_suspended", f"the tenant {tenant.id!r} is {tenant.state}", field="tenant"
        )

    name = reminder.connection or DEFAULT_NAME
    connection = tenant.connections.get(name)
    if connection is None:
        message = f"the tenant {tenant.id!r} has no connection {name!r}"
        return ReminderRejected("unknown_connection", message, field="connection")

    expires_at = _expires_at(reminder, now)
    if expires_at <= now:
        return ReminderRejected("already_expired", "expires_at has passed", field="expires_at")

    job = job or JobId(uuid7(int(now * 1000)))
    state, reason = _first_state(reminder, now)
    payload = write_payload(reminder, leave_out=OF_THE_JOB if wants else ())
    return enqueue(
        id=job,
        tenant=tenant.id,
        connection=connection,
        dedupe=f"{tenant.id}:{known.keys.of(reminder.dedupe_source())}",
        fingerprint=known.fingerprints.of(reminder.canonical()),
        state=state,
        reason=reason,
        send_at=reminder.send_at.timestamp() if reminder.send_at else None,
        expires_at=expires_at,
        priority=reminder.priority,
        kind=reminder.kind,
        campaign=reminder.campaign or "",
        keep_seconds=keep_seconds,
        wants=wants,
        clock=clock,
        body=known.sealer.seal(payload, tenant=tenant.id, job=job, now=now),
    )


def not_the_tenants(tenant: str) -> ReminderRejected:
    """Why nothing is sealed to a public key that somebody else may have put into Redis."""
    return ReminderRejected(
        "tenant_key_unproven",
        f"the public key of the tenant {tenant!r} in Redis is not this deployment's: whoever put it there could read the reminder",
        field="tenant",
        remedy="Have the operator run `certmail doctor`; workers put it right. If it is so for all tenants, CERTMAIL_DEPLOYMENT_KEY "
        "is another deployment's: see `certmail keys deployment`.",
    )


def _expires_at(reminder: Reminder, now: float) -> float:
    """As Reminder.expiry; most reminders name no time, and need none made."""
    if reminder.expires_at is not None:
        return reminder.expires_at.timestamp()
    begins = now if reminder.send_at is None else reminder.send_at.timestamp()
    return begins + _LIFE


def _first_state(reminder: Reminder, now: float) -> tuple[State, str]:
    if reminder.nothing_left():
        return State.SUPPRESSED, "review_complete: nothing was left to decide when it was enqueued"
    if reminder.send_at is not None and reminder.send_at.timestamp() > now:
        return State.SCHEDULED, ""
    return State.READY, ""
