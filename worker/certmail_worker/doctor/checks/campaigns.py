"""Campaigns that run: whether each could be planned when it was last tried."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from certmail_config.base.dates import moment
from certmail_config.sql.campaigns.planning import failing_campaigns
from certmail_config.sql.engine import reachable
from certmail_worker.doctor.checks.findings import Finding, Severity


def campaigns(engine: Engine) -> Iterator[Finding]:
    """Say which could not be planned; nothing where all could."""
    with reachable(engine), engine.connect() as db:
        found = failing_campaigns(db)

    for each in found:
        tenant, id_ = each.key
        again = f"; tried again at {moment(each.next_plan_at)}" if each.next_plan_at else ""
        why = (
            f"Could not be planned {each.failures} times in a row: {each.error}. "
            f"What it had enqueued still leaves{again}."
        )
        remedy = f"Mend what it names, then: certmail campaign show {tenant} {id_}"
        yield Finding(f"campaign {tenant} {id_}", Severity.ERROR, why, remedy)
