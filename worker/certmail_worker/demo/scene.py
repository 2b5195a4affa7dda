"""The demo's story: tenants, campaign, trouble, summary.

The processes that it plays on are `stage`'s.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from certmail import Mailer
from certmail.files.enqueue import enqueue_rows
from certmail.files.source import text_source
from certmail.files.tally import Tally
from certmail_config.jobs.states import State
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_worker.demo.campaign import campaign_file
from certmail_worker.demo.campaign_sums import RecordedJob, campaign_results, not_as_meant
from certmail_worker.demo.cast import ROLES, UNITS_PER_MINUTE, link_all
from certmail_worker.demo.director import Director
from certmail_worker.demo.ledger import Seen, glance
from certmail_worker.demo.running import DemoCampaigns
from certmail_worker.demo.stage import DemoProcesses
from certmail_worker.demo.summary import TenantResult, disagreements, summary

LONGEST_SECONDS = 300.0
RECORD_SECONDS = 15.0
PATIENCE_SECONDS = 15.0
"""How long a mail may stay uncertain before the demo takes that as the end, seconds.

Somebody looks for it all the while.
"""


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

    campaigns = DemoCampaigns(on.admin, on.progress, datetime.now(UTC))
    campaigns.start()

    jobs = {
        tenant: [r["id"] for r in report["receipts"] if not r["duplicate"]]
        for tenant, report in reports.items()
    }

    enqueued = [job for ids in jobs.values() for job in ids]
    director = Director(on.google, on.progress, on.kill_worker, campaigns.cues())
    _watch(on, enqueued, campaigns, director, started)
    campaigns.stop()
    _watch(on, enqueued, campaigns, director, started, later=False)

    record = _recorded(on, enqueued, campaigns)
    results = [
        TenantResult(
            role.tenant,
            role.kind,
            reports[role.tenant],
            glance(on.admin.redis, jobs[role.tenant]),
            {job: record[job].state for job in jobs[role.tenant] if job in record},
        )
        for role in ROLES
    ]
    planned = campaign_results(
        on.admin.redis,
        campaigns.planned,
        campaigns.moments(),
        record,
        enqueued,
        len(campaigns.done),
    )

    messages = on.google.messages()
    faults = [
        {"kind": str(item["fault"]), "job": item["certmail_id"]} for item in on.google.faults_met()
    ]
    faults += [{"kind": "worker_killed", "job": job} for job in director.killed]
    problems = disagreements(rows, results, messages, planned)
    problems += not_as_meant(planned, messages, campaigns.done, campaigns.seen)
    if not director.done:
        problems.append("not everything that was meant to go wrong did")

    return summary(
        problems=problems,
        results=results,
        campaigns=planned,
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


def _watch(
    on: DemoProcesses,
    enqueued: Sequence[str],
    campaigns: DemoCampaigns,
    director: Director,
    started: float,
    *,
    later: bool = True,
) -> None:
    """Show progress and direct, until nothing will move by itself any more.

    With `later`, what campaigns have planned for other days may wait for them.
    """
    uncertain_since: dict[str, float] = {}
    first = later

    while True:
        # Before its jobs are looked at: what it is about to plan counts.
        planned = campaigns.up_to_date()
        seen = glance(on.admin.redis, [*enqueued, *campaigns.jobs()])
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

        if (
            director.done
            and planned
            and all(
                _ended(item, now - uncertain_since.get(job, now))
                or (later and campaigns.is_later(job))
                for job, item in seen.items()
            )
        ):
            return
        if now - started > LONGEST_SECONDS:
            return

        time.sleep(0.2)  # a glance at the ledger, as a person would


def _ended(item: Seen, uncertain_for: float) -> bool:
    return item.at_rest or (
        item.state is State.UNCERTAIN and item.held and uncertain_for > PATIENCE_SECONDS
    )


def _recorded(
    on: DemoProcesses, enqueued: Sequence[str], campaigns: DemoCampaigns
) -> dict[str, RecordedJob]:
    """The record by job, once the recorder has caught up with the ledger."""
    deadline = time.monotonic() + RECORD_SECONDS

    while True:
        with on.admin.db() as db:
            columns = tables.deliveries.c
            rows = db.execute(
                select(columns.job, columns.tenant, columns.campaign, columns.kind, columns.state)
            ).all()
        found = {
            row.job: RecordedJob(row.tenant, row.campaign or "", row.kind, State(row.state))
            for row in rows
        }

        # What the planner took back at once nobody may have seen but the recorder.
        jobs = dict.fromkeys([*enqueued, *campaigns.jobs(), *found])
        wanted = {job: item.state for job, item in glance(on.admin.redis, list(jobs)).items()}
        if {job: one.state for job, one in found.items()} == wanted:
            return found
        if time.monotonic() > deadline:
            return found

        time.sleep(0.1)  # the recorder is a fraction of a second behind
