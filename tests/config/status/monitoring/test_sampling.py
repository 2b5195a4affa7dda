"""What metrics learn of lanes, and since when a job that is leased might have left."""

from __future__ import annotations

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Pause, pause, run
from certmail_config.ledger.survey import LaneSample, sample
from support.machine.clocked_ledger import ClockedLedger

A_MINUTE = 120
"""So many sends may the project make."""


def look(ledger: ClockedLedger, *lanes: str) -> tuple[LaneSample, ...]:
    page = run(ledger.redis, sample([ConnectionId(lane) for lane in lanes], clock=ledger.now))
    assert abs(page.at - ledger.now) < 0.001
    return page.lanes


def late(ledger: ClockedLedger, job: str) -> float:
    """How late a job that was leased would begin now."""
    leave_at = ledger.claim(job).leave_at
    assert leave_at is not None
    return round(ledger.now - leave_at, 2)


class TestSample:
    def test_a_lane_is_told_with_what_waits_in_it(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 3)
        ledger.now += 5
        ledger.enqueue("urgent", priority=0)
        ledger.enqueue("late", state=State.SCHEDULED, send_at=ledger.now + 600)
        [found] = look(ledger, "a")
        assert (found.state, found.tenant, found.ready, found.scheduled) == ("open", "acme", 4, 1)
        assert found.first_at == ledger.now, "the urgent one is the next to leave"

    def test_what_is_used_of_limits_is_told_as_a_part_of_them(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", per_day=20, project_units_per_minute=100 * A_MINUTE)
        ledger.lane("b")
        ledger.fill("a", 10)
        assert len(ledger.leave(6)) == 6
        [found] = look(ledger, "a")
        mailbox, project = found.mailbox, found.project
        assert mailbox is not None
        assert project is not None
        assert (mailbox.minute, mailbox.day, mailbox.cooling) == (0.1, 0.3, False)
        assert (project.minute, project.cooling) == (6 / A_MINUTE, False)

    def test_a_mailbox_that_waits_for_a_time_is_told_so(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        pause_for = Pause(ledger.now + 60, named=True)
        ledger.settle(
            "j",
            ledger.attempts("j"),
            outcome=AttemptOutcome.REJECTED,
            to=State.READY,
            pause=pause_for,
        )
        [found] = look(ledger, "a")
        assert found.mailbox is not None
        assert found.project is not None
        assert (found.mailbox.cooling, found.project.cooling) == (True, False)

    def test_paused_suspended_and_unknown_lanes(self, ledger: ClockedLedger) -> None:
        ledger.lane("s", opened=False)
        assert [lane.state for lane in look(ledger, "a", "nobody", "s")] == ["open", "suspended"]
        run(ledger.redis, pause("acme", on=True, reason="r", clock=ledger.now))
        assert [lane.state for lane in look(ledger, "a", "s")] == ["paused", "paused"]

    @pytest.mark.parametrize("field", ["per_day", "units_per_minute", "send_units", "project"])
    def test_one_that_somebody_has_altered_hides_no_other(
        self, ledger: ClockedLedger, field: str
    ) -> None:
        ledger.lane("b")
        ledger.redis.hset(redis_keys.LANE_INFO + "a", field, "no number")
        assert look(ledger, "a", "b")[-1].tenant == "acme"
        ledger.redis.delete(redis_keys.LANE + "b")
        ledger.redis.set(redis_keys.LANE + "b", "no zset")
        assert len(look(ledger, "b", "a")) <= 1

    def test_it_changes_nothing_that_counts(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 10)
        ledger.leave(3)
        before = {key: ledger.redis.dump(key) for key in sorted(ledger.redis.keys())}
        look(ledger, "a")
        assert {key: ledger.redis.dump(key) for key in sorted(ledger.redis.keys())} == before


class TestLateness:
    def test_a_job_that_leaves_when_its_lane_may_send_is_not_late(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 2)
        ledger.now += 0.2
        [first] = ledger.dispatch().jobs
        assert late(ledger, first) == 0.2
        ledger.begin(ledger.claim(first))
        ledger.settle(first)

        ledger.now += 0.9
        [second] = ledger.dispatch().jobs
        assert 0 <= late(ledger, second) < 0.2, "its slot came after the first's"

    def test_a_pacer_that_stood_still_makes_it_late(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.now += 300
        ledger.works("w", 100)
        assert ledger.dispatch().jobs == ("j",)
        assert late(ledger, "j") == 300

    def test_a_scheduled_one_counts_from_when_it_came_into_its_lane(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j", state=State.SCHEDULED, send_at=ledger.now + 600)
        ledger.now += 600
        ledger.reap()
        ledger.now += 1
        assert ledger.dispatch().jobs == ("j",)
        assert late(ledger, "j") == 1

    def test_waiting_for_a_project_is_no_lateness(self, ledger: ClockedLedger) -> None:
        for lane in "abcd":
            ledger.lane(lane, project_units_per_minute=100 * A_MINUTE)
            ledger.fill(lane, 1)
        seen = []
        for _ in range(400):
            seen += [late(ledger, job) for job in ledger.dispatch().jobs]
            ledger.now += 0.01
        assert len(seen) == 4
        assert max(seen) < 0.1

    def test_that_an_operator_let_nothing_leave_is_no_lateness(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        run(ledger.redis, pause("*", on=True, reason="r", clock=ledger.now))
        ledger.now += 3600
        assert ledger.dispatch().jobs == ()
        run(ledger.redis, pause("*", on=False, reason="r", clock=ledger.now))
        ledger.now += 0.5
        ledger.works("w", 100)
        assert ledger.dispatch().jobs == ("j",)
        assert late(ledger, "j") == 0.5

    def test_a_lease_that_an_older_certmail_has_given_says_nothing(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        ledger.redis.hdel(redis_keys.JOB + "j", "leave_at")
        assert ledger.claim("j").leave_at is None

    @pytest.mark.parametrize("value", ["", "x", "-1", "9" * 5000, "inf"])
    def test_nor_does_what_somebody_else_has_written(
        self, ledger: ClockedLedger, value: str
    ) -> None:
        ledger.enqueue("j")
        ledger.dispatch()
        ledger.redis.hset(redis_keys.JOB + "j", "leave_at", value)
        assert ledger.claim("j").leave_at is None

    def test_it_is_forgotten_with_the_lease(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        assert ledger.redis.hexists(redis_keys.JOB + "j", "leave_at")
        ledger.settle("j")
        ledger.enqueue("k")
        ledger.now += 2
        ledger.fly("k")
        ledger.settle("k", outcome=AttemptOutcome.NOT_SENT, to=State.READY)
        for job in "jk":
            assert not ledger.redis.hexists(redis_keys.JOB + job, "leave_at")
