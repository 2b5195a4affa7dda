"""The account: what became of each reminder that a receipt was given for."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from upgrade.estate import Estate, Running
from upgrade.traffic import Taken

FINAL: Final = frozenset({"accepted", "failed", "cancelled", "suppressed", "expired", "uncertain"})
SETTLE_SECONDS: Final = 60
"""Where nothing has got on for so long, nothing will."""


@dataclass(slots=True)
class Account:
    """What was counted, and what is wrong."""

    taken: int
    states: Counter[str]
    copies: Counter[int]
    """How many reminders arrived so often."""
    attempts_by: dict[str, int]
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        by = ", ".join(f"{name}: {number}" for name, number in self.attempts_by.items())
        states = ", ".join(f"{number} {state}" for state, number in self.states.items())
        copies = ", ".join(f"{number} arrived {n} times" for n, number in self.copies.items())
        return [
            f"receipts   {self.taken}",
            f"on record  {states}",
            f"mailboxes  {copies}",
            f"attempts   {by}",
        ]


def account_for(estate: Estate, taken: Sequence[Taken], workers: Sequence[Running]) -> Account:
    """Wait until all is settled and recorded, and hold receipts, mailboxes and record together."""
    jobs = [each.job for each in taken]
    states = _settled(estate, jobs)
    copies = estate.deployment.copies()
    attempts = estate.attempts()
    names = {each.process.pid: each.log.stem for each in workers}

    found = Account(
        taken=len(taken),
        states=Counter(states[job] for job in jobs),
        copies=Counter(copies[job] for job in jobs),
        attempts_by={names.get(pid, f"{pid}"): number for pid, number in attempts.items()},
    )
    found.wrong += _wrong_with_receipts(taken)
    found.wrong += [f"{job} is {states[job]}" for job in jobs if states[job] != "accepted"]
    found.wrong += [f"{job} arrived {copies[job]} times" for job in jobs if copies[job] != 1]
    found.wrong += [f"{job} arrived, without a receipt" for job in copies.keys() - set(jobs)]
    found.wrong += [f"{job} is recorded, without a receipt" for job in states.keys() - set(jobs)]
    found.wrong += _wrong_with_events(estate, jobs)
    found.wrong += [f"{name} has sent nothing" for pid, name in names.items() if not attempts[pid]]
    return found


def _settled(estate: Estate, jobs: Sequence[str]) -> dict[str, str]:
    """The states on record once all have ended, or nothing has got on for a while."""
    states: dict[str, str] = {}
    moved = time.monotonic()

    while any(states.get(job) not in FINAL for job in jobs):
        now = _states(estate)
        if now != states:
            states, moved = now, time.monotonic()
        elif time.monotonic() > moved + SETTLE_SECONDS:
            break
        time.sleep(0.5)

    return {job: states.get(job, "not on record") for job in {*jobs, *states}}


def _wrong_with_receipts(taken: Sequence[Taken]) -> list[str]:
    by_key = Counter(each.key for each in taken)
    by_job = Counter(each.job for each in taken)
    return [f"{name} was given {n} receipts" for name, n in (by_key + by_job).items() if n > 1]


def _wrong_with_events(estate: Estate, jobs: Sequence[str]) -> list[str]:
    """Each was enqueued once and accepted once, as the record tells."""
    query = text("SELECT type, job, data FROM events WHERE type IN ('enqueued', 'settled')")
    with estate.engine.connect() as db:
        rows = db.execute(query).all()

    enqueued = Counter(str(row.job) for row in rows if row.type == "enqueued")
    accepted = Counter(
        str(row.job)
        for row in rows
        if row.type == "settled" and json.loads(row.data).get("state") == "accepted"
    )
    return [
        f"{job} was enqueued {enqueued[job]} and accepted {accepted[job]} times on record"
        for job in jobs
        if (enqueued[job], accepted[job]) != (1, 1)
    ]


def _states(estate: Estate) -> dict[str, str]:
    with estate.engine.connect() as db:
        rows = db.execute(text("SELECT job, state FROM deliveries")).all()
    return {str(job): str(state) for job, state in rows}
