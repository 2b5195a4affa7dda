"""Everything that runs while releases change: stores, Google's stand-in, and processes of both.

Redis and PostgreSQL are of no release, and outlive all processes.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from sqlalchemy import Engine, create_engine, text

from certmail_config.base import redis_keys
from support.deployment.deployment import (
    BUSY_SECONDS,
    Deployment,
    new_deployment,
    recorded_in,
    wait_for,
)
from support.deployment.probes import is_ready
from support.network.addresses import free_address
from support.processes.halt import Process
from support.servers.postgres import postgres
from support.servers.restorable import server
from upgrade.releases import Release
from upgrade.traffic import HttpUpstream, Upstream, arguments

UNITS: Final = 600_000
"""A minute, of each mailbox and project, on both sides: the machine and not Google decides."""
MANY: Final = 2_000_000
"""A day, likewise."""
LIMITS: Final = (
    *("--units-per-minute", str(UNITS), "--project-units-per-minute", str(UNITS)),
    *("--per-day", str(MANY), "--in-flight", "20"),
)
BY_DAY: Final = (
    "messages_per_day",
    "recipients_per_day",
    "external_recipients_per_day",
    "unique_recipients_per_day",
    "unique_external_recipients_per_day",
)
CUSTOMER_OWNED: Final = ("acme", "initech")
LINKED: Final = "globex"
TENANTS: Final = (*CUSTOMER_OWNED, LINKED)
MANY_SECONDS: Final = 180


@dataclass(slots=True)
class Running:
    """A process of a release."""

    release: Release
    process: Process
    address: str = ""
    log: Path = field(default_factory=Path)


@dataclass(slots=True)
class Estate:
    """See the module."""

    deployment: Deployment
    redis: Redis
    engine: Engine
    stack: ExitStack
    http: HttpUpstream
    public: str
    """Where Google sends browsers back to: the first gateway listens there."""
    upstreams: list[Upstream] = field(default_factory=list)
    all_started: list[Running] = field(default_factory=list)

    def command(self, release: Release, *words: str) -> tuple[int, str, str]:
        """Run a command of a release; gives its exit status, and what it wrote."""
        done = subprocess.run(
            [release.python, "-m", "certmail_worker", *words],
            env=release.environment(self.deployment.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=MANY_SECONDS,
        )
        return done.returncode, done.stdout, done.stderr

    def ask(self, release: Release, *words: str) -> Any:
        """Run a command that must succeed; gives its JSON."""
        status, out, err = self.command(release, *words, "--json")
        assert status == 0, (words, out, err)
        return json.loads(out)

    def start(self, release: Release, *words: str, log: str, **environment: str) -> Running:
        """Start a process of a release; it ends with the estate."""
        path = self.deployment.data_dir / f"{release.name}-{log}.log"
        file = self.stack.enter_context(path.open("ab"))
        given = release.environment(self.deployment.environment | environment)
        process = subprocess.Popen(
            [release.python, *words], env=given, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )

        made = Running(release, process, log=path)
        self.all_started.append(made)
        self.stack.callback(_end_at_last, process)
        return made

    def worker(self, release: Release, n: int) -> Running:
        """Start a worker, and wait until it is at work."""
        listens = free_address()
        found = self.start(
            release,
            *("-m", "certmail_worker", "worker"),
            log=f"worker-{n}",
            CERTMAIL_METRICS_LISTEN=listens,
        )
        found.address = f"http://{listens}"

        def at_work() -> bool:
            assert found.process.poll() is None, found.log.read_text()[-3000:]
            # One that answers for itself says so; an older one is seen in Redis.
            seen = found.process.pid in self.workers_alive()
            return seen and (release.name == "old" or is_ready(listens))

        wait_for(f"a worker of the {release.name} release", at_work)
        return found

    def gateway(self, release: Release, n: int) -> Running:
        """Start a gateway, and wait until it is ready."""
        listens = self.public if n == 1 else free_address()
        found = self.start(
            release,
            *("-m", "certmail_worker", "gateway"),
            log=f"gateway-{n}",
            CERTMAIL_LISTEN=listens,
        )
        found.address = f"http://{listens}"
        wait_for(f"a gateway of the {release.name} release", lambda: is_ready(listens))
        self.http.gateways.append(found.address)
        return found

    def upstream(self, release: Release, name: str) -> Running:
        """Start an upstream application, and wait until it has receipts."""
        file = self.deployment.data_dir / f"{name}.jsonl"
        made = self.start(release, *arguments(file, name, TENANTS), log=name)
        found = Upstream(file)
        self.upstreams.append(found)
        wait_for(f"receipts of {name}", lambda: len(found.taken()) > 5)
        return made

    def stop(self, running: Running) -> int:
        """Tell a process to end, as a service manager does; gives its exit status.

        From a gateway the load balancer has looked away by then.
        """
        if running.address in self.http.gateways:
            self.http.gateways.remove(running.address)
        running.process.send_signal(signal.SIGTERM)
        return running.process.wait(MANY_SECONDS)

    def workers_alive(self) -> set[int]:
        """The processes of the workers that say that they live."""
        names = cast("list[bytes]", self.redis.zrange(redis_keys.WORKERS, 0, -1))
        return {int(name.decode().split(":")[1]) for name in names}

    def keeper(self) -> int:
        """The process of the worker that paces and records."""
        found: list[bytes] = []

        def there_is_one() -> bool:
            if name := cast("bytes | None", self.redis.get(redis_keys.KEEPER)):
                found.append(name)
            return bool(found)

        wait_for("a keeper", there_is_one)
        return int(found[0].decode().split(":")[1])

    def attempts(self) -> Counter[int]:
        """How many attempts are on record, by the worker's process."""
        query = text("SELECT worker, count(*) FROM attempts GROUP BY worker")
        with self.engine.connect() as db:
            rows = db.execute(query).all()
        made: Counter[int] = Counter()
        for worker, number in rows:
            made[int(str(worker).split(":")[1])] += int(number)
        return made

    def wait_for_more(self, *workers: Running, each: int = 40) -> None:
        """Wait until each of these workers has sent so many more, and all of it is on record."""
        before = self.attempts()

        def they_have() -> bool:
            now = self.attempts()
            pids = [worker.process.pid for worker in workers]
            return all(now[pid] >= before[pid] + each for pid in pids)

        wait_for(f"{each} more attempts of each of {len(workers)} workers", they_have, MANY_SECONDS)

    def head(self) -> str:
        """The migration that the database is at."""
        with self.engine.connect() as db:
            return str(db.execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    def set_up(self, release: Release) -> None:
        """Tables, and two tenants with a service account each, by the commands of a release."""
        status, out, err = self.command(release, "db", "upgrade")
        assert status == 0, (out, err)

        for tenant in CUSTOMER_OWNED:
            mailbox, account = self.deployment.at_google(tenant)
            self.ask(release, "tenants", "add", tenant)
            words = ["connections", "add", tenant, "--kind", "customer_owned_app", *LIMITS]
            words += ["--service-account", account, "--mailbox", mailbox]
            made = self.ask(release, *words)
            status, certificate, err = self.command(
                release, "connections", "certificate", made["id"]
            )
            assert status == 0, (certificate, err)
            self.deployment.control("POST", f"/service-accounts/{account}/keys", certificate)
            self.ask(release, "connections", "probe", made["id"])

    def link(self, release: Release, gateway: Running) -> None:
        """A third tenant, whose account is linked through a gateway."""
        account = f"reviews@{LINKED}.example"
        self.deployment.control("POST", "/accounts", {"email": account})
        self.ask(release, "tenants", "add", LINKED)
        words = ["connections", "add", LINKED, "--kind", "service_provider_app", *LIMITS]
        added = self.ask(release, *words)
        url = self.ask(release, "connections", "link", added["id"])["url"]
        assert self.deployment.consent(url, account).ok, gateway.log.read_text()[-3000:]


@contextmanager
def estate(folder: Path) -> Iterator[Estate]:
    """Stores and Google's stand-in; no process of certmail's yet."""
    with ExitStack() as stack:
        redis = stack.enter_context(server(folder / "redis"))
        database = stack.enter_context(postgres())
        database.execute("CREATE DATABASE record")
        settings = recorded_in(database.url("record")) | {"CERTMAIL_REDIS_URL": redis.url}
        listens = free_address()
        deployment = stack.enter_context(
            new_deployment(folder / "data", **settings, CERTMAIL_PUBLIC_URL=f"http://{listens}")
        )

        limits = {"units_per_minute": UNITS, "project_units_per_minute": UNITS, "in_flight": 40}
        deployment.control("PUT", "/limits", limits | dict.fromkeys(BY_DAY, MANY))
        redirect = f"http://{listens}/oauth/google/callback"
        client = deployment.control("POST", "/oauth-clients", {"redirect_uris": [redirect]})
        deployment.environment |= {
            "CERTMAIL_OAUTH_CLIENT_ID": client["client_id"],
            "CERTMAIL_OAUTH_CLIENT_SECRET": client["client_secret"],
            "CERTMAIL_GOOGLE_AUTH_URL": f"{deployment.google}/o/oauth2/v2/auth",
            "CERTMAIL_GOOGLE_REVOKE_URL": f"{deployment.google}/revoke",
            "CERTMAIL_GOOGLE_USERINFO_URL": f"{deployment.google}/v1/userinfo",
        }

        client_of_redis = stack.enter_context(Redis.from_url(redis.url))
        engine = create_engine(database.url("record"))
        stack.callback(engine.dispose)
        http = HttpUpstream("", TENANTS)
        stack.callback(http.end)
        processes = stack.enter_context(ExitStack())
        yield Estate(deployment, client_of_redis, engine, processes, http, listens)


def _end_at_last(process: Process) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(BUSY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(BUSY_SECONDS)
