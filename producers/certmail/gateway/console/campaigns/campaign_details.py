"""One campaign as its page shows it: how it stands, its reviewers, and what comes. Reading blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from certmail.gateway.console.campaigns.campaign_list import path_of
from certmail.gateway.console.campaigns.day_strip import DayStrip
from certmail.gateway.console.campaigns.words import STATES, WHY_NOT
from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.record.words import KINDS
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.texts import N_
from certmail_config.admin.campaigns.outlook import Outlook, outlook, plan_of_reviewers
from certmail_config.admin.campaigns.remind import outside_hours
from certmail_config.admin.campaigns.views import CampaignView, view_campaign
from certmail_config.campaigns.departures import Late
from certmail_config.campaigns.moments_of_day import zone
from certmail_config.campaigns.plan import Moment, Plan
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.campaigns.why import WhyNot
from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.sql import registry
from certmail_config.sql.campaigns.seals import ReviewerSeals
from certmail_config.sql.campaigns.standing import (
    LastMail,
    asked_by_hand,
    last_mails,
    reviewers_in_part,
    reviewers_of_running,
)
from certmail_config.tenants.models import Connection, ConnectionState

PAGE: Final = 50
FEW: Final = 2000
"""Up to so many reviewers the whole plan is worked out with the page; beyond, if it is asked for."""
LATE: Final = 20
"""So many days of late mails are listed."""
PARTS: Final[Mapping[str, tuple[str, bool | None]]] = {
    "": (N_("All"), None),
    "open": (N_("Not done"), False),
    "done": (N_("Done"), True),
}
"""Which reviewers may be listed: the word in the address, its name, and whether they are done."""


@dataclass(frozen=True, slots=True)
class LateDay:
    """How many mails planned for a day leave on a later one; `after_due`: when it is too late."""

    planned: datetime
    leaves: datetime
    count: int
    after_due: bool


@dataclass(frozen=True, slots=True)
class ListedReviewer:
    """A reviewer in the list, as somebody may see them.

    Without a next mail `why` says why there is none. `asked_for`: beside what is planned, somebody
    asked for a mail to them, and it has not left yet.
    """

    id: str
    title: str
    address: str
    pending: int | None
    completed: int | None
    last: LastMail | None
    asked_for: bool
    next_at: datetime | None
    next_kind: str
    why: str

    @property
    def done(self) -> bool:
        """Whether they have nothing left."""
        return self.pending == 0


@dataclass(frozen=True, slots=True)
class ShownOutlook:
    """What comes, as pages show it: of a campaign that runs, and of one that is to be run."""

    first_at: datetime | None
    mails: int
    strip: DayStrip
    late: tuple[LateDay, ...]
    late_mails: int
    missed: int
    not_going: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, found: Outlook, due: datetime, zone_name: str) -> ShownOutlook:
        """The same of a plan."""
        last_day = (due - timedelta(seconds=1)).astimezone(zone(zone_name)).date()
        counted = sorted(found.not_going.items(), key=lambda each: -each[1])
        return cls(
            found.first_at,
            len(found.plan.moments),
            DayStrip.of(found.days, last_day),
            tuple(_late_days(found.late)[:LATE]),
            len(found.late),
            sum(each.after_due for each in found.late),
            tuple((WHY_NOT[each], count) for each, count in counted),
        )


@dataclass(frozen=True, slots=True)
class CampaignDetails:
    """A campaign, its reviewers counted and some of them listed, and what comes.

    `outlook` is None where that takes long and nobody asked for it. `stuck` is what keeps its mails
    from leaving: the mailbox's state, or that no worker runs. `closed`: for how many who are not
    done it is outside their hours now; None where that takes long.
    """

    view: CampaignView
    rows: tuple[ListedReviewer, ...]
    part: str
    first: bool
    following: str
    outlook: ShownOutlook | None
    connection: Connection | None
    workers: int
    closed: int | None

    @property
    def shown(self) -> tuple[str, str]:
        """Tone and name of its state."""
        return STATES[self.view.kept.state]

    @property
    def title(self) -> str:
        """What it is called; its id, where nobody has named it."""
        return self.view.kept.campaign.name or self.view.kept.campaign.id

    @property
    def path(self) -> str:
        """Where its page is."""
        return path_of(*self.view.kept.key)

    @property
    def open(self) -> int:
        """How many reviewers are not done."""
        return self.view.reviewers.reviewers - self.view.reviewers.complete

    @property
    def deliveries(self) -> str:
        """Where its deliveries are."""
        tenant, id_ = self.view.kept.key
        return f"/console/deliveries?{urlencode({'tenant': tenant, 'campaign': id_})}"

    @property
    def mailbox_waits(self) -> bool:
        """Whether its mailbox does not work."""
        return self.connection is None or self.connection.state is not ConnectionState.ACTIVE


def read_campaign_page(
    context: ConsoleContext,
    visitor: Visitor,
    key: tuple[str, str],
    *,
    part: str = "",
    after: str = "",
    whole: bool = False,
) -> CampaignDetails:
    """Read one with a page of its reviewers; raises Refused, SealBroken, StoresUnreachable.

    `part` is of `PARTS`; with `whole` its plan is worked out however long it takes.
    """
    tenant, id_ = key
    admin, now = context.admin, datetime.now(UTC)
    view = view_campaign(admin, tenant, id_)
    with admin.db() as db:
        seals = ReviewerSeals(registry.get_tenant(db, tenant), admin.vault)
        found = reviewers_in_part(db, seals, id_, after, PAGE + 1, done=PARTS[part][1])
        ids = [each.id for each in found[:PAGE]]
        last = last_mails(db, tenant, id_, ids)
        asked_for = asked_by_hand(db, tenant, id_, ids)
        together = reviewers_of_running(db, tenant)
        connection = registry.find_connection(db, tenant, view.kept.campaign.connection)

    stopped = view.kept.state is CampaignState.STOPPED
    if view.kept.state is not CampaignState.RUNNING:
        together += view.reviewers.reviewers
    shown = found[:PAGE]
    plan = None
    if shown and not stopped:
        plan = plan_of_reviewers(admin, tenant, id_, ids, now)
    coming = None
    if not stopped and (whole or together <= FEW):
        campaign = view.kept.campaign
        coming = ShownOutlook.of(outlook(admin, tenant, id_, now), campaign.due, campaign.time_zone)

    following = ""
    if len(found) > PAGE:
        asked = {"part": part, "after": shown[-1].id}
        following = f"{path_of(*key)}?{urlencode({n: v for n, v in asked.items() if v})}#reviewers"
    return CampaignDetails(
        view,
        tuple(_listed(visitor, shown, last, asked_for, plan, id_)),
        part,
        not after,
        following,
        coming,
        connection,
        workers_alive(admin.redis),
        outside_hours(admin, tenant, id_)[0] if not stopped and together <= FEW else None,
    )


def _listed(
    visitor: Visitor,
    reviewers: Sequence[Reviewer],
    last: Mapping[str, LastMail],
    asked_for: Collection[str],
    plan: Plan | None,
    campaign: str,
) -> Sequence[ListedReviewer]:
    coming: dict[str, Moment] = {}
    reasons: dict[str, WhyNot] = {}
    for moment in plan.moments if plan is not None else ():
        for whom in _reviewers_of(moment, campaign):
            coming.setdefault(whom, moment)
    for each in plan.non_moments if plan is not None else ():
        reasons[each.reviewer] = each.why
    return [
        replace(
            _row(visitor, each, last.get(each.id), coming.get(each.id), reasons.get(each.id), plan),
            asked_for=each.id in asked_for,
        )
        for each in reviewers
    ]


def _reviewers_of(moment: Moment, campaign: str) -> Sequence[str]:
    """Whom of a campaign a mail is about; one that goes to a manager is none of theirs."""
    if moment.kind == "escalation":
        return ()
    if moment.parts:
        return [part.reviewer for part in moment.parts if part.campaign == campaign]
    return [moment.reviewer]


def _row(
    visitor: Visitor,
    each: Reviewer,
    last: LastMail | None,
    coming: Moment | None,
    reason: WhyNot | None,
    plan: Plan | None,
) -> ListedReviewer:
    address = visitor.shown_address(each.to)
    name = each.name if visitor.sees_addresses else None
    why = ""
    if plan is None:
        why = N_("the campaign is stopped")
    elif each.pending == 0:
        why = WHY_NOT[WhyNot.COMPLETE]
    elif coming is None:
        why = WHY_NOT[reason] if reason is not None else N_("all that its rules name went")
    return ListedReviewer(
        each.id,
        name or address,
        address if name else "",
        each.pending,
        each.completed,
        last,
        asked_for=False,
        next_at=coming.at if coming is not None else None,
        next_kind=KINDS[coming.kind] if coming is not None else "",
        why="" if coming is not None else why,
    )


def _late_days(late: Sequence[Late]) -> list[LateDay]:
    counted = Counter((each.moment.date, each.leaves.date(), each.after_due) for each in late)
    return [
        LateDay(_noon(planned), _noon(leaves), count, after_due)
        for (planned, leaves, after_due), count in sorted(counted.items())
    ]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
