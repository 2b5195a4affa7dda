"""Examining a deployment: settings, stores, lineage, the ledger's invariants, connections, workers. Changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import cast

from redis import Redis
from sqlalchemy import Engine

from certmail_config import keys, standing
from certmail_config.connections import Connection, ConnectionState, TenantState
from certmail_config.durability import Durability
from certmail_config.errors import CertmailError
from certmail_config.facts import server_facts
from certmail_config.foreign import were_taken_out
from certmail_config.ids import ConnectionId
from certmail_config.ledger.values import split_words
from certmail_config.office import Office
from certmail_config.pauses import paused_in
from certmail_config.renewal import renew_values, sealed_in
from certmail_config.room import Limits
from certmail_config.sandbox import is_sandbox
from certmail_config.settings import Settings, proxies_of_others, unknown_names
from certmail_config.sql import registry
from certmail_config.sql.aside import look_aside
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.sql.pausing import read_pauses
from certmail_config.stores import check_redis, connect, database_url, hide_password, redis_server, vault_keys
from certmail_config.strongbox import Strongbox
from certmail_config.tenant_audit import TenantAudit
from certmail_config.vault import Vault
from certmail_config.waits import Wait, waits
from certmail_config.web_addresses import split_web_address
from certmail_worker import forgeries, halts, invariants
from certmail_worker.answers import Answer, Answered
from certmail_worker.clock import TOLERANCE_SECONDS
from certmail_worker.http import exchange, new_session
from certmail_worker.lineage import WORDS, Lineage, assess, read_traces
from certmail_worker.unused_copy import find_dump
from certmail_worker.worries import LATELY, look_for_worries

GOOGLE = (
    "google_auth_url",
    "google_token_url",
    "google_revoke_url",
    "google_userinfo_url",
    "google_x509_url",
    "gmail_url",
    "google_console_url",
    "google_admin_url",
)
LISTENING = ("listen", "flower_listen", "sandbox_listen")
REPAIR = "`certmail doctor --repair`"
LEDGER_AHEAD_SECONDS = 5.0


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


def examine(settings: Settings, progress: Callable[[int], None] = lambda _: None) -> list[Finding]:
    """Look at everything that can be looked at, even where something else is broken.

    `progress` is told how many keys of the ledger were looked at.
    """
    return list(_findings(settings, progress))


def _findings(settings: Settings, progress: Callable[[int], None]) -> Iterator[Finding]:
    yield Finding(
        "settings", Severity.OK, f"The settings can be used; the data directory is {settings.data_dir}."
    )
    yield from _environment()
    yield from _gateway(settings)
    yield from _network(settings)
    yield from _way_to_google(settings)
    yield from _sandbox(settings)
    vault: Vault | None = None
    stopped: dict[str, tuple[str, str]] = {}
    waiting: dict[ConnectionId, Wait] = {}
    paused: frozenset[str] | None = None
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
            yield from _redis(redis, settings)
            yield from _ledger(redis, progress)
            yield from _lineage(redis, settings)
            if vault is not None:
                yield from _trust(redis, settings, vault)
            stopped, waiting = _stopped_lanes(redis), _waiting_lanes(redis)
            paused = paused_in(redis)
            yield from _halts(halts.in_force(paused, _suspended(redis, paused)))
        except CertmailError as error:
            yield _broken("redis", error)
    engine = open_database(database_url(settings))
    try:
        if settings.database_url is None:
            upgrade(engine)
        check_version(engine)
        yield Finding("database", Severity.OK, f"{engine.dialect.name} answers, its tables are up to date.")
        if paused is not None:
            with reachable(engine), engine.connect() as db:
                yield from _halts(halts.disagreements(paused, read_pauses(db)))
        yield from _record(engine)
        yield from _reminders(engine)
        yield from _connections(engine, vault, stopped, waiting)
    except CertmailError as error:
        yield _broken("database", error)
    finally:
        engine.dispose()


def _gateway(settings: Settings) -> Iterator[Finding]:
    """Whether passwords and set-up links would cross a network in the clear."""
    if settings.public_url is not None and split_web_address(settings.public_url) is None:
        yield Finding(
            "console",
            Severity.WARNING,
            f"Browsers reach the console by {settings.public_url}: passwords, cookies and set-up links are not encrypted on their way.",
            "Put TLS in front of the gateway and set CERTMAIL_PUBLIC_URL to its https:// address.",
        )


def _network(settings: Settings) -> Iterator[Finding]:
    """Whether tokens and mails would cross a network in the clear, or a page be open to all of it."""
    for name in GOOGLE:
        address = str(getattr(settings, name))
        if split_web_address(address) is None:
            yield Finding(
                "google",
                Severity.WARNING,
                f"CERTMAIL_{name.upper()} is {address}: secrets and mails are not encrypted on their way.",
                "Leave it unset, or set an https:// address.",
            )
    for name in LISTENING:
        host = str(getattr(settings, name)).rpartition(":")[0].strip("[]")
        if host in {"", "*", "0.0.0.0", "::"}:  # noqa: S104 - what is warned of
            yield Finding(
                "listen",
                Severity.WARNING,
                f"CERTMAIL_{name.upper()} is {getattr(settings, name)}: it answers on every network of this machine, without TLS.",
                "Set 127.0.0.1, or the one address that a proxy with TLS reaches it by.",
            )


def _way_to_google(settings: Settings) -> Iterator[Finding]:
    """Whether Google is reached through the proxy, or whether one is set that certmail does not use."""
    if settings.proxy is None:
        if names := proxies_of_others():
            message = f"{' and '.join(names)}: set, but certmail goes to Google directly."
            remedy = "If this machine reaches Google through a proxy only, name it in CERTMAIL_GOOGLE_PROXY."
            yield Finding("proxy", Severity.WARNING, message, remedy)
        return
    shown = hide_password(settings.proxy)
    answer = asyncio.run(_ask_google(settings))
    if isinstance(answer, Answered):
        yield Finding("proxy", Severity.OK, f"Google is reached through the proxy {shown}.")
    else:
        remedy = getattr(answer, "remedy", "") or "See the proxy's log, and CERTMAIL_GOOGLE_PROXY."
        yield Finding(
            "proxy", Severity.ERROR, f"Google is not reached through {shown}: {answer.why}.", remedy
        )


async def _ask_google(settings: Settings) -> Answer:
    """Ask for what changes nothing: any answer will do."""
    async with new_session(
        ca_file=settings.google_ca_file, timeout_seconds=settings.http_timeout_seconds, proxy=settings.proxy
    ) as session:
        return await exchange(session, "GET", settings.google_userinfo_url)


def _environment() -> Iterator[Finding]:
    """Variables that somebody may believe certmail goes by."""
    if names := were_taken_out():
        message = f"Set for somebody else, and not followed: {', '.join(names)}."
        remedy = "If it was meant for certmail: CERTMAIL_REDIS_URL says where the broker is, CERTMAIL_DATABASE_URL where the record is."
        yield Finding("environment", Severity.WARNING, message, remedy)
    if unknown := unknown_names():
        message = f"No settings of this version, and without effect: {', '.join(unknown)}."
        yield Finding(
            "settings unknown", Severity.WARNING, message, "See docs/settings.md for those that there are."
        )


def _sandbox(settings: Settings) -> Iterator[Finding]:
    """That no mail leaves, where Google is played: as it should be in the sandbox's directory, and nowhere else."""
    if settings.sandbox_url is None:
        return
    message = f"Google is played by the sandbox at {settings.sandbox_url}: no mail leaves."
    if is_sandbox(settings.data_dir):
        yield Finding("sandbox", Severity.OK, message)
    else:
        remedy = "Unset CERTMAIL_SANDBOX_URL, unless this is for trying out."
        yield Finding("sandbox", Severity.WARNING, message, remedy)


