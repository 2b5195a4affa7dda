"""What came of a rehearsal: what went as a plan has it, what did not, and who was done when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from certmail_config.admin.admin import Admin
from certmail_config.base.ids import JobId
from certmail_config.campaigns.applying.identity import Identity
from certmail_config.campaigns.applying.mails import identities_of
from certmail_config.campaigns.plan import Enrolment, Moment, NonMoment, Plan, Versions
from certmail_config.sql import tables
from certmail_config.sql.campaigns.moments import load_moments
from certmail_worker.rehearsal.completions import Completion


class WouldBeSent(NamedTuple):
    """A mail that the sink took: when, to whom, and the file that it was written to."""

    job: JobId
    at: datetime
    tenant: str
    to: str
    file: str | None = None


class DoneOnTheWay(NamedTuple):
    """Somebody who was done on the way, and the mails about them before and after."""

    completion: Completion
    before: int
    after: int


class RehearsalOutcome(NamedTuple):
    """`went` has what went and what did not; `jobs` are counted by state and code of the reason.

    `files` has the file of each mail of `went`, in its order.
    """

    went: Plan
    files: Sequence[str | None]
    jobs: Mapping[tuple[str, str], int]
    done: Sequence[DoneOnTheWay]


def outcome_of(
    admin: Admin,
    enrolments: Sequence[Enrolment],
    sent: Sequence[WouldBeSent],
    reasons: Mapping[tuple[str, Identity], Moment],
    not_going: Iterable[NonMoment],
    completions: Iterable[Completion],
    made_with: Versions,
) -> RehearsalOutcome:
    """Look at the record of a rehearsal that is over."""
    told_of = _told_of(admin, enrolments)
    moments = [
        reasons[each.tenant, told_of[each.tenant, each.job][0]]._replace(at=each.at, to=each.to)
        for each in sent
    ]
    order = sorted(range(len(sent)), key=lambda place: (moments[place].at, moments[place].reviewer))

    return RehearsalOutcome(
        Plan(tuple(moments[place] for place in order), tuple(not_going), made_with),
        [sent[place].file for place in order],
        _jobs(admin),
        list(_done(moments, completions)),
    )


def _told_of(
    admin: Admin, enrolments: Sequence[Enrolment]
) -> Mapping[tuple[str, str], Sequence[Identity]]:
    """The planned mails that each job stands for, by tenant and job."""
    found: defaultdict[tuple[str, str], list[Identity]] = defaultdict(list)
    with admin.db() as db:
        for each in enrolments:
            tenant, campaign = each.campaign.tenant, each.campaign.id
            for one in load_moments(db, tenant, campaign).values():
                if one.job is not None:
                    found[tenant, one.job].append(Identity(campaign, *one.id))
    return found


def _jobs(admin: Admin) -> Mapping[tuple[str, str], int]:
    columns = tables.deliveries.c
    with admin.db() as db:
        rows = db.execute(select(columns.state, columns.reason))
        return Counter((state, (reason or "").partition(":")[0]) for state, reason in rows)


def _done(moments: Sequence[Moment], completions: Iterable[Completion]) -> Iterator[DoneOnTheWay]:
    """Each who was done on the way; a digest is about each of its parts."""
    told: defaultdict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for each in moments:
        for about in dict.fromkeys((one.campaign, one.reviewer) for one in identities_of(each)):
            told[each.tenant, *about].append(each.at)

    for one in sorted(completions):
        times = told[one.tenant, one.campaign, one.reviewer]
        after = sum(at >= one.at for at in times)
        yield DoneOnTheWay(one, len(times) - after, after)
