"""The demo's story: tenants, campaign, trouble, summary.

The processes that it plays on are `stage`'s.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from certmail import Mailer
from certmail.files.enqueue import enqueue_rows
from certmail.files.source import text_source
from certmail.files.tally import Tally
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import Refused
from certmail_config.jobs.states import State
from certmail_config.settings import PREFIX, Settings
from certmail_config.settings.sandbox import sandbox_addresses
from certmail_config.sql import tables
from certmail_worker.demo.campaign import campaign_file
from certmail_worker.demo.cast import ROLES, UNITS_PER_MINUTE, link_all
from certmail_worker.demo.director import Director
from certmail_worker.demo.directories import new_directory
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.ledger import Seen, glance
from certmail_worker.demo.places import any_port, known_ports, start
from certmail_worker.demo.progress import DemoProgress
from certmail_worker.demo.summary import TenantResult, disagreements, summary
from certmail_worker.processes.children import Child, child

LONGEST_SECONDS = 300.0
RECORD_SECONDS = 15.0
PATIENCE_SECONDS = 15.0
"""How long a mail may stay uncertain before the demo takes that as the end, seconds.

Somebody looks for it all the while.
"""
RESEND_SECONDS = 10
VERIFY_SECONDS = 15
"""Until a mail is looked for, seconds.

