"""A running system that is scraped: stores, workers, a gateway, and the sandbox as Google."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from redis import Redis

from alerting.prometheus import Monitoring
from certmail import Mailer
from certmail_config.crypto.certificates import new_key_pair
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.tenants.models import GoogleLimits
from support.deployment.deployment import (
    OPENING,
    STEADY,
    Deployment,
    campaign,
    new_deployment,
    one_key,
    recorded_in,
    wait_for,
)
from support.deployment.many_tenants import ManyTenants
from support.network.addresses import free_address
from support.processes.halt import Process, kill
from support.servers.postgres import Postgres

OFTEN: Final = {"CERTMAIL_CARE_SECONDS": "1"}
"""What the database knows is counted every three seconds."""


@dataclass(slots=True)
class Stage:
    """See the module; workers by the address of their metrics."""

    name: str
    deployment: Deployment
    monitoring: Monitoring
    database: str
    workers: dict[str, Process] = field(default_factory=dict)
    gateway: Process | None = None
    gateway_at: str = ""
    tenants: list[str] = field(default_factory=list)

    @property
    def redis(self) -> Redis:
        """The ledger's server."""
        return self.deployment.admin.redis

    def add_worker(self, address: str = "", **settings: str) -> Process:
        """Start a worker, at an address of its own or at that of one that is gone."""
        address = address or free_address()
        self.workers[address] = self.deployment.worker(CERTMAIL_METRICS_LISTEN=address, **settings)
        self.scrape()
        alive = sum(process.poll() is None for process in self.workers.values())
        # Of each of them, itself: what it counts before it is first scraped nobody sees rise.
        seen = f'count(certmail_leases_total{{deployment="{self.name}"}}) >= {alive}'
        wait_for(f"Prometheus to see {alive} workers of {self.name}", lambda: self.seen(seen))
        return self.workers[address]

    def restart_workers(self, **settings: str) -> None:
        """Start again those that have ended, each at its address."""
        for address, process in self.workers.items():
            if process.poll() is not None:
                self.add_worker(address, **settings)

    def kill_workers(self) -> None:
        """As the kernel does when memory runs out."""
        for process in self.workers.values():
            if process.poll() is None:
                kill(process)
                process.wait(60)

    def add_gateway(self) -> None:
        """Start the gateway, or start it again."""
        self.gateway_at = self.gateway_at or free_address()
        told = {"CERTMAIL_METRICS_LISTEN": self.gateway_at}
        self.deployment.environment |= told
        try:
            self.gateway = self.deployment.open_gateway()
        finally:
            for name in told:
                del self.deployment.environment[name]
        self.scrape()

    def scrape(self) -> None:
        """Tell Prometheus of all that there are or were."""
        found = {"worker": list(self.workers), "gateway": [self.gateway_at] * bool(self.gateway_at)}
        self.monitoring.scrape(self.name, {job: at for job, at in found.items() if at})

    def add_tenants(self, count: int) -> None:
        """So many tenants with working connections, each with a mailbox and project of its own."""
        pair = new_key_pair(datetime.now(UTC))
        admin = self.deployment.admin
        many = ManyTenants(self.deployment, admin, Mailer(admin.redis), pair, {})
        for number in range(len(self.tenants), len(self.tenants) + count):
            self.tenants.append(f"t{number}")
            many.add(self.tenants[-1], in_flight=4)

    def certificate_of(self, tenant: str, days: int) -> str:
        """A connection whose certificate ends in so many days; gives its id."""
        mailbox, account = self.deployment.at_google(tenant)
        self.deployment.admin.add_tenant(tenant)
        with one_key():
            made = self.deployment.admin.add_customer_owned_app(
                tenant,
                "default",
                service_account=account,
                mailbox=mailbox,
                limits=GoogleLimits(15_000),
                valid_days=days,
                verify=False,
            )
        return made.id

    def remind(self, each: int, name: str, tenants: list[str] | None = None) -> list[str]:
        """So many reminders of each tenant; gives the jobs."""
        jobs = []
        for tenant in tenants or self.tenants:
            jobs += self.deployment.send(campaign(each, tenant, f"{name}-{tenant}"))
        return jobs

    def wait_until_all_left(self, seconds: float = 180) -> None:
        """Until nothing is unfinished."""
        asked = f'max(certmail_jobs_unfinished{{deployment="{self.name}"}})'
        wait_for(
            f"all to leave in {self.name}",
            lambda: [each["value"][1] for each in self.monitoring.ask(asked)] == ["0"],
            seconds,
        )

    def seen(self, expression: str) -> bool:
        """Whether Prometheus has a series for it."""
        return bool(self.monitoring.ask(expression))


@contextmanager
def stage(
    name: str, folder: Path, monitoring: Monitoring, server: Postgres, **settings: str
) -> Iterator[Stage]:
    """Such a system, without tenants and without workers; a gateway is there."""
    database = _new_database(server, name)
    given = STEADY | OFTEN | recorded_in(database) | settings
    with new_deployment(folder / name, **given) as deployment:
        made = Stage(name, deployment, monitoring, database)
        made.deployment.admin  # noqa: B018 - opens both stores
        made.add_gateway()
        try:
            yield made
        finally:
            monitoring.scrape(name, {})


def _new_database(server: Postgres, name: str) -> str:
    server.execute(f"CREATE DATABASE {name}")
    engine = open_database(server.url(name))
    with OPENING:
        upgrade(engine)
    engine.dispose()
    return server.url(name)