def _redis(redis: Redis, settings: Settings) -> Iterator[Finding]:
    limits = Limits(settings.redis_memory_max, settings.events_max)
    for fact in server_facts(redis, Durability.parse(settings.durability), limits):
        yield Finding(fact.check, Severity(fact.severity), fact.message, fact.remedy)
    found = cast("dict[bytes, bytes]", redis.hgetall(keys.STOPPED))
    if found and found[b"code"].decode() not in WORDS:  # what is wrong with the lineage is said below
        yield Finding("pacing", Severity.ERROR, found[b"message"].decode(), found[b"remedy"].decode())
    with redis.pipeline(transaction=False) as pipe:
        standing.ask(pipe)
        seen = standing.read(pipe.execute())
    if seen.workers:
        yield Finding("workers", Severity.OK, f"{seen.workers} alive.")
        found_still = standing.standstills(seen)
        for each in found_still:
            yield Finding(each.service, Severity.ERROR, each.message, each.remedy)
        if not found_still:
            yield Finding("services", Severity.OK, "Whatever the workers do beside sending gets on.")
    else:
        yield Finding(
            "workers",
            Severity.WARNING,
            "No worker is alive: reminders wait.",
            "Start `certmail up` or `certmail worker`.",
        )


def _ledger(redis: Redis, progress: Callable[[int], None]) -> Iterator[Finding]:
    report = invariants.look(redis, progress)
    if not report.found:
        yield Finding(
            "ledger",
            Severity.OK,
            f"{report.looked_at:,} keys and entries were looked at; all belong together.",
        )
    for code, subjects in report.found.items():
        message = invariants.sentence(code, subjects)
        yield Finding(
            f"ledger {code}", Severity.ERROR, message, f"{REPAIR} would {invariants.CODES[code][2]}."
        )


