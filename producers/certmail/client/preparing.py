"""Preparing a reminder: checked against its tenant, named, sealed, and made one call.

The call is to the ledger, and made elsewhere. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from certmail.client.receipt import Receipt
from certmail_config.base.errors import ReminderRejected
from certmail_config.base.ids import JobId, uuid7
from certmail_config.crypto.keyed_hash import KeyedHash
from certmail_config.crypto.sealing import Sealer
from certmail_config.jobs.contract import write_payload
from certmail_config.jobs.languages import language_of, why_another
from certmail_config.jobs.reminder import DEFAULT_LIFE, Reminder, parse
from certmail_config.jobs.states import State
from certmail_config.ledger import Call, Enqueued, enqueue
from certmail_config.tenants.models import DEFAULT_NAME, TenantState
from certmail_config.tenants.working_copy import TenantView

_LIFE = DEFAULT_LIFE.total_seconds()
_TAKES_IN = frozenset({TenantState.ACTIVE, TenantState.PAUSED})


@dataclass(frozen=True, slots=True)
class Known:
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


Given = Reminder | Mapping[str, Any] | ReminderRejected
"""A reminder as an application gives it: made already, its fields, or why it is none."""


def read_given(given: object) -> Reminder | ReminderRejected:
    """The reminder that is given, or why it is none.

    Raises TypeError for what could never be one.
    """
    if isinstance(given, Reminder | ReminderRejected):
        return given

    if not isinstance(given, Mapping):
        wanted = "a Reminder, or a mapping of its fields such as {'tenant': 'acme', 'to': 'anna@acme.example'}"
        message = f"certmail wants {wanted}, not {type(given).__name__}"
        raise TypeError(message)

    try:
        return parse(dict(given))
    except ReminderRejected as rejected:
        return rejected


def require_several(given: object) -> None:
    """Check that an application gave several reminders, not one; raises TypeError."""
    if isinstance(given, Reminder | Mapping | str):
        message = "send_many wants several reminders, such as a list of them; for one there is send"
        raise TypeError(message)


def prepare(
    reminder: Reminder, known: Known | None, *, now: float, keep_seconds: float
) -> Call[Enqueued] | ReminderRejected:
    """Make the call that enqueues a reminder, or say what is wrong with it.

    `known` is its tenant, None if there is none.
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

    job = JobId(uuid7(int(now * 1000)))
    state, reason = _first_state(reminder, now)
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
        body=known.sealer.seal(write_payload(reminder), tenant=tenant.id, job=job, now=now),
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


def read_answer(
    answer: Enqueued, reminder: Reminder, forecast_at: datetime | None, fallback: str | None
) -> Receipt | ReminderRejected:
    """What the ledger's answer means to whoever asked; `fallback` is the locale of the tenant."""
    if answer.code == "tenant_full":
        return ReminderRejected(
            "tenant_full",
            f"Redis has little room left, and the tenant {reminder.tenant!r} has its share of it; other tenants' reminders are still taken in",
            remedy="Send it again when there is more room: give Redis more memory (maxmemory, or CERTMAIL_REDIS_MEMORY_MAX), or wait; "
            "what ended is forgotten after CERTMAIL_DEDUPE_DAYS.",
        )

    if answer.code == "key_reused":
        message = (
            f"the same key was used before for a reminder with other content (job {answer.id})"
        )
        return ReminderRejected(
            "key_reused", message, field="key", remedy="Use a key of its own for each reminder."
        )
    if answer.code == "unknown_connection":
        return ReminderRejected(
            "unknown_connection", "the connection was removed meanwhile", field="connection"
        )

    assert answer.state is not None, "both remaining answers carry a state"
    return Receipt(
        answer.id,
        answer.state,
        duplicate=answer.code == "duplicate",
        forecast_at=forecast_at,
        language=language_of(reminder.locale, fallback),
        language_note=why_another(reminder.locale, fallback),
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
