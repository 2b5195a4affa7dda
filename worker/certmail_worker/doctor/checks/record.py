"""The record: what could not be written, and what somebody ought to look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine

from certmail_config.sql.engine import reachable
from certmail_config.sql.set_aside import summarise_set_aside
from certmail_worker.doctor.checks.findings import Finding, Severity
from certmail_worker.doctor.problem_reminders import RECENT, find_problem_reminders


def record(engine: Engine) -> Iterator[Finding]:
    """What could not be recorded."""
    with reachable(engine), engine.connect() as db:
        aside = summarise_set_aside(db)
    if not aside.count:
        yield Finding("record", Severity.OK, "All events could be recorded.")
        return

    few = "; ".join(f"{id_}: {reason}" for id_, reason in aside.newest)
    message = f"{aside.count} events could not be recorded and are set aside, the last at {aside.last.isoformat(timespec='seconds')}: {few}."
    remedy = "See the table set_aside, and who beside certmail writes to Redis; after an update report it. They are forgotten after CERTMAIL_PAYLOAD_DAYS."
    yield Finding("record", Severity.WARNING, message, remedy)


def reminders(engine: Engine) -> Iterator[Finding]:
    """What somebody ought to look at: what waits for a person, and what failed lately."""
    with reachable(engine), engine.connect() as db:
        found = find_problem_reminders(db, datetime.now(UTC))

    if found.held:
        message = f"{found.held} reminders may or may not have arrived, and wait for a person, the first since {_minute(found.held_since)}."
        remedy = "See `certmail uncertain list`, and say what became of them: `certmail uncertain settle`."
        yield Finding("uncertain", Severity.WARNING, message, remedy)

    if found.failed:
        reasons = ", ".join(f"{count} {why}" for why, count in found.failed)
        message = f"Failed within {RECENT.days} days, the first at {_minute(found.failed_since)}: {reasons}."
        yield Finding(
            "failed", Severity.WARNING, message, "See `certmail deliveries list --state failed`."
        )

    if not found.held and not found.failed:
        yield Finding("reminders", Severity.OK, "None waits for a person, and none failed lately.")


def _minute(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%MZ") if time is not None else "an unknown time"
