"""The mails of a plan that are to be jobs now, each with what its job carries. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from certmail_config.campaigns.applying.horizon import AHEAD, becoming_jobs
from certmail_config.campaigns.applying.identity import BY_HAND, Identity
from certmail_config.campaigns.cadence import COUNTED, Kind
from certmail_config.campaigns.calendar import days_of
from certmail_config.campaigns.campaign import REVIEWER, Campaign
from certmail_config.campaigns.plan import Enrolment, Moment
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.jobs.reminder import DEFAULT_LIFE, Reminder, parse

_PRIORITY: Final[Mapping[Kind, int]] = {"final": 3, "overdue": 4, "escalation": 4}
"""Of what leaves a mailbox at one time the most urgent goes first; all else has 5."""
FRESHEN: Final = timedelta(hours=1)
"""So long before it may leave a mail is brought up to date, if what it says is not any more."""
_NEWS: Final = ("pending", "completed")
"""What changes from day to day."""
_PASSING: Final = frozenset({*_NEWS, "times_reminded", "send_at"})
_NEWS_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """One mail that is to be a job.

    `identities` are the planned mails that it stands for, the most urgent first, with the kind of
    each; `closes_at` is until when it may leave. `digest` is equal where all that makes it this
    mail is the same, `news` where it says the same of what is left.
    """

    tenant: str
    identities: tuple[Identity, ...]
    kinds: tuple[Kind, ...]
    at: datetime
    closes_at: datetime | None
    fields: Mapping[str, Any]
    digest: str
    news: str

    @property
    def reminder(self) -> Reminder:
        """What its job carries; raises ReminderRejected for what can never be one.

        It is made only where it is wanted: nearly all mails of a plan are jobs already.
        """
        return parse(self.fields)

    @property
    def told_of(self) -> tuple[tuple[str, str], ...]:
        """The reviewers that it tells of, each with the campaign."""
        return tuple(dict.fromkeys((each.campaign, each.reviewer) for each in self.identities))


def planned_mails(
    moments: Sequence[Moment],
    enrolments: Sequence[Enrolment],
    ended: Collection[Identity],
    now: datetime,
    keyed_hash: Callable[[bytes], str],
    standing: Collection[Identity] = (),
) -> Iterator[PlannedMail]:
    """The mails of one tenant's plan that are to be jobs by now.

    What has `ended` is left out, and what is left of a digest goes by itself. An escalation becomes
    a job when the reminders were accepted that it is for, and not because it is planned that they
    will be. For what is `standing` there is a job, which stays one within the whole horizon.
    """
    people = _People(enrolments)
    following = _following(moments)

    for moment, from_ in becoming_jobs(moments):
        if people.still_to_be_counted(moment):
            continue
        identities = identities_of(moment)
        stays = moment.at <= now + AHEAD and any(each in standing for each in identities)
        if from_ > now and not stays:
            continue
        open_ = tuple(each for each in identities if each not in ended)
        if not open_:
            continue
        overtaken = [at for each in open_ if (at := following.get((each, moment.at))) is not None]
        yield _mail(people, moment, open_, overtaken, keyed_hash)


def identities_of(moment: Moment) -> tuple[Identity, ...]:
    """The planned mails that a moment stands for, the most urgent first."""
    if not moment.parts:
        return (Identity(moment.campaign, moment.reviewer, moment.rule, moment.ordinal),)
    return tuple(
        Identity(each.campaign, each.reviewer, each.rule, each.ordinal) for each in moment.parts
    )


class _People:
    """Campaigns and reviewers by their names."""

    def __init__(self, enrolments: Sequence[Enrolment]) -> None:
        self.enrolments = {each.campaign.id: each for each in enrolments}
        self._reviewers = {
            each.campaign.id: {reviewer.id: reviewer for reviewer in each.reviewers}
            for each in enrolments
        }
        self._accepted: dict[str, defaultdict[str, int]] = {}

    def campaign(self, identity: Identity) -> Campaign:
        return self.enrolments[identity.campaign].campaign

    def reviewer(self, identity: Identity) -> Reviewer:
        return self._reviewers[identity.campaign][identity.reviewer]

    def pending(self, identity: Identity) -> int | None:
        reviewer = self.reviewer(identity)
        return self.enrolments[identity.campaign].pending.get(reviewer.id, reviewer.pending)

    def still_to_be_counted(self, moment: Moment) -> bool:
        """Whether it is an escalation for reminders that Gmail has not accepted yet."""
        if moment.kind != "escalation":
            return False
        [identity] = identities_of(moment)
        rules = {each.id: each for each in self.campaign(identity).rules}
        count = rules[identity.rule].escalate_after
        return count is not None and self.times_reminded(identity) < count

    def times_reminded(self, identity: Identity) -> int:
        """How many reminders of theirs Gmail accepted."""
        found = self._accepted.get(identity.campaign)
        if found is None:
            found = self._accepted[identity.campaign] = defaultdict(int)
            for each in self.enrolments[identity.campaign].sent:
                found[each.reviewer] += each.accepted and each.kind in COUNTED
        return found[identity.reviewer]


def _following(moments: Sequence[Moment]) -> Mapping[tuple[Identity, datetime], datetime]:
    """When each planned mail is overtaken by the next that goes to the same person of it.

    Then it is not sent any more: after a pause or an outage nobody gets several at once. What was
    asked for by hand neither overtakes nor is overtaken.
    """
    latest: dict[tuple[str, str, bool], datetime] = {}
    found: dict[tuple[Identity, datetime], datetime] = {}

    for moment in reversed(moments):
        planned = [each for each in identities_of(moment) if each.rule != BY_HAND]
        for each in planned:
            following = latest.get((each.campaign, each.reviewer, moment.kind == "escalation"))
            if following is not None and following > moment.at:
                found[each, moment.at] = following
        for each in planned:
            latest[each.campaign, each.reviewer, moment.kind == "escalation"] = moment.at

    return found


def _mail(
    people: _People,
    moment: Moment,
    open_: tuple[Identity, ...],
    overtaken: Sequence[datetime],
    keyed_hash: Callable[[bytes], str],
) -> PlannedMail:
    first = open_[0]
    campaign, reviewer = people.campaign(first), people.reviewer(first)
    kinds = _kinds(moment, open_)
    closes_at = None if first.rule == BY_HAND else _closes_at(campaign, reviewer, moment)
    # Not counted from its instant: what may leave by now has another with each plan.
    ends = min([*overtaken, (closes_at or moment.at) + DEFAULT_LIFE])
    fields: dict[str, Any] = {
        "tenant": campaign.tenant,
        "to": moment.to,
        "campaign": campaign.id,
        "connection": campaign.connection,
        "locale": reviewer.locale or campaign.locale,
        "time_zone": reviewer.time_zone or campaign.time_zone,
        "send_at": moment.at,
        "expires_at": ends,
        "priority": min(_PRIORITY.get(kind, 5) for kind in kinds),
    }
    if len(open_) > 1:
        fields |= {"kind": "digest", "campaigns": [_part(people, each) for each in open_]}
    else:
        fields |= {"kind": kinds[0], **_own_words(people, first, kinds[0])}
    if moment.to == reviewer.to:
        fields["name"] = reviewer.name

    fields = {name: value for name, value in fields.items() if value is not None}
    return PlannedMail(
        campaign.tenant,
        open_,
        kinds,
        moment.at,
        closes_at,
        fields,
        digest=keyed_hash(_all_but_news(fields, moment, closes_at)),
        news=keyed_hash(_news(fields))[:_NEWS_DIGITS],
    )


def _closes_at(campaign: Campaign, reviewer: Reviewer, moment: Moment) -> datetime:
    calendar = campaign.calendar.of(reviewer.country, reviewer.subdivision)
    opening = days_of(calendar, reviewer.time_zone or campaign.time_zone).opening(moment.date)
    assert opening is not None, "mails leave on working days"
    return opening.ends


def _kinds(moment: Moment, open_: Iterable[Identity]) -> tuple[Kind, ...]:
    if not moment.parts:
        return (moment.kind,)
    kinds = {
        Identity(each.campaign, each.reviewer, each.rule, each.ordinal): each.kind
        for each in moment.parts
    }
    return tuple(kinds[each] for each in open_)


def _own_words(people: _People, identity: Identity, kind: Kind) -> dict[str, Any]:
    campaign, reviewer = people.campaign(identity), people.reviewer(identity)
    words: dict[str, Any] = {
        "campaign_name": campaign.name,
        "due_at": campaign.due,
        "pending": people.pending(identity),
        "completed": reviewer.completed,
        "link": _link(campaign, reviewer),
    }
    if kind == "escalation":
        words["about"] = reviewer.name or reviewer.to
        words["times_reminded"] = people.times_reminded(identity)
    return words


def _part(people: _People, identity: Identity) -> dict[str, Any]:
    campaign, reviewer = people.campaign(identity), people.reviewer(identity)
    part = {
        "name": campaign.name or campaign.id,
        "due_at": campaign.due,
        "pending": people.pending(identity),
        "completed": reviewer.completed,
        "link": _link(campaign, reviewer),
    }
    return {name: value for name, value in part.items() if value is not None}


def _link(campaign: Campaign, reviewer: Reviewer) -> str | None:
    if reviewer.link is not None or campaign.link is None:
        return reviewer.link
    return campaign.link.replace(REVIEWER, quote(reviewer.id, safe=""))


def _all_but_news(fields: Mapping[str, Any], moment: Moment, closes_at: datetime | None) -> bytes:
    """What makes it this mail and no other; its instant is compared by itself."""
    lasting = {name: value for name, value in fields.items() if name not in _PASSING}
    if "campaigns" in lasting:
        lasting["campaigns"] = [
            {name: value for name, value in part.items() if name not in _NEWS}
            for part in lasting["campaigns"]
        ]
    # What is asked for by hand has neither day nor hours.
    day = None if closes_at is None else moment.date
    return _written([lasting, day, closes_at])


def _news(fields: Mapping[str, Any]) -> bytes:
    told = [fields, *fields.get("campaigns", ())]
    return _written([[each.get(name) for name in _NEWS] for each in told])


def _written(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=_in_utc).encode()


def _in_utc(value: date) -> str:
    moment = value.astimezone(UTC) if isinstance(value, datetime) else value
    return moment.isoformat()