def _lineage(redis: Redis, settings: Settings) -> Iterator[Finding]:
    """Whether Redis is the one that was recorded; without a database that cannot be known, and `database` says so."""
    engine = open_database(database_url(settings))
    try:
        if settings.database_url is None:
            upgrade(engine)
        check_version(engine)
        with reachable(engine):
            lineage = assess(read_traces(redis, engine))
    except CertmailError:
        return
    finally:
        engine.dispose()
    if lineage in WORDS:
        message, remedy = WORDS[lineage]
        dump = find_dump(redis, settings) if lineage is Lineage.REPLACED else None
        yield Finding("lineage", Severity.ERROR, f"{message} {dump.sentence}" if dump else message, remedy)
    else:
        yield Finding(
            "lineage",
            Severity.OK,
            "Redis goes on where the record ends." if lineage is Lineage.SAME else "Nothing is recorded yet.",
        )
    server, wall = _server_time(redis), time.time()
    if abs(server - wall) > TOLERANCE_SECONDS:
        message = f"The clock of Redis's machine and this one's are {abs(server - wall):,.0f} s apart."
        yield Finding(
            "clocks",
            Severity.ERROR,
            message,
            "Set the one right that is wrong; time synchronisation keeps it so.",
        )
    ahead = int(cast("bytes | None", redis.get(keys.CLOCK)) or 0) / 1000 - server
    if ahead > LEDGER_AHEAD_SECONDS:
        message = f"The ledger's time is {ahead:,.0f} s ahead of Redis's clock, which was set back: until it has caught up, nothing is due."
        yield Finding("clocks", Severity.WARNING, message, "Wait, or set the clock right.")


def _trust(redis: Redis, settings: Settings, vault: Vault) -> Iterator[Finding]:
    """What stands in Redis, or stood there within the last week, as if certmail had written it."""
    found = forgeries.look(Strongbox(redis, vault))
    engine = open_database(database_url(settings))
    try:
        check_version(engine)
        found += forgeries.differing(TenantAudit(Office(settings, engine, redis, vault)).found())
    except CertmailError:
        pass  # `database` says so
    finally:
        engine.dispose()
    for forgery in found:
        yield Finding(f"redis {forgery.place}", Severity.ERROR, forgery.message, forgeries.REMEDY)
    if not found:
        yield Finding("trust", Severity.OK, "What only certmail writes in Redis, certmail has written.")


def _record(engine: Engine) -> Iterator[Finding]:
    """What could not be recorded."""
    with reachable(engine), engine.connect() as db:
        aside = look_aside(db)
    if not aside.count:
        yield Finding("record", Severity.OK, "All events could be recorded.")
        return
    few = "; ".join(f"{id_}: {reason}" for id_, reason in aside.newest)
    message = f"{aside.count} events could not be recorded and are set aside, the last at {aside.last.isoformat(timespec='seconds')}: {few}."
    remedy = "See the table set_aside, and who beside certmail writes to Redis; after an update report it. They are forgotten after CERTMAIL_PAYLOAD_DAYS."
    yield Finding("record", Severity.WARNING, message, remedy)


