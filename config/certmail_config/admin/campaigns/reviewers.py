"""A campaign's reviewers: lists of them, page by page, and who is no longer in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from pydantic_core import PydanticCustomError
from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.marks import mark_of_pending, replicas_of, unwanted_marks
from certmail_config.admin.campaigns.running import campaign_stopped, tenant_of_campaigns
from certmail_config.base.ids import JobId
from certmail_config.campaigns.calendar import Calendar
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.ledger import Act, run_many, withdraw
from certmail_config.ledger.unwanted.marks import ReviewerMark, UnwantedMarks
from certmail_config.sql.campaigns import campaigns, moments, progress, reviewers
from certmail_config.sql.campaigns.reviewers import PageWritten
from certmail_config.sql.campaigns.seals import ReviewerSeals

MAX_IN_PAGE: Final = 2000
_AT_ONCE: Final = 200
_STANDING: Final = frozenset({MomentState.PLANNED, MomentState.ENQUEUED})
_REPLACED: Final = "reviewer_replaced: its reviewer has another address now"


class Misplaced(NamedTuple):
    """A reviewer whose country and part of it do not fit the campaign's calendar, and why."""

    reviewer: Reviewer
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ReviewersPut:
    """What became of a page: ids by what was done, who was removed with it, and who was not taken."""

    page: PageWritten
    removed: Sequence[str] = ()
    misplaced: Sequence[Misplaced] = ()


def put_reviewers(
    admin: Admin,
    tenant: str,
    id_: str,
    page: Sequence[Reviewer],
    *,
    roster: str | None = None,
    last: bool = False,
    named: Sequence[str] = (),
) -> ReviewersPut:
    """Add the reviewers of a page, and change those that are there.

    Pages of one `roster` are one list. Whoever is in none of its pages is removed with the `last`;
    `named` are ids in them that could not be read as reviewers, and stay as they are. Each id
    stands once. Raises Refused, SealBroken.
    """
    office = tenant_of_campaigns(admin, tenant)
    seals, marks = ReviewerSeals(office, admin.vault), unwanted_marks(admin, office)

    with admin.db() as db:
        campaigns.hold(db, tenant, id_)
        kept = campaigns.get_campaign(db, tenant, id_)
        if kept.state is CampaignState.STOPPED:
            raise campaign_stopped(tenant, id_)

        fitting, misplaced = _split(kept.campaign.calendar, page)
        written = reviewers.write_page(db, seals, id_, fitting, roster)
        if roster is not None:
            not_taken = [*named, *(each.reviewer.id for each in misplaced)]
            reviewers.note_roster(db, tenant, id_, not_taken, roster)
        absent = reviewers.others_than(db, tenant, id_, roster) if roster and last else []
        removed = reviewers.remove_reviewers(db, tenant, id_, absent)

        # What is known of progress is not what the page says, where there was newer news.
        known = progress.read_progress(db, tenant, id_, [each.id for each in page])
        _tell(marks, id_, {each: mark_of_pending(one.pending) for each, one in known.items()})
        _tell(marks, id_, dict.fromkeys(removed, ReviewerMark.WITHDRAWN))
        _call_off(admin, db, tenant, id_, written.readdressed)
        if written.added or written.changed or removed:
            campaigns.touch_some(db, tenant, id_, datetime.now(UTC))

    done = ReviewersPut(written, removed, misplaced)
    if told := told_of(done):
        admin.record(Act.CAMPAIGN_REVIEWERS_CHANGED, tenant, reason=f"{id_}: {told}")
    return done


def told_of(done: ReviewersPut) -> str:
    """What became of a page, in words; empty where nothing changed."""
    counts = {
        "added": len(done.page.added),
        "changed": len(done.page.changed),
        "removed": len(done.removed),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _call_off(admin: Admin, db: Db, tenant: str, campaign: str, reviewers: Sequence[str]) -> None:
    """Let no mail leave that is on its way to an address that a reviewer had before.

    The planner puts another in its place.
    """
    found = moments.moments_of_reviewers(db, tenant, campaign, reviewers)
    jobs = sorted({each.job for each in found if each.job and each.state in _STANDING})
    for start in range(0, len(jobs), _AT_ONCE):
        calls = [withdraw(JobId(job), _REPLACED) for job in jobs[start : start + _AT_ONCE]]
        run_many(admin.redis, calls, replicas=replicas_of(admin))


def _split(calendar: Calendar, page: Sequence[Reviewer]) -> tuple[list[Reviewer], list[Misplaced]]:
    fitting, misplaced = [], []
    wrong: dict[tuple[str | None, str | None], tuple[str, str] | None] = {}
    for each in page:
        place = (each.country, each.subdivision)
        if place not in wrong:
            wrong[place] = _why_misplaced(calendar, *place)
        if (why := wrong[place]) is None:
            fitting.append(each)
        else:
            misplaced.append(Misplaced(each, *why))
    return fitting, misplaced


def _why_misplaced(
    calendar: Calendar, country: str | None, subdivision: str | None
) -> tuple[str, str] | None:
    try:
        calendar.of(country, subdivision)
    except PydanticCustomError as error:
        return error.type, error.message()
    return None


def _tell(marks: UnwantedMarks, campaign: str, told: Mapping[str, ReviewerMark | None]) -> None:
    if told:
        marks.set_reviewers(campaign, told)
