"""The soak's own book: what SQL said of each reminder before it was forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select

from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.sql import tables
from soak.facts import Entry
from soak.judging import Late
from soak.week import Week
from support.deployment.deployment import Deployment


@dataclass(slots=True)
class Book:
    """All entries by job; read again and again, while other threads look on."""

    place: Deployment
    entries: dict[str, Entry] = field(default_factory=dict)
    _uncertain: set[str] = field(default_factory=set)

    def read(self) -> None:
        """Note everything that is on record now.

        What was uncertain, and is not there any more, retention has closed and forgotten at once.
        """
        jobs, tries = tables.deliveries.c, tables.attempts.c
        requests: dict[str, list[tuple[str | None, datetime | None]]] = {}

        with self.place.admin.db() as db:
            for job, outcome, at in db.execute(select(tries.job, tries.outcome, tries.ended_at)):
                requests.setdefault(job, []).append((outcome, at))
            names = (jobs.job, jobs.tenant, jobs.state, jobs.possible_duplicate, jobs.decided_by)
            rows = db.execute(select(*names, jobs.reason, jobs.enqueued_at, jobs.send_at)).all()

        for job in self._uncertain - {row.job for row in rows}:
            self.entries[job] = replace(self.entries[job], decided=True)
        self._uncertain = {row.job for row in rows if row.state == State.UNCERTAIN}

        for row in rows:
            made = requests.get(row.job, [])
            taken = [at for outcome, at in made if outcome == AttemptOutcome.ACCEPTED]
            self.entries[row.job] = Entry(
                row.tenant,
                row.state,
                row.possible_duplicate,
                row.decided_by is not None or (row.reason or "").startswith("retention:"),
                row.send_at or row.enqueued_at,
                row.send_at is not None,
                next(iter(taken), None),
                len(made),
            )

    def open(self, jobs: Collection[str]) -> list[str]:
        """Those of the jobs that have not ended, as far as is known."""
        known = self.entries
        return [job for job in jobs if job not in known or not known[job].has_ended]

    def lateness(
        self, tenants: Collection[str], week: Week, began: float, *, scheduled: bool = False
    ) -> Iterator[Late]:
        """How late mails of these tenants were, of which the first request was accepted.

        They are those that had a time to wait for, or the others. The week began at `began`, seconds
        since 1970.
        """
        for entry in list(self.entries.values()):
            counts = entry.tenant in tenants and entry.scheduled is scheduled
            if counts and entry.accepted is not None and entry.attempts == 1:
                at = entry.due.timestamp() - began
                late = (entry.accepted - entry.due).total_seconds()
                yield Late(at, max(late, 0.0), week.load(min(max(at, 0.0), week.seconds)))
