"""The running system of a soak: every part of a deployment, each a program of its own.

Valkey that writes before it answers, PostgreSQL or SQLite, workers, gateway and Flower; Google is
the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certmail_config.admin.api_keys import create_key
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope
from soak.facts import Tenants
from soak.tenants import connect, google_limits
from soak.week import Week
from support.deployment.console_visitor import PASSWORD
from support.deployment.deployment import Deployment, new_deployment, recorded_in, wait_for
from support.deployment.flower import LOCKED, FlowerClient, flower_client
from support.processes.halt import Process
from support.servers.postgres import postgres
from support.servers.restorable import Server, server

ACCESS_SECONDS: Final = 400
"""How long access tokens live: workers renew them every minute or two."""
SETTINGS: Final = {
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": "8",
    "CERTMAIL_SEND_WINDOW_SECONDS": "6",
    "CERTMAIL_LEASE_SECONDS": "20",
    "CERTMAIL_VERIFY_SECONDS": "12",
    "CERTMAIL_UNCERTAIN_5XX": "resend:5",
    "CERTMAIL_PROBE_SECONDS": "1",
    "CERTMAIL_CARE_SECONDS": "2",
    # The shortest there are; time.py makes a compressed quarter of a day of them.
    "CERTMAIL_DEDUPE_DAYS": "1",
    "CERTMAIL_RECORD_DAYS": "1",
    "CERTMAIL_OPERATOR_PASSWORD": PASSWORD,
}
START_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class System:
    """What runs.

    Attributes:
        processes: Each by its name.
        judged: The names of those that are certmail's own.
        key: An API key for every tenant.
        console: The connection whose page is looked at in the console.
    """

    place: Deployment
    redis: Server
    flower: FlowerClient
    processes: Mapping[str, Process | int]
    judged: tuple[str, ...]
    key: str
    console: str


@contextmanager
def system(
    folder: Path,
    week: Week,
    tenants: Tenants,
    *,
    workers: int,
    sqlite: bool,
    say: Callable[[str], None],
) -> Iterator[System]:
    """Start all of it in a folder, with all tenants connected; it ends with the block."""
    with ExitStack() as stack:
        redis = stack.enter_context(server(folder / "redis"))
        settings = SETTINGS | {"CERTMAIL_REDIS_URL": redis.url}
        if not sqlite:
            settings |= recorded_in(_new_database(stack))
        place = stack.enter_context(new_deployment(folder, **settings))
        place.forks = False
        place.control("PUT", "/limits", google_limits(week.factor))
        place.control("PUT", "/tokens", {"access_seconds": ACCESS_SECONDS})

        gateway = place.open_gateway()
        say(f"connecting {len(tenants.few)} tenants")
        connect(place, tenants, int(2_000 * week.factor), say)
        _, key = create_key(place.admin, "soak", tenants=[EVERY_TENANT], scopes=[*KeyScope])

        started = {
            f"worker {n + 1}": place.start("certmail_worker", "worker", log=f"worker-{n + 1}.log")
            for n in range(workers)
        }
        flower = place.start("certmail_worker", "flower", log="flower.log", **LOCKED)
        wait_for("the workers", lambda: place.workers() == workers, START_SECONDS)
        looked_at = next(health.id for health in place.admin.connection_health())

        yield System(
            place,
            redis,
            flower_client(place),
            {
                **started,
                "gateway": gateway,
                "flower": flower,
                "Valkey": int(str(place.admin.redis.info("server")["process_id"])),
            },
            (*started, "gateway"),
            key,
            looked_at,
        )


def _new_database(stack: ExitStack) -> str:
    url = stack.enter_context(postgres()).url()
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    return url
