"""Tenants and connections: whether their secrets open, and what each waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Engine

from certmail_config.crypto.vault import Vault
from certmail_config.ledger.values import split_words
from certmail_config.sql import registry
from certmail_config.sql.engine import reachable
from certmail_config.status.lane_waits import Wait
from certmail_config.tenants.models import Connection, ConnectionState
from certmail_config.tenants.sealed_fields import renew_values, sealed_in
from certmail_worker.doctor.checks.findings import Finding, Severity, broken
from certmail_worker.doctor.checks.lanes import Lanes


def connections(engine: Engine, vault: Vault | None, lanes: Lanes) -> Iterator[Finding]:
    """Whether what is sealed opens, and each connection works."""
    with reachable(engine), engine.connect() as db:
        tenants, found = registry.list_tenants(db), registry.list_connections(db)
    for tenant in tenants:
        yield from _sealed(
            f"tenant {tenant.id}", {"private_key": tenant.private_key}, tenant.id, vault
        )

    if not found:
        yield Finding(
            "connections",
            Severity.WARNING,
            "There is no tenant yet.",
            "certmail tenants add TENANT",
        )

    for connection in found:
        check = f"connection {connection.tenant}/{connection.name}"
        unopened = list(_sealed(check, sealed_in(connection), connection.owner, vault))
        yield from unopened or [
            _connection(
                check,
                connection,
                lanes.stopped.get(connection.id),
                lanes.waiting.get(connection.id),
            )
        ]


def _sealed(
    check: str, values: Mapping[str, bytes], owner: str, vault: Vault | None
) -> Iterator[Finding]:
    """What of these values cannot be opened."""
    if vault is not None:
        for error in renew_values(values, owner, vault).broken.values():
            yield broken(check, error)


def _connection(
    check: str, connection: Connection, stopped: tuple[str, str] | None, wait: Wait | None
) -> Finding:
    if connection.state is ConnectionState.ACTIVE and stopped is not None:
        code, words = stopped
        message, remedy = split_words(words)
        remedy = f"{remedy} Then: certmail connections probe {connection.id}".strip()
        return Finding(check, Severity.ERROR, f"Its reminders wait, {code}: {message}", remedy)

    if connection.state is ConnectionState.ACTIVE and wait is not None:
        return Finding(check, Severity.WARNING, wait.sentence, "It goes on by itself then.")
    if connection.state is ConnectionState.ACTIVE:
        return Finding(check, Severity.OK, "Google gives the permission to send.")

    _, message = connection.waits_for()
    remedy = connection.remedy or f"certmail connections probe {connection.id}"
    severity = Severity.ERROR if connection.state is ConnectionState.ATTENTION else Severity.WARNING

    return Finding(check, severity, f"{connection.state}: {message}", remedy)
