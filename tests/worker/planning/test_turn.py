"""The planner on real stores: what becomes a job when, what is withdrawn, and what goes wrong.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from sqlalchemy import select

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.campaigns.running.states import CampaignState, MomentState
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.campaigns import reviewers
from certmail_config.sql.campaigns.campaigns import touch_some
from certmail_config.sql.campaigns.planning import count_failing, failing_campaigns
from certmail_worker.doctor.checks.campaigns import campaigns as said_of
from certmail_worker.doctor.checks.findings import Severity
from certmail_worker.planning.turn import due_tenants, plan_slice
from certmail_worker.recording.consistency import check
from support.campaigns.kept import a_campaign, a_reviewer
from support.campaigns.running import RunningCampaigns

MONDAY: Final = datetime(2040, 11, 5, 6, tzinfo=UTC)
"""Before anybody works."""
WRITTEN_RULES: Final = [
    {"id": "start", "on": "start"},
    {"id": "regular", "every": "3 working days", "at_most": 5},
]
WRITTEN: Final[dict[str, Any]] = {
    "start": "2040-11-05T09:00:00+00:00",
    "due": "2040-11-23T17:00:00+00:00",
    "time_zone": "UTC",
}


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        vault_keys=(("k1", os.urandom(32)),),
    )
    with open_admin(settings) as made:
        assert check(made.redis, made.engine)
        yield made


@pytest.fixture
def running(admin: Admin) -> RunningCampaigns:
    return RunningCampaigns(admin, MONDAY)


def campaign(**changes: Any) -> Any:
    return a_campaign(**(WRITTEN | changes))


def people(count: int = 3, **fields: Any) -> list[Any]:
    return [a_reviewer(f"r{n}", pending=4, **fields) for n in range(count)]


class TestAhead:
    """The next mail of each is a job, and whatever leaves within a day and a half."""

    def test_the_next_becomes_a_job_that_says_what_the_plan_says(
        self, running: RunningCampaigns
    ) -> None:
        running.put(campaign(), people(1, name="Rae"))
        [planned] = running.plan()
        assert (planned.enqueued, planned.withdrawn, planned.failed) == (1, 0, {})

        [(_, first)] = running.waiting()
        assert first.kind == "notice"
        assert first.send_at == datetime(2040, 11, 5, 9, tzinfo=UTC)
        # The next of its series ends it, and is no job yet.
        assert first.expires_at == datetime(2040, 11, 8, 9, tzinfo=UTC)
        assert (first.name, first.pending, first.campaign) == ("Rae", 4, "2026-q4")
        assert first.link == "https://iga.acme.example/c/2026-q4?r=r0"

    def test_days_ahead_if_nothing_comes_before_it(self, running: RunningCampaigns) -> None:
        """So whoever plans may be away until then, and nobody misses it."""
        running.put(campaign(), people(1))
        running.pass_time(datetime(2040, 11, 5, 18, tzinfo=UTC))
        [(_, following)] = running.waiting()
        assert following.send_at == datetime(2040, 11, 8, 9, tzinfo=UTC)

    def test_what_leaves_the_day_after_does_not_wait_until_the_first_is_over(
        self, running: RunningCampaigns
    ) -> None:
        running.put(campaign(rule=[{"id": "daily", "every": "1 working day"}]), people(1))
        running.pass_time(datetime(2040, 11, 6, 12, tzinfo=UTC))
        assert [each.send_at.day for _, each in running.waiting() if each.send_at] == [7]
        assert len(running.delivered) == 1

    def test_planned_again_nothing_changes(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people())
        running.plan()
        before = running.waiting()
        for _ in range(3):
            running.change(campaign())
            [again] = running.plan()
            assert (again.enqueued, again.withdrawn) == (0, 0)
        assert running.waiting() == before

    def test_within_the_day_as_well(self, running: RunningCampaigns) -> None:
        """What may leave by now is planned for now, each time anew."""
        running.put(campaign(), people())
        for minutes in (0, 200, 400, 401):
            running.move_to(MONDAY + timedelta(minutes=minutes))
            running.change(campaign())
            running.plan()
        assert Counter(each.kind for _, each in running.waiting())["notice"] == 3
        assert not any(state == "suppressed" for state in states(running))

    def test_it_is_looked_at_again_when_the_next_comes_near(
        self, running: RunningCampaigns
    ) -> None:
        running.put(campaign(), people(1))
        running.plan()
        assert running.plan() == []
        running.pass_time(datetime(2040, 12, 20, tzinfo=UTC))
        kinds = Counter(each.reminder.kind for each in running.delivered)
        assert kinds == {"notice": 1, "reminder": 4}
        assert all(9 <= each.at.hour < 17 for each in running.delivered)


class TestChanges:
    """What moves, ends or is replaced."""

    def test_a_due_date_that_moves_moves_what_is_counted_from_it(
        self, running: RunningCampaigns
    ) -> None:
        rule = [{"id": "before", "before_due": [7, 1]}]
        running.put(campaign(rule=rule, due="2040-11-14T17:00:00+00:00"), people(2))
        running.plan()
        assert {each.send_at.day for _, each in running.waiting() if each.send_at} == {7}

        running.change(campaign(rule=rule, due="2040-11-16T17:00:00+00:00"))
        [planned] = running.plan()
        assert (planned.enqueued, planned.withdrawn) == (2, 2)
        assert {each.send_at.day for _, each in running.waiting() if each.send_at} == {9}

        running.pass_time(datetime(2040, 12, 1, tzinfo=UTC))
        assert Counter(each.reminder.kind for each in running.delivered) == {
            "reminder": 2,
            "final": 2,
        }

    def test_what_went_is_not_sent_again_wherever_its_day_moves(
        self, running: RunningCampaigns
    ) -> None:
        rule = [{"id": "before", "before_due": [7, 1]}]
        running.put(campaign(rule=rule, due="2040-11-12T17:00:00+00:00"), people(1))
        running.pass_time(datetime(2040, 11, 6, tzinfo=UTC))
        assert len(running.delivered) == 1

        running.change(campaign(rule=rule, due="2040-11-20T17:00:00+00:00"))
        running.pass_time(datetime(2040, 12, 1, tzinfo=UTC))
        assert [each.reminder.kind for each in running.delivered] == ["reminder", "final"]

    def test_who_is_done_gets_nothing_more(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people(2))
        running.plan()
        running.complete("2026-q4", "r0")
        [planned] = running.plan()
        assert planned.withdrawn == 1
        running.pass_time(datetime(2040, 12, 1, tzinfo=UTC))
        assert {each.reminder.to for each in running.delivered} == {"r1@people.example"}

    def test_a_mail_says_what_is_left_when_it_leaves(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people(1))
        running.plan()
        running.progress("2026-q4", "r0", pending=1)
        [planned] = running.plan()
        assert (planned.enqueued, planned.withdrawn) == (0, 0), "that can wait"
        running.pass_time(datetime(2040, 11, 6, tzinfo=UTC))
        [notice] = running.delivered
        assert notice.reminder.pending == 1

    def test_a_pause_is_caught_up_on_once(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people(1))
        running.pass_time(datetime(2040, 11, 6, tzinfo=UTC))
        running.set_state("2026-q4", CampaignState.PAUSED)
        running.pass_time(datetime(2040, 11, 16, 3, tzinfo=UTC))
        assert len(running.delivered) == 1
        running.set_state("2026-q4", CampaignState.RUNNING)
        running.pass_time(datetime(2040, 11, 17, tzinfo=UTC))
        assert len(running.delivered) == 2

    def test_what_was_stopped_stays_so(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people(2))
        running.plan()
        running.set_state("2026-q4", CampaignState.STOPPED)
        running.pass_time(datetime(2040, 12, 1, tzinfo=UTC))
        assert running.delivered == []
        assert running.waiting() == []
        assert {each.state for each in running.moments("2026-q4")} == {MomentState.WITHDRAWN}

    def test_each_job_that_is_called_off_says_why(self, running: RunningCampaigns) -> None:
        def ends() -> dict[str, int]:
            running.plan()
            running.record()
            return dict(Counter(reasons(running).values()))

        running.put(campaign(), people(3))
        assert ends() == {"": 3}
        running.complete("2026-q4", "r0")
        assert ends() == {"": 2, "review_complete": 1}
        running.remove("2026-q4", "r1")
        assert ends() == {"": 1, "review_complete": 1, "reviewer_withdrawn": 1}
        running.set_state("2026-q4", CampaignState.PAUSED)
        running.plan()
        running.set_state("2026-q4", CampaignState.RUNNING)
        running.change(campaign(rule=[{"id": "start", "on": "start"}]))
        ended = {"review_complete": 1, "reviewer_withdrawn": 1, "campaign_paused": 1}
        assert ends() == {"": 1, **ended}
        running.set_state("2026-q4", CampaignState.STOPPED)
        assert ends() == {"campaign_stopped": 1, **ended}

        states_kept = {(each.state, each.outcome) for each in running.moments("2026-q4")}
        assert states_kept == {(MomentState.WITHDRAWN, "suppressed")}

    def test_a_deputy_gets_what_goes_on_their_days(self, running: RunningCampaigns) -> None:
        away = people(
            1, deputy="d@people.example", deputy_from="2040-11-07", deputy_until="2040-11-09"
        )
        running.put(campaign(), away)
        running.pass_time(datetime(2040, 11, 14, tzinfo=UTC))
        assert [each.reminder.to for each in running.delivered] == [
            "r0@people.example", "d@people.example", "r0@people.example",
        ]  # fmt: skip

    def test_several_campaigns_meet_in_a_digest(self, running: RunningCampaigns) -> None:
        running.put(campaign(id="a"), people(1))
        running.put(campaign(id="b"), people(1))
        running.pass_time(datetime(2040, 11, 6, tzinfo=UTC))
        [each] = running.delivered
        assert each.reminder.kind == "digest"
        assert len(each.reminder.campaigns or ()) == 2

        # Both campaigns know that it went, and the one that goes on does so alone.
        running.complete("a", "r0")
        running.pass_time(datetime(2040, 11, 9, tzinfo=UTC))
        assert [each.reminder.kind for each in running.delivered] == ["digest", "reminder"]

    def test_the_manager_hears_after_reminders_that_were_accepted(
        self, running: RunningCampaigns
    ) -> None:
        rule = [
            {"id": "regular", "every": "1 working day", "at_most": 4},
            {"id": "boss", "escalate_after": 2},
        ]
        running.put(campaign(rule=rule), people(1, manager="boss@people.example", name="Rae"))
        refused = iter([AttemptOutcome.REJECTED])
        running.answer = lambda _: next(refused, AttemptOutcome.ACCEPTED)
        running.pass_time(datetime(2040, 11, 20, tzinfo=UTC))

        told = [each for each in running.delivered if each.reminder.kind == "escalation"]
        [escalation] = told
        assert escalation.reminder.to == "boss@people.example"
        assert (escalation.reminder.about, escalation.reminder.times_reminded) == ("Rae", 2)
        before = [each for each in running.delivered if each.at < escalation.at]
        assert len(before) >= 2


class TestByHand:
    """What somebody asks for comes beside what is planned."""

    def test_it_leaves_at_once_and_what_is_planned_stays(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people(2))
        running.move_to(datetime(2040, 11, 7, 20, tzinfo=UTC))
        running.plan()
        before = {job for job, _ in running.waiting()}
        running.ask_by_hand("2026-q4", "r0")
        [planned] = running.plan()
        assert (planned.enqueued, planned.withdrawn) == (1, 0)
        running.work()
        running.record()
        [asked] = running.delivered
        assert (asked.reminder.to, asked.at.hour) == ("r0@people.example", 20)
        assert before == {job for job, _ in running.waiting()}

    def test_of_who_is_done_nothing_comes_of_it(self, running: RunningCampaigns) -> None:
        running.put(campaign(), people(1))
        running.complete("2026-q4", "r0")
        running.ask_by_hand("2026-q4", "r0")
        running.plan()
        assert running.waiting() == []
        [asked] = running.moments("2026-q4")
        assert (asked.state, asked.outcome) == (MomentState.ENDED, "suppressed")


class TestTrouble:
    """One campaign harms itself alone; nothing is lost or doubled."""

    def test_a_campaign_that_cannot_be_planned_stops_no_other(
        self, running: RunningCampaigns
    ) -> None:
        running.put(campaign(id="good"), people(1))
        others = [a_reviewer("x1", pending=2)]
        running.put(campaign(id="nowhere", connection="elsewhere"), others)
        [planned] = running.plan()
        assert set(planned.failed) == {"nowhere"}
        assert planned.failed["nowhere"].startswith("unknown_connection")
        running.pass_time(datetime(2040, 11, 6, tzinfo=UTC))
        assert len(running.delivered) == 1

        with running.admin.db() as db:
            [failing] = failing_campaigns(db)
            assert count_failing(db) == 1
        assert failing.campaign.id == "nowhere"
        assert failing.failures > 1, "it is tried again"
        [finding] = said_of(running.admin.engine)
        assert (finding.check, finding.severity) == ("campaign acme nowhere", Severity.ERROR)
        assert "unknown_connection" in finding.message


class TestAnotherPlanner:
    """One that stood still goes on by what it knew, after another has planned what changed."""

    @pytest.fixture
    def running(self, running: RunningCampaigns) -> RunningCampaigns:
        running.put(campaign(), people())
        running.plan()
        return running

    def test_what_was_stopped_meanwhile_is_not_enqueued(self, running: RunningCampaigns) -> None:
        running.change(campaign(rule=[*WRITTEN_RULES, {"id": "more", "every": "1 working day"}]))
        plan_after(running, lambda: running.set_state("2026-q4", CampaignState.STOPPED))
        assert running.waiting() == []
        assert {each.state for each in running.moments("2026-q4")} == {MomentState.WITHDRAWN}

    def test_nor_what_no_rule_names_any_more(self, running: RunningCampaigns) -> None:
        running.change(campaign(rule=[*WRITTEN_RULES, {"id": "more", "every": "1 working day"}]))
        plan_after(running, lambda: running.change(campaign()))
        running.pass_time(datetime(2040, 11, 24, tzinfo=UTC))
        assert Counter(each.reminder.kind for each in running.delivered) == {
            "notice": 3,
            "reminder": 12,
        }

    def test_what_goes_on_meanwhile_is_not_withdrawn(self, running: RunningCampaigns) -> None:
        running.set_state("2026-q4", CampaignState.PAUSED)
        plan_after(running, lambda: running.set_state("2026-q4", CampaignState.RUNNING))
        assert len(running.waiting()) == 3
        running.pass_time(MONDAY + timedelta(hours=10))
        assert Counter(each.reminder.kind for each in running.delivered) == {"notice": 3}

    def test_who_comes_back_meanwhile_gets_theirs(self, running: RunningCampaigns) -> None:
        running.remove("2026-q4", "r0")

        def back() -> None:
            with running.admin.db() as db:
                reviewers.write_page(db, running.seals, "2026-q4", people(1))
                touch_some(db, running.tenant, "2026-q4", running.now)
            running.marks.set_reviewer("2026-q4", "r0", None)

        plan_after(running, back)
        running.pass_time(MONDAY + timedelta(hours=10))
        assert Counter(each.reminder.to for each in running.delivered)["r0@people.example"] == 1


def plan_after(running: RunningCampaigns, meanwhile: Callable[[], None]) -> None:
    """Plan by what is known now, while something happens and another planner plans that."""
    asked = 0

    def now() -> datetime:
        nonlocal asked
        asked += 1
        if asked == 2:  # it has read all that it plans by
            meanwhile()
            running.plan()
        return running.now

    due = due_tenants(running.admin, running.now)[running.tenant]
    plan_slice(running.admin, running.intake, running.tenant, due, now)


def reasons(running: RunningCampaigns) -> dict[str, str]:
    """Why each job is called off; empty where it is not."""
    with running.admin.db() as db:
        table = tables.deliveries.c
        return {
            job: (reason or "").partition(":")[0]
            for job, reason in db.execute(select(table.job, table.reason))
        }


def states(running: RunningCampaigns) -> list[str]:
    running.record()
    return list(running.states().values())