Google may show it among the sent ones a while after it took it; its stand-in does so at once.
"""


@dataclass(slots=True)
class DemoProcesses:
    """Everything that runs while the demo does."""

    settings: Settings
    admin: Admin
    google: SandboxGoogle
    progress: DemoProgress
    environment: Mapping[str, str]
    worker: Child
    flower: str | None
    """Where Flower is; None where it did not start, which is no reason to do without the rest."""

    def kill_worker(self) -> None:
        """Kill the worker as a crash would, and start another."""
        self.worker.kill()
        self.worker.stop()
        self.worker = self.start_worker(self.settings.data_dir, self.environment)

    @staticmethod
    def start_worker(data_dir: Path, environment: Mapping[str, str]) -> Child:
        """Start a worker."""
        return Child(["certmail_worker", "worker"], environment, data_dir / "worker.log")


@contextmanager
def stage(base: Path, wanted: Settings, progress: DemoProgress) -> Iterator[DemoProcesses]:
    """Start everything in a data directory of its own, and stop it all at the end."""
    data_dir = new_directory(base)

    with ExitStack() as stack:
        google = SandboxGoogle(
            start(stack, any_port(wanted.sandbox_listen), partial(_sandbox, data_dir))
        )
        progress.say(f"Google's stand-in listens at {google.url}: its pages show what arrives.")
        admin, environment = start(
            stack, known_ports(wanted.listen), partial(_office_and_gateway, data_dir, google)
        )
        progress.say("Stores are up: an embedded Valkey that writes before it answers, and SQLite.")
        flower = _flower(stack, data_dir, environment, wanted.flower_listen, progress)
        worker = DemoProcesses.start_worker(data_dir, environment)
        running = DemoProcesses(
            admin.settings, admin, google, progress, environment, worker, flower
        )
        stack.callback(lambda: running.worker.stop())  # noqa: PLW0108 - the worker of then, not of now
        with_flower = f" and Flower ({flower}) are up." if flower else " are up."
        progress.say(f"A worker{', ' if flower else ' and '}the gateway{with_flower}")
        yield running


def _office_and_gateway(
    data_dir: Path, google: SandboxGoogle, stack: ExitStack, listen: str
) -> tuple[Admin, dict[str, str]]:
    """Start both stores, and the gateway at an address that is registered at Google.

    Gives also the environment of all processes.
    """
    environment = _environment(data_dir, google, listen)
    settings = Settings.from_env(
        **{n.removeprefix(PREFIX).lower(): v for n, v in environment.items() if v}
    )
    admin = stack.enter_context(open_admin(settings))
    _serve(stack, ["certmail_worker", "gateway"], environment, data_dir / "gateway.log")
    return admin, environment


def _flower(
    stack: ExitStack,
    data_dir: Path,
    environment: Mapping[str, str],
    listen: str,
    progress: DemoProgress,
) -> str | None:
    """Start Flower, and give where it is.

    That it cannot start is said, and the demo goes on without it.
    """

    def attempt(own: ExitStack, place: str) -> str:
        told = {**environment, f"{PREFIX}FLOWER_LISTEN": place}
        return _serve(own, ["certmail_worker", "flower"], told, data_dir / "flower.log")

    try:
        return start(stack, any_port(listen), attempt)
    except Refused as error:
        progress.say(f"Flower did not start, and the demo goes on without it: {error.message}")
        return None


def _serve(
    stack: ExitStack, command: Sequence[str], environment: Mapping[str, str], log: Path
) -> str:
    """Start a process whose first line says where it listens, and give that line.

    Raises Refused if it ends instead.
    """
    return stack.enter_context(child(command, environment, log=log)).first_line()


def play(on: DemoProcesses) -> dict[str, Any]:
    """Play the demo, and give its summary.

    Tenants are set up as their administrators would, and the campaign goes through a bad day.
    """
    started = time.monotonic()
    link_all(on.admin, on.google, on.progress)
    reports: dict[str, dict[str, Any]] = {}
    rows = 0

    with Mailer(on.admin.redis) as mailer:
        for role in ROLES:
            text = campaign_file(role.tenant, datetime.now(UTC))
            rows += len(text.splitlines()) - 1
            tally = Tally()
            with text_source(text) as source:
                enqueue_rows(mailer, source, tally)
            report = reports[role.tenant] = tally.as_json()
            on.progress.say(
                f"{role.tenant}: {report['enqueued']} enqueued, {report['duplicates']} duplicate, {len(report['rejected'])} rejected; "
                f"Gmail takes {UNITS_PER_MINUTE // 100} a minute from its mailbox."
            )

    jobs = {
        tenant: [r["id"] for r in report["receipts"] if not r["duplicate"]]
        for tenant, report in reports.items()
    }
    director = Director(on.google, on.progress, on.kill_worker)
    _watch(on, [job for ids in jobs.values() for job in ids], director, started)
    record = _recorded(on, [job for ids in jobs.values() for job in ids])
    results = [
        TenantResult(
            role.tenant,
            role.kind,
            reports[role.tenant],
            glance(on.admin.redis, jobs[role.tenant]),
            record.get(role.tenant, {}),
        )
        for role in ROLES
    ]

    messages = on.google.messages()
    faults = [
        {"kind": str(item["fault"]), "job": item["certmail_id"]} for item in on.google.faults_met()
    ]
    faults += [{"kind": "worker_killed", "job": job} for job in director.killed]
    problems = disagreements(rows, results, messages)
    if not director.done:
        problems.append("not everything that was meant to go wrong did")
    return summary(
        problems=problems,
        results=results,
        messages=messages,
        faults=faults,
        seconds=time.monotonic() - started,
        urls={
            "sandbox": on.google.url,
            "console": console_url(on.settings),
            "flower": on.flower,
        },
        data_dir=str(on.settings.data_dir),
    )


def console_url(settings: Settings) -> str:
    """Where the console is."""
    return f"{settings.base_url}/console"


def _watch(on: DemoProcesses, jobs: Sequence[str], director: Director, started: float) -> None:
    """Show progress and direct, until nothing will move by itself any more."""
    uncertain_since: dict[str, float] = {}
    first = True

    while True:
        seen = glance(on.admin.redis, jobs)
        director.watch(seen)
        states: dict[str, Counter[State]] = defaultdict(Counter)
        for item in seen.values():
            states[item.tenant][item.state] += 1
        on.progress.update(states)

        if first and any(count[State.ACCEPTED] for count in states.values()):
            on.progress.say(f"First mail accepted after {time.monotonic() - started:.1f} s.")
            first = False

        now = time.monotonic()

        for job, item in seen.items():
            if item.state is State.UNCERTAIN:
                uncertain_since.setdefault(job, now)

        if director.done and all(
            _ended(item, now - uncertain_since.get(job, now)) for job, item in seen.items()
        ):
            return
        if now - started > LONGEST_SECONDS:
            return

        time.sleep(0.2)  # a glance at the ledger, as a person would


def _ended(item: Seen, uncertain_for: float) -> bool:
    return item.at_rest or (
        item.state is State.UNCERTAIN and item.held and uncertain_for > PATIENCE_SECONDS
    )


def _recorded(on: DemoProcesses, jobs: Sequence[str]) -> dict[str, dict[str, State]]:
    """The record by tenant, once the recorder has caught up with the ledger."""
    deadline = time.monotonic() + RECORD_SECONDS

    while True:
        wanted = {job: item.state for job, item in glance(on.admin.redis, jobs).items()}

        with on.admin.db() as db:
            columns = tables.deliveries.c
            rows = db.execute(select(columns.tenant, columns.job, columns.state)).all()

        found: dict[str, dict[str, State]] = defaultdict(dict)
        for tenant, job, state in rows:
            found[tenant][job] = State(state)
        if {
            job: state for part in found.values() for job, state in part.items()
        } == wanted or time.monotonic() > deadline:
            return found

        time.sleep(0.1)  # the recorder is a fraction of a second behind


def _environment(data_dir: Path, google: SandboxGoogle, listen: str) -> dict[str, str]:
    """The environment of the children.

    This data directory, the sandbox as Google, an OAuth client registered there.
    """
    client, secret = google.add_oauth_client(f"http://{listen}/oauth/google/callback")
    values = {
        "DATA_DIR": str(data_dir),
        "REDIS_URL": "",
        "DATABASE_URL": "",
        "VAULT_KEYS": "",
        "LISTEN": listen,
        "PUBLIC_URL": "",
        "OPERATOR_PASSWORD": secrets.token_urlsafe(9),
        "FLOWER_BASIC_AUTH": f"demo:{secrets.token_urlsafe(9)}",
        "OAUTH_CLIENT_ID": client,
        "OAUTH_CLIENT_SECRET": secret,
        "SANDBOX_URL": google.url,
        **{name.upper(): value for name, value in sandbox_addresses(google.url).items()},
        "UNCERTAIN_5XX": f"resend:{RESEND_SECONDS}",
        "VERIFY_SECONDS": str(VERIFY_SECONDS),
    }

    return {PREFIX + name: value for name, value in values.items()}


def _sandbox(data_dir: Path, stack: ExitStack, listen: str) -> str:
    """Start the sandbox, and give where it is."""
    return _serve(stack, ["certmail_sandbox", "--listen", listen], {}, data_dir / "sandbox.log")
