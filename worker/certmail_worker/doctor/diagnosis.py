"""Examining a deployment: settings, stores, lineage, the ledger's invariants, connections, workers.

Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from certmail_config.base.errors import CertmailError
from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.sql.engine import check_encoding, check_version, open_database, upgrade
from certmail_config.stores.connect import (
    check_redis,
    connect,
    database_url,
    redis_server,
    vault_keys,
)
from certmail_worker.doctor.checks import (
    campaigns,
    connections,
    lanes,
    record,
    surroundings,
    webhooks,
)
from certmail_worker.doctor.checks import redis as in_redis
from certmail_worker.doctor.checks.findings import Finding, Severity, broken
from certmail_worker.doctor.checks.lanes import Lanes, read_lanes
from certmail_worker.doctor.checks.operators import operators
from certmail_worker.doctor.checks.redis_users import redis_users


def examine(settings: Settings, progress: Callable[[int], None] = lambda _: None) -> list[Finding]:
    """Look at everything that can be looked at, even where something else is broken.

    `progress` is told how many keys of the ledger were looked at.
    """
    return list(_findings(settings, progress))


def _findings(settings: Settings, progress: Callable[[int], None]) -> Iterator[Finding]:
    yield Finding(
        "settings",
        Severity.OK,
        f"The settings can be used; the data directory is {settings.data_dir}.",
    )
    yield from surroundings.environment()
    for check in surroundings.CHECKS:
        yield from check(settings)

    # The vault.
    vault: Vault | None = None
    try:
        vault = Vault(vault_keys(settings))
        yield Finding("vault", Severity.OK, "There is a key to seal with.")
    except CertmailError as error:
        yield broken("vault", error)

    # Redis.
    seen = Lanes()
    with ExitStack() as stack:
        try:
            url = stack.enter_context(redis_server(settings))
            name, version = check_redis(url)
            redis = stack.enter_context(connect(url))
            yield Finding("redis", Severity.OK, f"{name} {version} answers.")
            yield from in_redis.server(redis, settings)
            yield from redis_users(redis, settings)
            yield from in_redis.workers(redis)
            yield from in_redis.ledger(redis, progress)
            yield from in_redis.lineage(redis, settings)
            yield from in_redis.clocks(redis)
            if vault is not None:
                yield from in_redis.trust(redis, settings, vault)
            seen = read_lanes(redis)
            yield from lanes.in_force(redis, seen.paused or frozenset())
        except CertmailError as error:
            yield broken("redis", error)

    # The database.
    engine = open_database(database_url(settings))
    try:
        if settings.database_url is None:
            upgrade(engine)
        check_encoding(engine)
        check_version(engine)
        yield Finding(
            "database", Severity.OK, f"{engine.dialect.name} answers, its tables are up to date."
        )
        if seen.paused is not None:
            yield from lanes.disagreements(engine, seen.paused)
        yield from record.record(engine)
        yield from record.reminders(engine)
        yield from connections.connections(engine, vault, seen)
        yield from operators(engine, vault, settings)
        yield from webhooks.webhooks(engine, vault)
        yield from campaigns.campaigns(engine)
    except CertmailError as error:
        yield broken("database", error)
    finally:
        engine.dispose()
