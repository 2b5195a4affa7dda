"""What is on record of the year: told by upstream, arrived at Google, and kept by certmail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from certmail_config.admin.admin import Admin
from certmail_config.sql import tables
from certmail_config.sql.campaigns.moments import load_moments
from year.expected import MailName
from year.quarters import Quarter


class Arrived(NamedTuple):
    """A mail that Google has taken, as Google has it."""

    mailbox: str
    to: str
    at: datetime


@dataclass(frozen=True, slots=True)
class QuarterRecord:
    """One campaign when it is over.

    `jobs` has the state of each job, `standing` the job of each planned mail, `arrived` what Google
    has of each job.
    """

    quarter: Quarter
    jobs: Mapping[str, str]
    standing: Mapping[MailName, str]
    arrived: Mapping[str, Sequence[Arrived]]
    done_at: Mapping[str, datetime]
    moved_at: datetime | None


@dataclass(slots=True)
class Book:
    """What was told and what arrived, of campaigns that are not over yet."""

    done_at: defaultdict[tuple[str, str], dict[str, datetime]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    moved_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    arrived: defaultdict[str, list[Arrived]] = field(default_factory=lambda: defaultdict(list))

    def note_arrived(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Keep what Google says that it has taken."""
        for each in messages:
            at = datetime.fromisoformat(each["at"])
            self.arrived[each["certmail_id"]].append(Arrived(each["mailbox"], each["to"], at))

    def close(self, admin: Admin, quarter: Quarter) -> QuarterRecord:
        """Read the record of a campaign, and forget what was noted of it."""
        key, deliveries = (quarter.tenant, quarter.id), tables.deliveries.c
        of_it = (deliveries.tenant == quarter.tenant) & (deliveries.campaign == quarter.id)
        with admin.db() as db:
            query = select(deliveries.job, deliveries.state).where(of_it)
            jobs = {job: state for job, state in db.execute(query)}  # noqa: C416 - rows, not pairs
            moments = load_moments(db, *key)

        return QuarterRecord(
            quarter,
            jobs,
            {MailName(*id_): each.job for id_, each in moments.items() if each.job is not None},
            {job: self.arrived.pop(job) for job in jobs if job in self.arrived},
            self.done_at.pop(key, {}),
            self.moved_at.pop(key, None),
        )
