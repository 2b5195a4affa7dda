"""What may leave when, on real servers, under a supplied clock.

Mailboxes, projects, minutes, days, slots.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import RefusedBy, Suspension, claim, run, spend, suspend_lane
from certmail_config.ledger.delivery import DOORBELL_LEASE_SECONDS, UNANSWERED_PER_WORKER
from support.machine.clocked_ledger import ClockedLedger

HOUR, DAY = 3600.0, 86400.0
INTERVAL = 60 / (60 * 0.98)


def lanes_of(left: list[tuple[float, str]]) -> str:
    return "".join(job[0] for _, job in left)


class TestMailboxes:
    def test_a_mailbox_sends_at_98_percent_of_its_rate_without_a_burst(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 200)
        left = ledger.leave(60, patient=False)
        assert len(left) == 59
        assert min(after - before for (before, _), (after, _) in pairwise(left)) > INTERVAL - 0.03

    @pytest.mark.parametrize(("units", "a_minute"), [(6000, 59), (15000, 147)])
    def test_both_generations_of_quota(
        self, ledger: ClockedLedger, units: int, a_minute: int
    ) -> None:
        ledger.lane("a", units=units)
        ledger.fill("a", 200)
        assert len(ledger.leave(60)) == a_minute

    def test_a_mailbox_that_rested_begins_without_a_burst(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 1)
        assert len(ledger.leave(10)) == 1
        for n in range(1, 10):
            ledger.enqueue(f"a{n}")
        assert len(ledger.leave(1)) == 1

    @pytest.mark.parametrize(("late", "at_once"), [(0.9, 1), (2.0, 2), (3600.0, 3)])
    def test_lateness_of_our_own_is_made_up_for_up_to_a_point(
        self, ledger: ClockedLedger, late: float, at_once: int
    ) -> None:
        ledger.fill("a", 10)
        assert len(ledger.dispatch().jobs) == 1
        ledger.redis.delete(redis_keys.FLYING + "m-a")
        ledger.now += INTERVAL + late
        ledger.works("w", 100)
        assert len(ledger.dispatch().jobs) == at_once

    def test_two_connections_to_one_mailbox_share_its_pace_and_take_turns(
        self, ledger: ClockedLedger
    ) -> None:
        for lane in ("b", "c"):
            ledger.lane(lane, mailbox="m-a")
        for lane in ("a", "b", "c"):
            ledger.fill(lane, 20)
        left = lanes_of(ledger.leave(30))
        assert len(left) == 30
        assert {lane: left.count(lane) for lane in "abc"} == {"a": 10, "b": 10, "c": 10}

    def test_another_mailbox_does_not_wait(self, ledger: ClockedLedger) -> None:
        ledger.lane("b")
        ledger.fill("a", 5)
        ledger.fill("b", 1)
        assert set(ledger.dispatch().jobs) == {"a0", "b0"}

    def test_an_urgent_reminder_overtakes_its_own_lane(self, ledger: ClockedLedger) -> None:
        ledger.enqueue("old")
        ledger.enqueue("urgent", priority=0)
        assert ledger.dispatch().jobs == ("urgent",)

    def test_a_new_mailbox_warms_up_in_daily_steps(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", warm_up_days=3, per_day=2000)
        ledger.fill("a", 300)
        sent = []
        for _ in range(4):
            sent.append(len(ledger.leave(60)))
            ledger.now += DAY - 60
        assert sent == pytest.approx([15, 30, 45, 59], abs=1)

    def test_it_warms_up_to_its_day_too(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", warm_up_days=1, per_day=20)
        ledger.fill("a", 50)
        assert len(ledger.leave(300, step=0.2)) == 10


class TestRoom:
    def test_no_more_than_the_limit_is_in_flight_and_a_settle_lets_the_next_go(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 6)
        flown: list[JobId] = []

        for _ in range(20):
            for job in ledger.dispatch().jobs:
                ledger.begin(ledger.claim(job))
                flown.append(job)
            ledger.now += 1.1

        assert len(flown) == 4
        ledger.settle(flown[0])
        assert len(ledger.dispatch().jobs) == 1

    def test_three_hanging_sends_of_one_mailbox_delay_no_other(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", in_flight=3)
        ledger.lane("b")
        ledger.fill("a", 10)
        for _ in range(3):
            ledger.begin(ledger.claim(ledger.dispatch().jobs[0]))
            ledger.now += 1.1
        ledger.fill("b", 1)
        assert ledger.dispatch().jobs == ("b0",)

    def test_nothing_is_leased_beyond_what_workers_can_hold(self, ledger: ClockedLedger) -> None:
        ledger.works("w", 2)
        for n in range(4):
            ledger.lane(f"l{n}")
            ledger.enqueue(f"j{n}", lane=f"l{n}")
        assert len(ledger.dispatch().jobs) == 2
        assert ledger.dispatch().jobs == ()

    def test_no_more_doorbells_are_out_than_workers_answer_in_time(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.works("w", 100)
        for n in range(2 * UNANSWERED_PER_WORKER):
            ledger.lane(f"l{n}")
            ledger.enqueue(f"j{n}", lane=f"l{n}")
        rung = ledger.dispatch().jobs
        assert len(rung) == UNANSWERED_PER_WORKER
        assert ledger.dispatch().jobs == ()

        ledger.claim(rung[0])
        assert len(ledger.dispatch().jobs) == 1

    def test_more_doorbells_are_out_where_workers_are_known_to_answer_more(
        self, ledger: ClockedLedger
    ) -> None:
        most = UNANSWERED_PER_WORKER + 5
        for n in range(2 * UNANSWERED_PER_WORKER):
            ledger.lane(f"l{n}")
            ledger.enqueue(f"j{n}", lane=f"l{n}")

        step = ledger.dispatch(unanswered=most)
        assert (len(step.jobs), step.unanswered) == (most, most)
        ledger.claim(step.jobs[0])
        assert ledger.dispatch(unanswered=UNANSWERED_PER_WORKER - 1).unanswered == most - 1

    def test_lost_doorbells_make_room_when_their_leases_end(self, ledger: ClockedLedger) -> None:
        for n in range(2 * UNANSWERED_PER_WORKER):
            ledger.lane(f"l{n}")
            ledger.enqueue(f"j{n}", lane=f"l{n}")
        ledger.dispatch()
        ledger.now += DOORBELL_LEASE_SECONDS
        ledger.reap()
        assert len(ledger.dispatch().jobs) == UNANSWERED_PER_WORKER

    def test_nothing_is_leased_when_no_worker_lives(self, ledger: ClockedLedger) -> None:
        ledger.works("w", 0)
        ledger.enqueue("j")
        assert ledger.dispatch().jobs == ()

    def test_a_stale_doorbell_costs_the_mailbox_no_time(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 3)
        [job] = ledger.dispatch().jobs
        ledger.now += 2.1
        call = claim(job, worker="w", nonce="n", lease_seconds=45, clock=ledger.now)
        assert run(ledger.redis, call) == RefusedBy("stale")
        assert len(ledger.dispatch().jobs) == 3, "it, and the two that are late by now"


class TestMinutes:
    def test_a_request_counts_until_a_minute_after_its_end(self, ledger: ClockedLedger) -> None:
        """Google counts it when it arrives, which is any time between its begin and its end."""
        ledger.lane("a", units=200)  # two a minute
        ledger.fill("a", 4)
        ledger.fly("a0")
        ledger.now += 30.7
        ledger.fly("a1")
        ledger.now += 14
        ledger.settle("a0")
        ended = ledger.now
        ledger.now += 30
        assert ledger.dispatch().jobs == (), "a minute after its begin, but not after its end"

        ledger.settle("a1")
        ledger.now = ended + 60
        assert ledger.dispatch().jobs == ()

        ledger.now += 0.2
        assert ledger.dispatch().jobs == ("a2",)

    def test_what_waits_for_a_request_to_end_goes_on_when_it_has(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.lane("a", units=100)  # one a minute
        ledger.fill("a", 2)
        ledger.fly("a0")
        ledger.now += 70
        assert ledger.dispatch().jobs == ()

        ledger.settle(
            "a0", outcome=AttemptOutcome.NOT_SENT, to=State.SCHEDULED, at=ledger.now + 1e5
        )
        assert ledger.dispatch().jobs == ("a1",)

    def test_begin_refuses_what_lowered_limits_no_longer_allow(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", units=300)
        ledger.fill("a", 3)
        ledger.fly("a0")
        ledger.now += 20.5
        job = ledger.claim(ledger.dispatch().jobs[0])
        ledger.lane("a", units=100)
        assert ledger.try_to_begin(job) == RefusedBy("minute_full")
        assert ledger.state(job.id) is State.READY

    @pytest.mark.parametrize(
        ("limits", "why"),
        [
            ({"project_units_per_minute": 100}, "project_full"),
            ({"per_day": 1}, "day_full"),
            ({"project_units_per_day": 100}, "day_full"),
        ],
    )
    def test_so_it_does_for_projects_and_days(
        self, ledger: ClockedLedger, limits: dict[str, Any], why: str
    ) -> None:
        ledger.fill("a", 2)
        ledger.fly("a0")
        ledger.now += 1.1
        job = ledger.claim(ledger.dispatch().jobs[0])
        ledger.lane("a", **limits)
        assert ledger.try_to_begin(job) == RefusedBy(why)

    @pytest.mark.parametrize(
        ("outcome", "to", "left"),
        [
            (AttemptOutcome.ACCEPTED, State.ACCEPTED, (1, 1)),
            (AttemptOutcome.UNKNOWN, State.UNCERTAIN, (1, 1)),
            (AttemptOutcome.REJECTED, State.FAILED, (1, 0)),
            (AttemptOutcome.NOT_SENT, State.FAILED, (0, 0)),
        ],
    )
    def test_what_each_outcome_leaves_in_the_minute_and_in_the_day(
        self, ledger: ClockedLedger, outcome: AttemptOutcome, to: State, left: tuple[int, int]
    ) -> None:
        ledger.enqueue("j")
        ledger.fly("j")
        for window in ("m-a:p", "p"):
            assert ledger.redis.zcard(redis_keys.WINDOW + window) == 1
        ledger.settle("j", outcome=outcome, to=to)
        for window, day in (("m-a:p", "m-a"), ("p", "p")):
            assert ledger.redis.zcard(redis_keys.WINDOW + window) == left[0]
            assert int(ledger.field(redis_keys.DAY + day, "total")) == left[1]

    def test_looking_among_the_sent_mails_is_paid_for(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", units=300)
        ledger.fill("a", 5)
        call = spend(ConnectionId("a"), 105, nonce="n", clock=ledger.now)
        assert [run(ledger.redis, call), run(ledger.redis, call)] == [True, True]
        assert len(ledger.leave(61, step=0.1)) == 1


class TestProjects:
    def test_lanes_blocked_by_their_project_get_equal_shares(self, ledger: ClockedLedger) -> None:
        for n in range(10):
            ledger.lane(f"l{n}", project="q", project_units_per_minute=6000)
            ledger.fill(f"l{n}", 20)
        left = ledger.leave(100, step=0.1, patient=False)
        shares = [sum(job.startswith(f"l{n}") for _, job in left) for n in range(10)]
        assert sum(shares) in range(98, 102)
        assert max(shares) - min(shares) <= 1, shares

    def test_a_long_lane_gets_no_more_than_a_short_one_until_that_is_empty(
        self, ledger: ClockedLedger
    ) -> None:
        for lane, count in (("b", 100), ("c", 5)):
            ledger.lane(lane, project="q", project_units_per_minute=3000)
            ledger.fill(lane, count)
        left = lanes_of(ledger.leave(40, step=0.1))
        assert left[:10].count("c") == 5
        assert set(left[10:]) == {"b"}

    def test_what_a_project_lets_leave_gathers_for_a_moment(self, ledger: ClockedLedger) -> None:
        """One by one, each would cost a step of the pacer, a round trip and a sync."""
        for n in range(300):
            ledger.lane(f"l{n}", project="q", project_units_per_minute=600_000)
            ledger.fill(f"l{n}", 1)

        ledger.works("w", 1000)
        at_once = ledger.dispatch(1000, unanswered=1000)
        assert len(at_once.jobs) > 200, "as much as lateness would be made up for"
        assert at_once.next_in == 0.1

        rung: list[JobId] = []
        for _ in range(3):
            ledger.now += 0.1
            rung += ledger.dispatch(1000, unanswered=1000).jobs
        assert len(rung) in {29, 30}, "98 a second: no slot is lost by it"

    def test_another_project_does_not_wait(self, ledger: ClockedLedger) -> None:
        for lane, project in (("b", "q"), ("c", "q"), ("d", "r")):
            ledger.lane(lane, project=project, project_units_per_minute=100)
            ledger.fill(lane, 1)
        assert ledger.dispatch().jobs == ("b0", "d0")

    def test_a_lane_that_is_stopped_while_it_waits_for_its_project_loses_its_place(
        self, ledger: ClockedLedger
    ) -> None:
        for lane in ("b", "c", "d"):
            ledger.lane(lane, project="q", project_units_per_minute=100)
            ledger.fill(lane, 1)

        [first] = ledger.dispatch().jobs
        assert first == "b0"
        run(
            ledger.redis, suspend_lane(ConnectionId("c"), Suspension("x", "y", 1), clock=ledger.now)
        )
        ledger.begin(ledger.claim(first))
        ledger.settle(first)
        ledger.now += 61
        assert ledger.dispatch().jobs == ("d0",)

    def test_a_lane_that_moves_to_another_project_waits_for_the_old_one_no_longer(
        self, ledger: ClockedLedger
    ) -> None:
        for lane in ("b", "c"):
            ledger.lane(lane, project="q", project_units_per_minute=100)
            ledger.fill(lane, 1)

        [first] = ledger.dispatch().jobs
        ledger.begin(ledger.claim(first))
        ledger.lane("c", project="r")
        ledger.settle(first)
        ledger.now += 61
        assert ledger.dispatch().jobs == ("c0",)
        assert not ledger.redis.exists(redis_keys.QUEUE + "q")


class TestDays:
    def test_a_full_day_parks_the_lane_for_hours_and_expires_what_must(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.lane("a", per_day=5)
        ledger.fill("a", 6)
        ledger.enqueue("short", expires_at=ledger.now + 2 * HOUR, priority=9)
        assert len(ledger.leave(30, step=0.1)) == 5

        step = ledger.dispatch()
        assert step.next_in is not None
        assert DAY - 60 < step.next_in <= DAY + 300

        ledger.now += 2 * HOUR + 1
        ledger.reap()
        assert ledger.state("short") is State.EXPIRED

        ledger.now += 22 * HOUR
        assert len(ledger.leave(600, step=0.5)) == 1, "the sixth, as the first five are a day ago"

    def test_other_mailboxes_of_the_tenant_go_on(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", per_day=1)
        ledger.lane("b")
        for lane in ("a", "b"):
            ledger.fill(lane, 5)
        assert lanes_of(ledger.leave(10, step=0.1)).count("b") == 5

    def test_the_day_slides_in_steps_of_five_minutes(self, ledger: ClockedLedger) -> None:
        ledger.lane("a", per_day=4)
        ledger.fill("a", 40)
        start = ledger.now
        assert len(ledger.leave(2)) == 2

        ledger.now = start + HOUR
        assert len(ledger.leave(4)) == 2
        ledger.now = start + DAY - 1
        assert ledger.leave(2) == []

        ledger.now = start + DAY + 301
        assert len(ledger.leave(10)) == 2
        ledger.now = start + DAY + HOUR + 301
        assert len(ledger.leave(10)) == 2

    def test_a_day_counts_for_all_connections_to_the_mailbox_whatever_their_project(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.lane("a", per_day=3)
        ledger.lane("b", mailbox="m-a", project="q", per_day=3)
        for lane in ("a", "b"):
            ledger.fill(lane, 5)
        assert len(ledger.leave(30, step=0.1)) == 3

    def test_a_project_has_a_day_of_its_own(self, ledger: ClockedLedger) -> None:
        for lane in ("b", "c"):
            ledger.lane(lane, project="q", project_units_per_day=400)
            ledger.fill(lane, 5)
        assert len(ledger.leave(30, step=0.1)) == 4
        ledger.now += DAY + 301
        assert len(ledger.leave(30, step=0.1)) == 4
