"""Webhooks: whether each endpoint takes its messages, and its secrets open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from certmail_config.admin.webhooks.secrets import signing_secrets
from certmail_config.base.dates import moment
from certmail_config.base.errors import SealBroken
from certmail_config.crypto.vault import Vault
from certmail_config.sql.engine import reachable
from certmail_config.sql.webhooks.endpoints import Endpoint, list_endpoints
from certmail_config.sql.webhooks.messages import Kept, kept_of
from certmail_config.webhooks.health import EndpointState
from certmail_config.webhooks.targets import host_of
from certmail_worker.doctor.checks.findings import Finding, Severity, broken

LATE = timedelta(minutes=10)
"""What is due for so long is not only under way."""


def webhooks(engine: Engine, vault: Vault | None) -> Iterator[Finding]:
    """Whether each endpoint takes its messages; nothing is said where there is none."""
    now = datetime.now(UTC)
    with reachable(engine), engine.connect() as db:
        found = [(each, kept_of(db, each.id)) for each in list_endpoints(db)]

    for endpoint, kept in found:
        check = f"webhook {host_of(endpoint.url)}"
        try:
            if vault is not None:
                signing_secrets(vault, endpoint, now)
        except SealBroken as error:
            yield broken(check, error)
            continue
        yield _finding(check, endpoint, kept, now)


def _finding(check: str, endpoint: Endpoint, kept: Kept, now: datetime) -> Finding:
    health, show = endpoint.health, f"certmail webhooks show {endpoint.id}"
    waits = f"{kept.waiting} messages wait for it"
    since = f" since {moment(health.since)}" if health.since else ""

    match health.state:
        case EndpointState.DISABLED:
            why = f"Disabled{since}, {health.code}: {endpoint.error or 'it took nothing'}; {waits}."
            remedy = f"Mend the receiver, then: certmail webhooks resume {endpoint.id}"
            return Finding(check, Severity.ERROR, why, remedy)
        case EndpointState.PAUSED:
            why = f"Paused{since}; {waits}."
            return Finding(check, Severity.WARNING, why, f"certmail webhooks resume {endpoint.id}")
        case EndpointState.BACKING_OFF:
            why = f"It has taken nothing{since}: {endpoint.error}; {waits}."
            return Finding(check, Severity.WARNING, why, f"certmail webhooks test {endpoint.id}")

    if kept.oldest_due is not None and kept.oldest_due < now - LATE:
        why = f"{waits}, the first due since {moment(kept.oldest_due)}."
        return Finding(check, Severity.WARNING, why, f"See whether a worker runs; {show}")
    if kept.failed:
        why = f"{kept.failed} messages failed after their last attempt and are kept."
        remedy = f"certmail webhooks replay {endpoint.id} --failed"
        return Finding(check, Severity.WARNING, why, remedy)
    return Finding(check, Severity.OK, "It takes its messages.")
