"""The difference between a plan and what is known of its mails: by identity, whatever changes.

A small ledger of dictionaries does what it says; campaigns, reviewers and what happens to them are
Hypothesis's.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.campaigns.applying.difference import (
    Materialised,
    PlanDifference,
    ToEnqueue,
    difference,
    digest_of,
)
from certmail_config.campaigns.applying.identity import Identity, key_of
from certmail_config.campaigns.applying.mails import PlannedMail, planned_mails
from certmail_config.campaigns.cadence import Kind
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment, Versions, make_plan
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import MomentState
from certmail_config.campaigns.sent import Sent
from support.campaigns.invented import campaigns, reviewers

WITH = Versions("h", "t", "c")
HOURS = timedelta(hours=6)


def hashed(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:32]


class Rehearsal:
    """A ledger and its record as dictionaries, and a planner that never sleeps for long."""

    def __init__(self, written: list[dict[str, Any]], reviewer: dict[str, Any]) -> None:
        self.campaigns = {each["id"]: Campaign.model_validate(each) for each in written}
        self.reviewers = {each: [Reviewer(id="r1", **reviewer)] for each in self.campaigns}
        self.known: dict[Identity, Materialised] = {}
        self.sent: dict[str, list[Sent]] = {each: [] for each in self.campaigns}
        self.jobs: dict[str, PlannedMail] = {}
        self.gone: list[tuple[datetime, PlannedMail]] = []
        self.made = 0
        self.unrecorded: list[tuple[datetime, PlannedMail, str]] = []

    def mails(self, now: datetime) -> list[PlannedMail]:
        enrolments = [
            Enrolment(campaign, self.reviewers[id_], sent=self.sent[id_])
            for id_, campaign in self.campaigns.items()
        ]
        plan = make_plan(enrolments, now, WITH)
        ended = {key for key, each in self.known.items() if each.state is MomentState.ENDED}
        return list(planned_mails(plan.moments, enrolments, ended, now, hashed))

    def wanted(self, now: datetime) -> PlanDifference:
        return difference(self.mails(now), self.known, now)

    def apply(self, wanted: PlanDifference) -> None:
        begun = {each.job for each in wanted.withdraw if each.job not in self.jobs}
        for each in wanted.withdraw:
            if each.job in begun:
                continue
            del self.jobs[each.job]
            for identity in each.identities:
                withdrawn = self.known[identity]._replace(state=MomentState.WITHDRAWN)
                self.known[identity] = withdrawn
        for mail in wanted.enqueue:
            if not begun & set(mail.instead_of):
                self._enqueue(mail)

    def _enqueue(self, each: ToEnqueue) -> None:
        self.made += 1
        job = f"job {self.made}"
        self.jobs[job] = each.mail
        for identity in each.mail.identities:
            self.known[identity] = Materialised(
                each.mail.at, digest_of(each.mail), each.generation, job, MomentState.ENQUEUED
            )

    def leave(self, now: datetime, outcome: str) -> None:
        """Whatever may leave does so; the record has it later."""
        for job, mail in list(self.jobs.items()):
            if mail.at > now or (mail.closes_at is not None and mail.closes_at <= now):
                continue
            del self.jobs[job]
            self.unrecorded.append((now, mail, outcome))
            if outcome != "failed":
                self.gone.append((now, mail))

    def record(self) -> None:
        for at, mail, outcome in self.unrecorded:
            went = outcome != "failed"
            state = MomentState.ENQUEUED if outcome == "uncertain" else MomentState.ENDED
            for identity, kind in zip(mail.identities, mail.kinds, strict=True):
                self.known[identity] = self.known[identity]._replace(state=state, went=went)
                if went:
                    self.sent[identity.campaign].append(
                        Sent(
                            reviewer=identity.reviewer,
                            rule=identity.rule,
                            ordinal=identity.ordinal,
                            at=at,
                            kind=kind,
                            accepted=outcome == "accepted",
                        )
                    )
        self.unrecorded.clear()


@st.composite
def rehearsals(draw: st.DrawFn) -> Rehearsal:
    first = draw(campaigns())
    written = [first]
    if draw(st.booleans()):
        written.append(
            {**draw(campaigns()), "id": "q3", "start": first["start"], "due": first["due"]}
        )
    return Rehearsal(written, draw(reviewers(first["start"])))


changes = st.sampled_from(["nothing", "nothing", "nothing", "due", "complete", "reopen", "rules"])
outcomes = st.sampled_from(["accepted", "accepted", "accepted", "uncertain", "failed"])


@settings(max_examples=60, deadline=None)
@given(
    rehearsals(),
    st.lists(st.tuples(changes, outcomes, st.integers(-9, 9), st.booleans()), max_size=80),
)
def test_whatever_changes_nothing_goes_twice_and_nothing_is_done_twice(
    rehearsal: Rehearsal, days: list[tuple[str, str, int, bool]]
) -> None:
    now = min(each.start for each in rehearsal.campaigns.values()) - timedelta(days=2)

    for change, outcome, by, works in days:
        now += HOURS
        change_something(rehearsal, change, by)
        rehearsal.apply(rehearsal.wanted(now))
        if not rehearsal.unrecorded:
            again = rehearsal.wanted(now)
            assert (again.withdraw, again.enqueue) == ((), ()), "nothing changed"
            standing = Counter(each.job for each in rehearsal.known.values() if each.stands)
            assert standing.keys() == rehearsal.jobs.keys(), "each job stands for something"
        if works:
            rehearsal.record()
            rehearsal.apply(rehearsal.wanted(now))
            rehearsal.leave(now, outcome)

    gone = Counter(identity for _, mail in rehearsal.gone for identity in mail.identities)
    assert all(count == 1 for count in gone.values()), "no moment goes twice"
    for at, mail in rehearsal.gone:
        if mail.closes_at is not None:
            assert mail.at <= at < mail.closes_at


def change_something(rehearsal: Rehearsal, change: str, by: int) -> None:
    for id_, campaign in list(rehearsal.campaigns.items()):
        if change == "due":
            due = max(campaign.due + timedelta(days=by), campaign.start + timedelta(hours=1))
            rehearsal.campaigns[id_] = campaign.with_due(due)
        elif change == "rules" and len(campaign.rules) > 1:
            rehearsal.campaigns[id_] = campaign.with_rules(campaign.rules[1:])
        elif change in {"complete", "reopen"}:
            pending = 0 if change == "complete" else 3
            rehearsal.reviewers[id_] = [
                each.model_copy(update={"pending": pending}) for each in rehearsal.reviewers[id_]
            ]
            assert_nothing_after_completion(rehearsal, id_, change)


def assert_nothing_after_completion(rehearsal: Rehearsal, campaign: str, change: str) -> None:
    if change != "complete":
        return
    start = rehearsal.campaigns[campaign].start
    assert not any(
        identity.campaign == campaign
        for mail in rehearsal.mails(start)
        for identity in mail.identities
    )


MAIL_AT = datetime.fromisoformat("2026-11-03T09:00:00+00:00")
ONE, TWO = Identity("q4", "r1", "regular", 1), Identity("q3", "r1", "start", 1)


class _Mails:
    """Mails of one campaign, or two, with as little as the difference looks at."""

    def one(
        self, *identities: Identity, at: datetime = MAIL_AT, digest: str = "d", news: str = "n"
    ) -> PlannedMail:
        written = Campaign.model_validate(
            {
                "tenant": "acme", "id": "q4", "start": "2026-11-02T09:00:00Z",
                "due": "2026-12-02T09:00:00Z", "rule": [{"id": "start", "on": "start"}],
            }
        )  # fmt: skip
        [mail] = [
            each
            for each in planned_mails(
                make_plan([_enrolment(written)], written.start, WITH).moments,
                [_enrolment(written)], (), written.start, hashed,
            )
            if isinstance(each, PlannedMail)
        ]  # fmt: skip
        kind: Kind = "reminder"
        kinds = (kind,) * len(identities)
        return replace(mail, identities=identities, kinds=kinds, at=at, digest=digest, news=news)


def _enrolment(campaign: Campaign) -> Enrolment:
    return Enrolment(campaign, [Reviewer(id="r1", to="anna@acme.example")])


def standing(job: str = "j", **more: Any) -> Materialised:
    given: dict[str, Any] = {
        "at": MAIL_AT, "digest": "d.n", "generation": 3, "state": MomentState.ENQUEUED, **more,
    }  # fmt: skip
    return Materialised(job=job, **given)


BEFORE = MAIL_AT - timedelta(days=1)
mails = _Mails()


def test_what_is_as_planned_is_left_alone() -> None:
    assert difference([mails.one(ONE)], {ONE: standing()}, BEFORE) == PlanDifference((), ())


def test_what_is_left_makes_another_mail_only_shortly_before_it_may_leave() -> None:
    news = mails.one(ONE, news="less")
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    known = {ONE: standing()}
    outdated = PlanDifference((), (), frozenset({ONE}))
    assert difference([news], known, MAIL_AT - hour - minute) == outdated
    renewed = difference([news], known, MAIL_AT - hour)
    assert [each.instead_of for each in renewed.enqueue] == [("j",)]
    assert not renewed.outdated
    assert difference([news], known, MAIL_AT) == outdated


def test_what_is_new_is_enqueued() -> None:
    [each] = difference([mails.one(ONE)], {}, BEFORE).enqueue
    assert (each.generation, each.instead_of) == (0, ())


def test_what_moved_is_withdrawn_and_enqueued_anew() -> None:
    moved = mails.one(ONE, at=MAIL_AT + timedelta(days=1))
    wanted = difference([moved], {ONE: standing()}, BEFORE)
    assert [(each.job, each.why.partition(":")[0]) for each in wanted.withdraw] == [("j", "moved")]
    assert [(each.generation, each.instead_of) for each in wanted.enqueue] == [(4, ("j",))]


def test_what_may_leave_by_now_does_not_move_with_the_clock() -> None:
    now = MAIL_AT + timedelta(hours=2)
    assert difference([mails.one(ONE, at=now)], {ONE: standing()}, now) == PlanDifference((), ())


def test_what_is_not_planned_any_more_is_withdrawn() -> None:
    wanted = difference([], {ONE: standing()}, BEFORE)
    assert [(each.job, each.why.partition(":")[0]) for each in wanted.withdraw] == [
        ("j", "not_planned")
    ]


def test_what_went_is_never_touched() -> None:
    known: Mapping[Identity, Materialised] = {ONE: standing(went=True)}
    assert difference([mails.one(ONE, digest="x")], known, BEFORE) == PlanDifference((), ())
    assert difference([], known, BEFORE) == PlanDifference((), ())


def test_what_ended_is_not_planned_again() -> None:
    known = {ONE: standing(state=MomentState.ENDED)}
    assert difference([mails.one(ONE)], known, BEFORE) == PlanDifference((), ())


def test_what_was_withdrawn_may_come_again_under_another_key() -> None:
    known = {ONE: standing(state=MomentState.WITHDRAWN)}
    [each] = difference([mails.one(ONE)], known, BEFORE).enqueue
    assert (each.generation, each.job) == (4, None)
    assert key_of([ONE], 4) != key_of([ONE], 3)


def test_where_a_planner_was_interrupted_the_same_job_is_enqueued() -> None:
    known = {ONE: standing(state=MomentState.PLANNED)}
    [each] = difference([mails.one(ONE)], known, BEFORE).enqueue
    assert (each.generation, each.job, each.instead_of) == (3, "j", ())


def test_two_that_meet_become_one_and_part_again() -> None:
    apart: Mapping[Identity, Materialised] = {ONE: standing("a"), TWO: standing("b")}
    met = difference([mails.one(ONE, TWO)], apart, BEFORE)
    assert {each.job for each in met.withdraw} == {"a", "b"}
    assert [each.instead_of for each in met.enqueue] == [("a", "b")]

    together = {ONE: standing("c"), TWO: standing("c")}
    parted = difference([mails.one(ONE), mails.one(TWO)], together, BEFORE)
    assert [each.job for each in parted.withdraw] == ["c"]
    assert [each.instead_of for each in parted.enqueue] == [("c",), ("c",)]
