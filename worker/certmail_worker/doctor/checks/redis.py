"""Redis: the server, the workers that show themselves there, and the ledger that it holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from redis import Redis

from certmail_config.admin.admin import Admin
from certmail_config.admin.working_copy_audit import TenantAudit
from certmail_config.base import redis_keys
from certmail_config.base.durability import Durability
from certmail_config.base.errors import CertmailError
from certmail_config.base.redis_answers import hash_of, server_time, value_of
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.status import stalls
from certmail_config.stores.capacity import StoreLimits
from certmail_config.stores.connect import database_url
from certmail_config.stores.health import server_facts
from certmail_worker.doctor import forgeries, invariants
from certmail_worker.doctor.checks.findings import Finding, Severity
from certmail_worker.doctor.unused_copy import find_dump
from certmail_worker.health.server_clock import TOLERANCE_SECONDS
from certmail_worker.recording.consistency import LINEAGE_ERRORS, Lineage, assess, read_traces

REPAIR = "`certmail doctor --repair`"
LEDGER_AHEAD_SECONDS = 5.0


def server(redis: Redis, settings: Settings) -> Iterator[Finding]:
    """What the server can hold and keep, and whether pacing stands still."""
    limits = StoreLimits(settings.redis_memory_max, settings.events_max)
    for fact in server_facts(redis, Durability.parse(settings.durability), limits):
        yield Finding(fact.check, Severity(fact.severity), fact.message, fact.remedy)

    found = hash_of(redis, redis_keys.STOPPED)
    # What is wrong with the lineage is said by `lineage`.
    if found and found[b"code"].decode() not in LINEAGE_ERRORS:
        yield Finding(
            "pacing", Severity.ERROR, found[b"message"].decode(), found[b"remedy"].decode()
        )


def workers(redis: Redis) -> Iterator[Finding]:
    """Whether somebody sends, and what the workers do beside that gets on."""
    with redis.pipeline(transaction=False) as pipe:
        stalls.ask(pipe)
        seen = stalls.read(pipe.execute())

    if seen.workers:
        yield Finding("workers", Severity.OK, f"{seen.workers} alive.")
        standstills = stalls.standstills(seen)
        for each in standstills:
            yield Finding(each.service, Severity.ERROR, each.message, each.remedy)
        if not standstills:
            yield Finding(
                "services", Severity.OK, "Whatever the workers do beside sending gets on."
            )
    else:
        yield Finding(
            "workers",
            Severity.WARNING,
            "No worker is alive: reminders wait.",
            "Start `certmail up` or `certmail worker`.",
        )


def ledger(redis: Redis, progress: Callable[[int], None]) -> Iterator[Finding]:
    """Whether all keys belong together; `progress` is told how many were looked at."""
    report = invariants.find_violations(redis, progress)
    if not report.found:
        yield Finding(
            "ledger",
            Severity.OK,
            f"{report.looked_at:,} keys and entries were looked at; all belong together.",
        )

    for code, subjects in report.found.items():
        message = invariants.describe(code, subjects)
        yield Finding(
            f"ledger {code}",
            Severity.ERROR,
            message,
            f"{REPAIR} would {invariants.CODES[code][2]}.",
        )


def lineage(redis: Redis, settings: Settings) -> Iterator[Finding]:
    """Whether Redis is the one that was recorded.

    Without a database that cannot be known, and `database` says so.
    """
    engine = open_database(database_url(settings))

    try:
        if settings.database_url is None:
            upgrade(engine)
        check_version(engine)
        with reachable(engine):
            found = assess(read_traces(redis, engine))
    except CertmailError:
        return
    finally:
        engine.dispose()

    if found in LINEAGE_ERRORS:
        message, remedy = LINEAGE_ERRORS[found]
        dump = find_dump(redis, settings) if found is Lineage.REPLACED else None
        yield Finding(
            "lineage", Severity.ERROR, f"{message} {dump.sentence}" if dump else message, remedy
        )
    else:
        yield Finding(
            "lineage",
            Severity.OK,
            "Redis goes on where the record ends."
            if found is Lineage.SAME
            else "Nothing is recorded yet.",
        )


def clocks(redis: Redis) -> Iterator[Finding]:
    """Whether this machine, Redis and the ledger agree on the time."""
    server, wall = server_time(redis), time.time()
    if abs(server - wall) > TOLERANCE_SECONDS:
        message = (
            f"The clock of Redis's machine and this one's are {abs(server - wall):,.0f} s apart."
        )
        yield Finding(
            "clocks",
            Severity.ERROR,
            message,
            "Set the one right that is wrong; time synchronisation keeps it so.",
        )

    ahead = int(value_of(redis, redis_keys.CLOCK) or 0) / 1000 - server
    if ahead > LEDGER_AHEAD_SECONDS:
        message = f"The ledger's time is {ahead:,.0f} s ahead of Redis's clock, which was set back: until it has caught up, nothing is due."
        yield Finding("clocks", Severity.WARNING, message, "Wait, or set the clock right.")


def trust(redis: Redis, settings: Settings, vault: Vault) -> Iterator[Finding]:
    """What stands in Redis, or stood there within the last week, as if certmail had written it."""
    found = forgeries.find_forgeries(Strongbox(redis, vault))
    engine = open_database(database_url(settings))

    try:
        check_version(engine)
        found += forgeries.unlike_sql(TenantAudit(Admin(settings, engine, redis, vault)).found())
    except CertmailError:
        pass  # `database` says so
    finally:
        engine.dispose()

    for forgery in found:
        yield Finding(f"redis {forgery.place}", Severity.ERROR, forgery.message, forgeries.REMEDY)
    if not found:
        yield Finding(
            "trust", Severity.OK, "What only certmail writes in Redis, certmail has written."
        )
