"""Deciding what a repair of Redis does: nothing that left may leave again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, State
from certmail_config.ledger.upkeep import KnownAttempt, KnownJob
from certmail_worker.doctor.restore_plan import (
    UNKNOWN,
    Recorded,
    RestorePlan,
    RestoreStep,
    StepKind,
    WaitingJob,
    could_have_left,
    decide,
    done_lines,
    jobs_by_result,
    plan_lines,
)

JOB = JobId("j")
KNOWN = KnownJob("acme", "c", "reminder", "q4", "acme:k", "f", 1.0, 2.0, 3.0)
ONCE = (KnownAttempt(1, 1.0, "rejected", "{}"),)
OPEN = (KnownAttempt(1, 1.0, "", "{}"),)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALWAYS = datetime.min.replace(tzinfo=UTC)


def step(
    state: State, *, in_redis: bool, attempts: tuple[KnownAttempt, ...] = ()
) -> RestoreStep | None:
    return decide(Recorded(JOB, state, "why", attempts, KNOWN), in_redis=in_redis)


@pytest.mark.parametrize("in_redis", [True, False])
@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_ended_ends_as_the_record_says(state: State, in_redis: bool) -> None:
    done = step(state, in_redis=in_redis, attempts=ONCE)
    assert done is not None
    assert (done.kind, done.to, done.reason, done.attempts) == (StepKind.SETTLE, state, "why", ONCE)
    assert (done.known is None) == in_redis


@pytest.mark.parametrize("in_redis", [True, False])
def test_what_was_under_way_is_held(in_redis: bool) -> None:
    done = step(State.SENDING, in_redis=in_redis, attempts=OPEN)
    assert done is not None
    assert (done.kind, done.to, done.attempts[0].outcome) == (
        StepKind.HOLD,
        State.UNCERTAIN,
        "unknown",
    )


@pytest.mark.parametrize("in_redis", [True, False])
def test_what_was_uncertain_stays_so(in_redis: bool) -> None:
    done = step(State.UNCERTAIN, in_redis=in_redis)
    assert done is not None
    assert (done.kind, done.to, done.reason) == (StepKind.HOLD, State.UNCERTAIN, "why")


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED])
def test_what_waits_goes_on_waiting_and_its_attempts_are_counted(state: State) -> None:
    done = step(state, in_redis=True, attempts=ONCE)
    assert done is not None
    assert (done.kind, done.to, done.attempts) == (StepKind.KEEP, State.READY, ONCE)
    assert step(state, in_redis=True) is None


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED])
def test_what_was_enqueued_since_the_copy_and_had_not_left_is_lost(state: State) -> None:
    done = step(state, in_redis=False)
    assert done is not None
    assert (done.kind, done.to) == (StepKind.LOSE, State.FAILED)


def lane(count: int, *, until: datetime = NOON + timedelta(days=14)) -> list[WaitingJob]:
    return [WaitingJob(JobId(f"j{n:03}"), float(n), ALWAYS, until) for n in range(count)]


def held(waiting: list[WaitingJob], seconds: float, since: datetime | None = NOON) -> list[JobId]:
    return could_have_left(
        waiting, since=since, until=NOON + timedelta(seconds=seconds), per_minute=60, in_flight=4
    )


class TestWhatCouldHaveLeft:
    def test_as_many_as_the_mailboxs_limits_allow_and_the_first_of_the_lane(self) -> None:
        assert held(lane(100), 10) == [f"j{n:03}" for n in range(10 + 4 + 1)]

    def test_without_a_last_event_all_of_them(self) -> None:
        assert len(held(lane(100), 0, since=None)) == 100

    def test_not_those_whose_time_came_later_or_had_passed(self) -> None:
        later = WaitingJob(JobId("later"), 0.0, NOON + timedelta(hours=1), NOON + timedelta(days=1))
        passed = WaitingJob(JobId("passed"), 0.0, ALWAYS, NOON)
        due = WaitingJob(JobId("due"), 0.0, NOON + timedelta(seconds=5), NOON + timedelta(days=1))
        assert held([later, passed, due], 10) == ["due"]

    def test_what_expired_meanwhile_made_room_for_the_next(self) -> None:
        expiring = [
            WaitingJob(JobId(f"e{n}"), -1.0, ALWAYS, NOON + timedelta(seconds=1)) for n in range(20)
        ]
        assert len(held(expiring + lane(100), 10)) == 15 + 20

    def test_a_clock_that_went_back_still_leaves_what_was_in_flight(self) -> None:
        assert len(held(lane(100), -30)) == 5


def test_the_plan_says_what_it_would_do() -> None:
    steps = tuple(
        RestoreStep(kind, JobId(f"{kind}{n}"), State.FAILED, "")
        for kind in StepKind
        for n in range(len(kind))
    )
    lines = plan_lines(planned(steps, looked_up={"hold0", "hold1", "hold2"}))

    assert [line.split()[0] for line in lines[:4]] == ["6", "4", "4", "4"]
    assert lines[4].startswith(
        "3 of those that are held are looked up among the sent mails; the other 1 "
    )
    assert "12:00:00" in lines[-1]
    assert "12:01:30" in lines[-1]


class TestWhatWasDone:
    """It is counted by what became of each job, not by what was meant to."""

    STEPS = (
        RestoreStep(StepKind.HOLD, JobId("held"), State.UNCERTAIN, "why"),
        RestoreStep(StepKind.HOLD, JobId("known better"), State.UNCERTAIN, "why"),
        RestoreStep(StepKind.KEEP, JobId("accepted"), State.READY, "why"),
        RestoreStep(StepKind.LOSE, JobId("lost"), State.FAILED, "why", known=KNOWN),
        RestoreStep(StepKind.SETTLE, JobId("failed"), State.FAILED, "why", known=KNOWN),
        RestoreStep(StepKind.KEEP, JobId("gone"), State.READY, "why"),
        RestoreStep(StepKind.HOLD, JobId("closed"), State.UNCERTAIN, "why", closed=True),
    )
    STATES = (
        State.UNCERTAIN,
        State.READY,
        State.ACCEPTED,
        State.FAILED,
        State.FAILED,
        None,
        State.UNCERTAIN,
    )

    def test_each_job_is_where_it_is(self) -> None:
        assert jobs_by_result(planned(self.STEPS), self.STATES) == {
            StepKind.HOLD: ["held"],
            StepKind.KEEP: ["known better"],
            StepKind.SETTLE: ["accepted", "failed", "closed"],
            StepKind.LOSE: ["lost"],
            UNKNOWN: ["gone"],
        }

    def test_and_that_is_what_is_said(self) -> None:
        plan = planned(self.STEPS, looked_up={"held", "known better"})
        lines = done_lines(jobs_by_result(plan, self.STATES), plan)
        assert [line.split()[0] for line in lines] == ["3", "1", "1", "1", "1", "1"]
        assert lines[4] == "1 of those that are held are looked up among the sent mails"
        assert lines[5].endswith("nothing was done: gone")


def planned(steps: Sequence[RestoreStep], *, looked_up: Collection[str] = ()) -> RestorePlan:
    until = NOON + timedelta(seconds=90)
    return RestorePlan(
        "run", "2-0", "1-0", NOON, until, tuple(steps), frozenset(JobId(job) for job in looked_up)
    )


def test_what_somebody_left_at_not_knowing_is_not_asked_again() -> None:
    done = decide(Recorded(JOB, State.UNCERTAIN, "why", (), KNOWN, decided=True), in_redis=True)
    assert done is not None
    assert done.closed


def test_what_may_have_left_before_is_never_called_lost() -> None:
    done = step(State.READY, in_redis=False, attempts=OPEN)
    assert done is not None
    assert (done.kind, done.to) == (StepKind.HOLD, State.UNCERTAIN)
    assert done.known == KNOWN


def test_a_repair_that_was_interrupted_holds_no_more_than_it_would_have() -> None:
    held_now = could_have_left(
        lane(100),
        since=NOON,
        until=NOON + timedelta(seconds=10),
        per_minute=60,
        in_flight=4,
        held_before=10,
    )
    assert len(held_now) == 5