def _reminders(engine: Engine) -> Iterator[Finding]:
    """What somebody ought to look at: what waits for a person, and what failed lately."""
    with reachable(engine), engine.connect() as db:
        found = look_for_worries(db, datetime.now(UTC))
    if found.held:
        message = f"{found.held} reminders may or may not have arrived, and wait for a person, the first since {_minute(found.held_since)}."
        remedy = "See `certmail uncertain list`, and say what became of them: `certmail uncertain settle`."
        yield Finding("uncertain", Severity.WARNING, message, remedy)
    if found.failed:
        whys = ", ".join(f"{count} {why}" for why, count in found.failed)
        message = f"Failed within {LATELY.days} days, the first at {_minute(found.failed_since)}: {whys}."
        yield Finding("failed", Severity.WARNING, message, "See `certmail deliveries list --state failed`.")
    if not found.held and not found.failed:
        yield Finding("reminders", Severity.OK, "None waits for a person, and none failed lately.")


def _minute(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%MZ") if time is not None else "an unknown time"


def _server_time(redis: Redis) -> float:
    seconds, micros = redis.time()
    return seconds + micros / 1e6


def _stopped_lanes(redis: Redis) -> dict[str, tuple[str, str]]:
    """The connections whose reminders wait, with code and message: what delivery has found out is newer than what SQL knows."""
    found = {}
    for key in redis.scan_iter(keys.LANE_INFO + "*", count=500):
        lane = cast("list[bytes | None]", redis.hmget(key, ["state", "code", "message"]))
        state, code, message = ((value or b"").decode() for value in lane)
        if state == "suspended":
            found[key.decode().removeprefix(keys.LANE_INFO)] = (code, message)
    return found


def _waiting_lanes(redis: Redis) -> dict[ConnectionId, Wait]:
    """The connections that wait for a time; of all lanes, whatever SQL knows of them."""
    names = (
        key.decode().removeprefix(keys.LANE_INFO) for key in redis.scan_iter(keys.LANE_INFO + "*", count=500)
    )
    return waits(redis, [ConnectionId(name) for name in names])


def _suspended(redis: Redis, paused: Iterable[str]) -> set[str]:
    states = {name: cast("bytes | None", redis.hget(keys.TENANT + name, "state")) for name in paused}
    return {name for name, state in states.items() if state == TenantState.SUSPENDED.encode()}


def _halts(found: Iterable[halts.Halt]) -> Iterator[Finding]:
    for halt in found:
        yield Finding(
            halt.check, Severity.ERROR if halt.broken else Severity.WARNING, halt.message, halt.remedy
        )


def _connections(
    engine: Engine,
    vault: Vault | None,
    stopped: Mapping[str, tuple[str, str]],
    waiting: Mapping[ConnectionId, Wait],
) -> Iterator[Finding]:
    with reachable(engine), engine.connect() as db:
        tenants, found = registry.list_tenants(db), registry.list_connections(db)
    for tenant in tenants:
        yield from _sealed(f"tenant {tenant.id}", {"private_key": tenant.private_key}, tenant.id, vault)
    if not found:
        yield Finding(
            "connections", Severity.WARNING, "There is no tenant yet.", "certmail tenants add TENANT"
        )
    for connection in found:
        check = f"connection {connection.tenant}/{connection.name}"
        broken = list(_sealed(check, sealed_in(connection), connection.owner, vault))
        yield from broken or [
            _connection(check, connection, stopped.get(connection.id), waiting.get(connection.id))
        ]


def _sealed(check: str, values: Mapping[str, bytes], owner: str, vault: Vault | None) -> Iterator[Finding]:
    """What of these values cannot be opened."""
    if vault is not None:
        for error in renew_values(values, owner, vault).broken.values():
            yield _broken(check, error)


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


def _broken(check: str, error: CertmailError) -> Finding:
    return Finding(check, Severity.ERROR, error.message, error.remedy)
