"""`python -m bench.console.first_bytes`: how long the console's pages take to their first byte.

With 100,000 deliveries in PostgreSQL behind them. A gateway in a process of its own is asked over
HTTP, one page after the other, as by one person who has signed in. Exit status 1 if the first byte
of any takes 100 ms or more.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import text

from bench.record_filling import BIG, BIG_CAMPAIGN, SOMEBODY, fill, some_job
from certmail.gateway.console.record.filter_form import OWNER, ListFilter, ListLinks
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import Sessions
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.webhooks.endpoints import add_webhook, list_webhooks
from certmail_config.settings import PREFIX, Settings
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.stores.embedded import embedded_server
from certmail_config.tenants.models import GoogleLimits
from support.servers.postgres import Postgres, postgres

BOUND_MS: Final = 100.0
TIMES: Final = 30
PASSWORD: Final = "correct horse battery staple"


def pages(admin: Admin, count: int) -> Iterator[tuple[str, str]]:
    """Every page, and each list at its worst."""

    def listed(**fields: str) -> str:
        wanted = ListFilter(**fields)
        sealed = wanted.sealed(lambda typed: admin.vault.seal(typed, owner=OWNER))
        return ListLinks(wanted, sealed).to()

    yield "connections", "/console"
    yield "deliveries", listed()
    yield "deliveries of the largest tenant", listed(tenant=BIG)
    yield "its largest campaign", listed(tenant=BIG, campaign=BIG_CAMPAIGN)
    yield "what of it was not sent", listed(tenant=BIG, campaign=BIG_CAMPAIGN, state="not-sent")
    yield "what was not sent", listed(state="not-sent")
    yield "what waits, of which there is nothing", listed(state="waiting")
    yield "one recipient", listed(to=SOMEBODY)
    yield "one recipient of one tenant", listed(tenant=BIG, to=SOMEBODY)
    yield "a tenant that is not there", listed(tenant="nobody")
    yield "a month", listed(since="2026-10-01", until="2026-10-31")
    yield "one reminder", f"/console/deliveries/{some_job(count // 2)}"
    yield "attention", "/console/attention"
    yield "attention of a tenant", f"/console/attention?tenant={BIG}"
    yield "tenants", "/console/tenants"
    yield "the largest tenant", f"/console/tenants/{BIG}"
    [busiest] = list_webhooks(admin, limit=1)
    yield "webhooks", "/console/webhooks"
    yield "the busiest webhook", f"/console/webhooks/{busiest.id}"
    yield "the beginning of a file of everything", "/console/deliveries/export"


def fill_webhooks(admin: Admin, tenants: Sequence[str], count: int) -> None:
    """A webhook for each tenant, with a hundredth as many messages waiting; the first has most."""
    insert = text(
        "INSERT INTO webhook_messages (endpoint, ms, n, type, body, state, attempts, due_at, ended_at) "
        "SELECT :endpoint, 1764000000000 + n, 0, 'reminder.accepted', repeat('x', 300), :state, 1, now(), now() "
        "FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n"
    )
    for n, tenant in enumerate(tenants):
        made, _ = add_webhook(admin, f"https://hooks.example.com/{tenant}", tenants=[tenant])
        delivered, waiting = (count if n == 0 else 0), count // 100
        with admin.db() as db:
            rows = {"endpoint": made.id, "state": "delivered", "first": 1, "last": delivered}
            db.execute(insert, rows)
            rows |= {"state": "waiting", "first": delivered + 1, "last": delivered + waiting}
            db.execute(insert, rows)


@contextmanager
def gateway(server: Postgres, count: int, data: Path) -> Iterator[tuple[str, Admin]]:
    """A gateway's address, over a record of so many deliveries, and what administers it."""
    engine = open_database(server.url())
    upgrade(engine)
    fill(engine, count, datetime.now(UTC))
    engine.dispose()
    server.execute("VACUUM ANALYZE")

    with embedded_server(data / "valkey") as redis_url:
        given = {
            "data_dir": str(data),
            "redis_url": redis_url,
            "database_url": server.url(),
            "operator_password": PASSWORD,
            "listen": f"127.0.0.1:{_free_port()}",
        }
        settings = Settings(**given)
        with open_admin(settings, make_key=True) as admin:
            tenants = (BIG, *(f"tenant-{n}" for n in range(1, 50)))
            for tenant in tenants:
                admin.add_tenant(tenant)
                admin.add_service_provider_app(tenant, "default", limits=GoogleLimits())
            fill_webhooks(admin, tenants, count)
            server.execute("VACUUM ANALYZE")

            environment = os.environ | {f"{PREFIX}{n.upper()}": v for n, v in given.items()}
            command = [sys.executable, "-m", "certmail_worker", "gateway"]
            with (data / "gateway.log").open("w") as log:
                process = subprocess.Popen(
                    command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
                )
            try:
                assert process.stdout is not None
                yield process.stdout.readline().strip(), admin
            finally:
                process.terminate()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def first_byte_ms(url: str, path: str, cookie: str) -> float:
    """In how many milliseconds the first byte of a page is there."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    connection.connect()
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    took = (time.perf_counter() - begun) * 1000
    assert answer.status == 200, (path, answer.status, answer.read()[:2000])
    connection.close()
    return took


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="bench.console.first_bytes", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    count = parser.parse_args().deliveries
    slow = []

    with (
        tempfile.TemporaryDirectory(prefix="first-bytes-") as data,
        postgres() as server,
        gateway(server, count, Path(data)) as (url, admin),
    ):
        visitor = Sessions(admin.strongbox).begin_as_operator(PASSWORD)
        cookie = f"{Cookie.OPERATOR}={visitor.secret}"
        _tell(f"{count:,} deliveries in PostgreSQL, {TIMES} times each")
        _tell(f"{'first byte of':42} {'least ms':>9} {'median ms':>10} {'95 % ms':>9}")
        for name, path in pages(admin, count):
            first_byte_ms(url, path, cookie)
            times = [first_byte_ms(url, path, cookie) for _ in range(TIMES)]
            median = statistics.median(times)
            late = statistics.quantiles(times, n=20)[-1]
            _tell(f"{name:42} {min(times):9.1f} {median:10.1f} {late:9.1f}")
            slow += [name] if median >= BOUND_MS else []

    if slow:
        sys.exit(f"{BOUND_MS:g} ms or more: {', '.join(slow)}")


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
