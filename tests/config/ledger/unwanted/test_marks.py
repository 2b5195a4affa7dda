"""Reminders that a campaign planned: marks that begin looks at, and what is withdrawn."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Enqueued, RefusedBy, run, withdraw
from certmail_config.ledger.unwanted.marks import CampaignMark, ReviewerMark, UnwantedMarks
from certmail_config.ledger.unwanted.references import References
from support.machine.clocked_ledger import ClockedLedger

SALT = b"s" * 32
CAMPAIGN, REVIEWER = "2026-q4", "anna@acme.example"


@pytest.fixture
def ledger(engine: Redis) -> ClockedLedger:
    engine.flushall()
    return ClockedLedger(engine)


@pytest.fixture
def marks(engine: Redis) -> UnwantedMarks:
    return UnwantedMarks(engine, "acme", SALT)


def planned(ledger: ClockedLedger, *told_of: tuple[str, str], closes_in: float = 3600.0) -> str:
    wants = References(SALT).wants(told_of or [(CAMPAIGN, REVIEWER)], ledger.now + closes_in)
    ledger.enqueue("j", wants=wants)
    return "j"


def begin(ledger: ClockedLedger, job: str = "j") -> object:
    assert ledger.dispatch().jobs == (job,)
    return ledger.try_to_begin(ledger.claim(job, nonce=f"n{ledger.now}"))


class TestBegin:
    """Begin is the last that looks."""

    def test_what_nothing_speaks_against_begins(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger)
        marks.set_reviewer(CAMPAIGN, "somebody else", ReviewerMark.COMPLETE)
        marks.set_campaign("another", CampaignMark.STOPPED)
        assert not isinstance(begin(ledger), RefusedBy)

    @pytest.mark.parametrize(
        ("mark", "reason"),
        [
            (ReviewerMark.COMPLETE, "review_complete"),
            (ReviewerMark.REPLACED, "reviewer_replaced"),
            (ReviewerMark.WITHDRAWN, "reviewer_withdrawn"),
        ],
    )
    def test_a_mark_on_its_reviewer_suppresses_it(
        self, ledger: ClockedLedger, marks: UnwantedMarks, mark: ReviewerMark, reason: str
    ) -> None:
        planned(ledger)
        marks.set_reviewer(CAMPAIGN, REVIEWER, mark)
        assert begin(ledger) == RefusedBy("unwanted")
        view = ledger.see("j")
        assert view.state is State.SUPPRESSED
        assert (view.reason or "").startswith(f"{reason}: ")

    def test_a_campaign_that_was_stopped_ends_it(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger)
        marks.set_campaign(CAMPAIGN, CampaignMark.STOPPED)
        begin(ledger)
        assert ledger.state("j") is State.SUPPRESSED

    def test_while_its_campaign_is_paused_it_waits_and_goes_on_later(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger)
        marks.set_campaign(CAMPAIGN, CampaignMark.PAUSED)
        assert begin(ledger) == RefusedBy("unwanted")
        assert ledger.state("j") is State.SCHEDULED

        marks.set_campaign(CAMPAIGN, None)
        ledger.now += 301
        ledger.reap()
        assert not isinstance(begin(ledger), RefusedBy)

    def test_after_its_hours_it_does_not_begin(self, ledger: ClockedLedger) -> None:
        planned(ledger, closes_in=10)
        ledger.now += 11
        begin(ledger)
        view = ledger.see("j")
        assert view.state is State.SUPPRESSED
        assert (view.reason or "").startswith("outside_hours: ")

    def test_one_that_tells_of_two_campaigns_is_wanted_for_both_or_not_as_it_is(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger, (CAMPAIGN, REVIEWER), ("2026-q3", "r7"))
        marks.set_reviewer("2026-q3", "r7", ReviewerMark.COMPLETE)
        begin(ledger)
        assert ledger.state("j") is State.SUPPRESSED

    def test_a_mark_that_was_taken_back_says_nothing(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger)
        marks.set_reviewer(CAMPAIGN, REVIEWER, ReviewerMark.COMPLETE)
        marks.set_reviewer(CAMPAIGN, REVIEWER, None)
        assert not isinstance(begin(ledger), RefusedBy)

    def test_where_marks_cannot_be_read_it_waits(self, ledger: ClockedLedger) -> None:
        planned(ledger)
        references = References(SALT)
        key = f"{redis_keys.UNWANTED}acme:{references.campaign(CAMPAIGN)}"
        ledger.redis.set(key, "no hash")
        assert begin(ledger) == RefusedBy("unwanted")
        assert ledger.state("j") is State.SCHEDULED

    def test_what_no_campaign_planned_looks_at_no_marks(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        ledger.enqueue("j", campaign=CAMPAIGN)
        marks.set_campaign(CAMPAIGN, CampaignMark.STOPPED)
        assert not isinstance(begin(ledger), RefusedBy)


class TestSettle:
    """A request that is under way is not called back: what overtook it is on record."""

    def test_a_completion_under_way_is_on_record(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger)
        begin(ledger)
        marks.set_reviewer(CAMPAIGN, REVIEWER, ReviewerMark.COMPLETE)
        assert ledger.settle("j") is State.ACCEPTED
        assert last_event(ledger) == ("overtaken", "review_complete")

    def test_so_it_is_where_its_outcome_was_unknown_at_first(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        planned(ledger)
        begin(ledger)
        ledger.settle("j", 1, AttemptOutcome.UNKNOWN, State.UNCERTAIN)
        marks.set_reviewer(CAMPAIGN, REVIEWER, ReviewerMark.COMPLETE)
        assert ledger.settle("j", 1) is State.ACCEPTED
        assert last_event(ledger) == ("overtaken", "review_complete")

    def test_nothing_is_where_nothing_overtook_it(self, ledger: ClockedLedger) -> None:
        planned(ledger)
        begin(ledger)
        ledger.settle("j")
        assert "overtaken" not in ledger.events()


class TestWithdraw:
    """The planner takes back what it planned."""

    def test_what_waits_ends_as_suppressed(self, ledger: ClockedLedger) -> None:
        planned(ledger)
        assert take_back(ledger) is State.SUPPRESSED
        assert take_back(ledger) is State.SUPPRESSED
        assert ledger.events().count("withdrawn") == 1

    def test_what_is_under_way_is_not_tried_again(self, ledger: ClockedLedger) -> None:
        planned(ledger)
        begin(ledger)
        assert take_back(ledger) is State.SENDING
        assert ledger.settle("j", 1, AttemptOutcome.NOT_SENT, State.READY) is State.SUPPRESSED

    def test_what_has_ended_stays_as_it_is(self, ledger: ClockedLedger) -> None:
        planned(ledger)
        begin(ledger)
        ledger.settle("j")
        assert take_back(ledger) is State.ACCEPTED

    def test_of_nothing_it_gives_nothing(self, ledger: ClockedLedger) -> None:
        assert take_back(ledger) is None

    def test_what_was_withdrawn_before_it_came_is_not_taken_in(self, ledger: ClockedLedger) -> None:
        """A planner that stood still enqueues what another has withdrawn meanwhile."""
        wants = References(SALT).wants([(CAMPAIGN, REVIEWER)], None)
        take_back(ledger)
        for _ in range(2):
            refused = ledger.enqueue("j", wants=wants)
            assert (refused.code, refused.id, refused.state) == ("withdrawn", "j", None)
        together = ledger.enqueue_together({"job": "j", "wants": wants}, {"job": "k"})
        assert [each.code for each in together if isinstance(each, Enqueued)] == [
            "withdrawn",
            "enqueued",
        ]
        assert ledger.dispatch().jobs == ("k",)

        note = redis_keys.WITHDRAWN + "j"
        assert 13 * 86400 < cast("float", ledger.redis.ttl(note)) <= 14 * 86400


class TestReferences:
    """Redis tells nobody who reviews."""

    def test_they_name_nobody_and_differ_by_campaign_and_tenant(self) -> None:
        references = References(SALT)
        told = references.wants([(CAMPAIGN, REVIEWER)], 1.5)
        assert told.startswith("1500 ")
        assert REVIEWER not in told
        assert references.reviewer("a", "x") != references.reviewer("b", "x")
        assert references.campaign("a") != References(b"t" * 32).campaign("a")

    def test_one_fits_into_what_redis_packs(self) -> None:
        assert len(References(SALT).wants([(CAMPAIGN, REVIEWER)], 4e9)) <= 64


class TestMarks:
    """They are few, and go by themselves."""

    def test_thousands_are_set_at_once_and_expire(
        self, ledger: ClockedLedger, marks: UnwantedMarks
    ) -> None:
        marks.set_reviewers("q", {f"r{n}": ReviewerMark.COMPLETE for n in range(1_200)})
        key = f"{redis_keys.UNWANTED}acme:{References(SALT).campaign('q')}"
        found: Any = ledger.redis.hlen(key)
        assert found == 1_200
        kept: Any = ledger.redis.ttl(key)
        assert 59 * 86400 < kept <= 60 * 86400

        marks.set_reviewers("q", dict.fromkeys((f"r{n}" for n in range(1_200)), None))
        assert not ledger.redis.exists(key)


def take_back(ledger: ClockedLedger) -> State | None:
    return run(ledger.redis, withdraw(JobId("j"), "moved: to another day", clock=ledger.now))


def last_event(ledger: ClockedLedger) -> tuple[str, str]:
    entries: Any = ledger.redis.xrevrange(redis_keys.EVENTS, count=1)
    fields = entries[0][1]
    return fields[b"type"].decode(), fields[b"reason"].decode().partition(":")[0]
