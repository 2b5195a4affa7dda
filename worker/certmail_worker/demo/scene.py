"""The demo's story, from top to bottom: stores, sandbox, tenant, connection, worker, campaign, summary."""

from __future__ import annotations

import io
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import select

from certmail import Mailer
from certmail_config import keys
from certmail_config.connections import Kind, Limits
from certmail_config.errors import Refused
from certmail_config.office import Office, open_office
from certmail_config.settings import PREFIX, Settings
from certmail_config.sql import tables
from certmail_config.states import FINAL, State
from certmail_worker.children import child
from certmail_worker.cli.rows import read_rows
from certmail_worker.cli.send import enqueue_rows
from certmail_worker.demo.campaign import campaign_file
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.progress import Progress
from certmail_worker.demo.summary import TenantResult, disagreements, summary
from certmail_worker.probe import probe_and_save

TENANT = "acme"
MAILBOX = "access-reviews@acme.example"
SERVICE_ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"
UNITS_PER_MINUTE = 15_000
"""The older of Google's two quotas, so that the demo takes half a minute instead of one."""
LONGEST_SECONDS = 240.0
RECORD_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs while the demo does."""

    settings: Settings
    office: Office
    google: SandboxGoogle
    progress: Progress


@contextmanager
def stage(base: Path, sandbox_listen: str, progress: Progress) -> Iterator[Stage]:
    """Start stores, sandbox and worker in a data directory of their own, and stop them all at the end."""
    data_dir = base / f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    data_dir.mkdir(mode=0o700, parents=True)
    with ExitStack() as stack:
        google = SandboxGoogle(stack.enter_context(_sandbox(data_dir, sandbox_listen)))
        progress.say(f"Google's stand-in listens at {google.url}: its page shows what arrives.")
        google.set_limits(UNITS_PER_MINUTE)
        environment = _environment(data_dir, google.url)
        settings = Settings.from_env(
            **{name.removeprefix(PREFIX).lower(): value for name, value in environment.items()}
        )
        office = stack.enter_context(open_office(settings))
        progress.say("Stores are up: an embedded Valkey that writes before it answers, and SQLite.")
        without = {f"{PREFIX}REDIS_URL": "", f"{PREFIX}DATABASE_URL": "", f"{PREFIX}VAULT_KEYS": ""}
        stack.enter_context(
            child(["certmail_worker", "worker"], environment | without, log=data_dir / "worker.log")
        )
        yield Stage(settings, office, google, progress)


def play(on: Stage) -> dict[str, Any]:
    """Set up the tenant as its administrator would, send the campaign, and give the summary."""
    started = time.monotonic()
    _link(on)
    text = campaign_file(datetime.now(UTC))
    with Mailer(on.office.redis) as mailer:
        report = enqueue_rows(mailer, read_rows(io.StringIO(text), "csv"), quiet=True)
    jobs = [receipt["id"] for receipt in report["receipts"] if not receipt["duplicate"]]
    on.progress.say(
        f"Campaign file: {report['enqueued']} enqueued, {report['duplicates']} duplicate, {len(report['rejected'])} rejected. "
        f"Gmail takes {UNITS_PER_MINUTE // 100} a minute from this mailbox."
    )
    _watch(on, jobs, started)
    record = _recorded(on, jobs)
    ledger = _states(on.office.redis, jobs)
    results = [TenantResult(TENANT, Kind.CUSTOMER_OWNED_APP, report, ledger, record)]
    messages = on.google.messages()
    problems = disagreements(len(text.splitlines()) - 1, results, messages)
    urls = {"sandbox": on.google.url, "console": None, "flower": None}
    return summary(
        problems=problems,
        results=results,
        messages=messages,
        seconds=time.monotonic() - started,
        urls=urls,
        data_dir=str(on.settings.data_dir),
    )


def _link(on: Stage) -> None:
    """A customer owned application, step by step."""
    on.google.add_mailbox(MAILBOX)
    on.google.add_service_account(SERVICE_ACCOUNT, "acme-it")
    on.office.add_tenant(TENANT)
    limits = Limits(units_per_minute=UNITS_PER_MINUTE)
    connection = on.office.add_customer_owned_app(
        TENANT, "default", service_account=SERVICE_ACCOUNT, mailbox=MAILBOX, limits=limits, valid_days=365
    )
    on.progress.say(f"Tenant {TENANT}: key and certificate generated.")
    assert connection.certificate is not None, "made with the connection"
    on.google.upload(SERVICE_ACCOUNT, connection.certificate)
    probed = probe_and_save(on.office, connection.id)
    for step in probed.steps:
        on.progress.say(f"Tenant {TENANT}: {step.message}")
    if not all(step.ok for step in probed.steps):
        raise Refused(
            "demo_not_linked",
            f"The connection does not work: {probed.connection.message}",
            str(probed.connection.remedy),
        )


def _watch(on: Stage, jobs: Sequence[str], started: float) -> None:
    """Show progress until every job is final, or nobody but a person could move it."""
    first = True
    while True:
        states = Counter(_states(on.office.redis, jobs).values())
        on.progress.update({TENANT: states})
        if first and states[State.ACCEPTED]:
            on.progress.say(f"First mail accepted after {time.monotonic() - started:.1f} s.")
            first = False
        if all(state in FINAL | {State.UNCERTAIN} for state in states):
            return
        if time.monotonic() - started > LONGEST_SECONDS:
            return
        time.sleep(0.2)  # a glance at the ledger, as a person would


def _recorded(on: Stage, jobs: Sequence[str]) -> Mapping[str, State]:
    """The record, once the recorder has caught up with the ledger."""
    deadline = time.monotonic() + RECORD_SECONDS
    wanted = _states(on.office.redis, jobs)
    while True:
        with on.office.db() as db:
            rows = db.execute(select(tables.deliveries.c.job, tables.deliveries.c.state)).all()
        found = {job: State(state) for job, state in rows}
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.1)  # the recorder is a fraction of a second behind


def _states(redis: Redis, jobs: Sequence[str]) -> dict[str, State]:
    with redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(keys.JOB + job, "state")
        return {job: State(state.decode()) for job, state in zip(jobs, pipe.execute(), strict=True)}


def _environment(data_dir: Path, url: str) -> dict[str, str]:
    """What the children are told: this data directory, and the sandbox as Google."""
    return {
        f"{PREFIX}DATA_DIR": str(data_dir),
        f"{PREFIX}GOOGLE_TOKEN_URL": f"{url}/token",
        f"{PREFIX}GOOGLE_X509_URL": f"{url}/service_accounts/v1/metadata/x509/",
        f"{PREFIX}GMAIL_URL": url,
    }


@contextmanager
def _sandbox(data_dir: Path, listen: str) -> Iterator[str]:
    """The sandbox where it was asked for, or, if somebody is there already, at any free port."""
    for address in (listen, f"{listen.rpartition(':')[0]}:0"):
        with child(["certmail_sandbox", "--listen", address], {}, log=data_dir / "sandbox.log") as process:
            try:
                url = process.first_line()
            except Refused:
                if address.endswith(":0"):
                    raise
                continue
            yield url
            return
