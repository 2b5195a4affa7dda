"""Examining a deployment: settings, stores, connections, workers. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Engine

from certmail_config import keys
from certmail_config.connections import Connection, ConnectionState
from certmail_config.errors import CertmailError, SealBroken
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.stores import check_redis, connect, database_url, redis_server, vault_keys
from certmail_config.vault import Vault


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    severity: Severity
    message: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that can be looked at, even where something else is broken."""
    return list(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding(
        "settings", Severity.OK, f"The settings can be used; the data directory is {settings.data_dir}."
    )
    vault: Vault | None = None
    try:
        vault = Vault(vault_keys(settings))
        yield Finding("vault", Severity.OK, "There is a key to seal with.")
    except CertmailError as error:
        yield _broken("vault", error)
    with ExitStack() as stack:
        try:
            url = stack.enter_context(redis_server(settings))
            name, version = check_redis(url)
            redis = stack.enter_context(connect(url))
            yield Finding("redis", Severity.OK, f"{name} {version} answers.")
            yield from _redis(redis)
        except CertmailError as error:
            yield _broken("redis", error)
    engine = open_database(database_url(settings))
    try:
        if settings.database_url is None:
            upgrade(engine)
        check_version(engine)
        yield Finding("database", Severity.OK, f"{engine.dialect.name} answers, its tables are up to date.")
        yield from _connections(engine, vault)
    except CertmailError as error:
        yield _broken("database", error)
    finally:
        engine.dispose()


def _redis(redis: Redis) -> Iterator[Finding]:
    try:
        config = cast("dict[str, Any]", redis.config_get("append*")) | cast(
            "dict[str, Any]", redis.config_get("maxmemory-policy")
        )
    except ResponseError:
        remedy = "Make sure of appendonly yes, appendfsync always and noeviction with whoever runs it."
        yield Finding("durability", Severity.WARNING, "The server hides its configuration.", remedy)
    else:
        if config.get("appendonly") == "yes" and config.get("appendfsync") == "always":
            yield Finding("durability", Severity.OK, "Every write is on disk before it is acknowledged.")
        else:
            message = f"appendonly is {config.get('appendonly')}, appendfsync is {config.get('appendfsync')}: a crash can lose what was acknowledged."
            yield Finding("durability", Severity.ERROR, message, "Set appendonly yes and appendfsync always.")
        if config.get("maxmemory-policy") != "noeviction":
            message = f"maxmemory-policy is {config.get('maxmemory-policy')}: the server may throw jobs away."
            yield Finding("eviction", Severity.ERROR, message, "Set maxmemory-policy noeviction.")
    workers = redis.zcard(keys.WORKERS)
    if workers:
        yield Finding("workers", Severity.OK, f"{workers} alive.")
    else:
        yield Finding(
            "workers",
            Severity.WARNING,
            "No worker is alive: reminders wait.",
            "Start `certmail up` or `certmail worker`.",
        )


def _connections(engine: Engine, vault: Vault | None) -> Iterator[Finding]:
    with reachable(engine), engine.connect() as db:
        found = registry.list_connections(db)
    if not found:
        yield Finding(
            "connections", Severity.WARNING, "There is no tenant yet.", "certmail tenants add TENANT"
        )
    for connection in found:
        yield _connection(connection, vault)


def _connection(connection: Connection, vault: Vault | None) -> Finding:
    check = f"connection {connection.tenant}/{connection.name}"
    if vault is not None and connection.private_key is not None:
        try:
            vault.open(connection.private_key, owner=connection.owner)
        except SealBroken as error:
            return _broken(check, error)
    if connection.state is ConnectionState.ACTIVE:
        return Finding(check, Severity.OK, "It was seen to work.")
    _, message = connection.waits_for()
    remedy = connection.remedy or f"certmail connections probe {connection.id}"
    severity = Severity.ERROR if connection.state is ConnectionState.ATTENTION else Severity.WARNING
    return Finding(check, severity, f"{connection.state}: {message}", remedy)


def _broken(check: str, error: CertmailError) -> Finding:
    return Finding(check, Severity.ERROR, error.message, error.remedy)
