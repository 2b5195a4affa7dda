"""Pauses of a mailbox or a project, and what goes first afterwards.

And when both go slower.
"""

from __future__ import annotations

from typing import Any

import pytest

from certmail_config.base import redis_keys
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Pause, RefusedBy
from support.machine.clocked_ledger import LEASE, ClockedLedger

PROBE_SECONDS = 15.0


def refuse(ledger: ClockedLedger, job: str, pause: Pause) -> None:
    """Google refuses a request for its quota: the job stays in its lane."""
    attempt = ledger.attempts(job)
    ledger.settle(job, attempt, outcome=AttemptOutcome.REJECTED, to=State.READY, pause=pause)


def lose(ledger: ClockedLedger, job: str, *, probe_in: float | None = PROBE_SECONDS) -> None:
    """Nobody knows what became of a request."""
    attempt = ledger.attempts(job)
    ledger.settle(
        job, attempt, outcome=AttemptOutcome.UNKNOWN, to=State.UNCERTAIN, probe_in=probe_in
    )


def lose_next(ledger: ClockedLedger) -> str:
    """The next that leaves has an unknown outcome."""
    [job] = ledger.dispatch().jobs
    ledger.begin(ledger.claim(job))
    lose(ledger, job)
    return job


class TestDeadlines:
    def test_a_deadline_of_15_minutes_holds_2000_jobs_with_one_write_and_one_probe_follows(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 2000)
        ledger.fly("a0")
        untouched = ledger.redis.dump(redis_keys.JOB + "a1500")
        before = ledger.redis.zrange(redis_keys.LANE + "a", 0, -1, withscores=True)
        refuse(ledger, "a0", Pause(ledger.now + 901, named=True))
        assert ledger.see("a0").state is State.READY
        assert ledger.redis.zcard(redis_keys.LANE + "a") == len(before) + 1
        assert ledger.redis.dump(redis_keys.JOB + "a1500") == untouched

        ledger.now += 2
        step = ledger.dispatch()
        assert (step.jobs, step.next_in) == ((), 899)

        ledger.now += 898.9
        assert ledger.dispatch().jobs == ()
        ledger.now += 0.1
        [probe] = ledger.dispatch().jobs
        ledger.begin(ledger.claim(probe))
        ledger.now += 30
        assert ledger.dispatch().jobs == (), "one goes first"

        ledger.settle(probe, ledger.attempts(probe))
        assert ledger.dispatch().jobs
        assert len(ledger.leave(60)) >= 58, "and then the lane is open"
        assert ledger.see("a0").reason != "failed"

    def test_the_job_of_a_refused_request_does_not_count_it(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 1)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 60, named=True))
        ledger.now += 61
        assert ledger.fly("a0").failures == 0

    def test_a_refused_probe_sets_the_next_deadline(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 3)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 60, named=True))
        ledger.now += 60
        [probe] = ledger.dispatch().jobs
        ledger.begin(ledger.claim(probe))
        refuse(ledger, probe, Pause(ledger.now + 600, named=True))
        ledger.now += 599
        assert ledger.dispatch().jobs == ()

        ledger.now += 1
        assert len(ledger.dispatch().jobs) == 1

    def test_of_several_deadlines_the_latest_counts(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 2)
        ledger.fly("a0")
        ledger.now += 1.1
        ledger.fly("a1")
        refuse(ledger, "a1", Pause(ledger.now + 600, named=True))
        refuse(ledger, "a0", Pause(ledger.now + 60, named=True))
        ledger.now += 2
        assert ledger.dispatch().next_in == 598

    def test_a_bystander_does_not_lengthen_a_pause_by_back_off(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 2)
        ledger.fly("a0")
        ledger.now += 1.1
        ledger.fly("a1")
        ledger.now += 1
        refuse(ledger, "a0", Pause(ledger.now + 60, named=False))
        refuse(ledger, "a1", Pause(ledger.now + 600, named=False))
        ledger.now += 2
        assert ledger.dispatch().next_in == 58

    def test_begin_refuses_what_was_leased_before_the_pause(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 2)
        ledger.fly("a0")
        ledger.now += 1.1
        job = ledger.claim(ledger.dispatch().jobs[0])
        refuse(ledger, "a0", Pause(ledger.now + 60, named=True))
        assert ledger.try_to_begin(job) == RefusedBy("cooling")

    def test_another_mailbox_goes_on(self, ledger: ClockedLedger) -> None:
        ledger.lane("b")
        ledger.fill("a", 1)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 60, named=True))
        ledger.fill("b", 1)
        assert ledger.dispatch().jobs == ("b0",)


class TestProjects:
    def test_a_project_waits_as_a_whole_and_one_of_all_its_lanes_goes_first(
        self, ledger: ClockedLedger
    ) -> None:
        for lane in ("b", "c", "d"):
            ledger.lane(lane, project="r" if lane == "d" else "q")
            ledger.fill(lane, 5)

        for job in ledger.dispatch().jobs:
            ledger.begin(ledger.claim(job))
        refuse(ledger, "b0", Pause(ledger.now + 60, named=False, project=True))
        ledger.settle("c0")
        ledger.settle("d0")
        assert {job[0] for _, job in ledger.leave(58)} == {"d"}
        ledger.now += 2
        probes = [job for job in ledger.dispatch().jobs if job[0] != "d"]
        assert len(probes) == 1
        ledger.begin(ledger.claim(probes[0]))
        ledger.now += 5
        assert [job for job in ledger.dispatch().jobs if job[0] != "d"] == []
        ledger.settle(probes[0], ledger.attempts(probes[0]))
        assert {job[0] for job in ledger.dispatch().jobs} >= {"b", "c"}

    def test_its_strikes_are_its_own(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 2)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 60, named=False, project=True))
        ledger.now += 60
        [probe] = ledger.dispatch().jobs
        job = ledger.claim(probe)
        assert (job.strikes, job.project_strikes) == (0, 1)


class TestCircuit:
    def test_three_unknown_outcomes_in_a_row_stop_a_mailbox_and_one_probe_follows_every_15_seconds(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 10)

        for _ in range(3):
            lose_next(ledger)
            ledger.now += 1.1

        for _ in range(3):
            assert ledger.dispatch().jobs == ()
            ledger.now += PROBE_SECONDS
            lose_next(ledger)

        assert ledger.redis.zcard(redis_keys.LANE + "a") == 4
        ledger.now += PROBE_SECONDS
        [probe] = ledger.dispatch().jobs
        ledger.begin(ledger.claim(probe))
        ledger.settle(probe)
        assert len(ledger.leave(2)) == 2

    def test_an_acceptance_in_between_counts_from_the_start(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 10)
        for n in range(6):
            if n % 3 == 2:
                [job] = ledger.dispatch().jobs
                ledger.begin(ledger.claim(job))
                ledger.settle(job)
            else:
                lose_next(ledger)
            ledger.now += 1.1
        assert len(ledger.dispatch().jobs) == 1

    def test_killed_workers_and_our_own_network_do_not_count(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 10)

        for n in range(6):
            [job] = ledger.dispatch(1).jobs
            ledger.begin(ledger.claim(job))
            if n % 2:
                lose(ledger, job, probe_in=None)
            else:
                ledger.now += 46
                ledger.reap()
            ledger.now += 1.1

        assert ledger.dispatch().jobs

    def test_three_stopped_mailboxes_stop_their_project(self, ledger: ClockedLedger) -> None:
        for lane in ("b", "c", "d", "e", "f"):
            ledger.lane(lane, project="r" if lane == "f" else "q")

        for lane in ("b", "c", "d"):
            ledger.fill(lane, 3)
            for _ in range(3):
                lose_next(ledger)
                ledger.now += 1.1

        ledger.fill("e", 1)
        ledger.fill("f", 1)
        assert ledger.dispatch().jobs == ("f0",)
        ledger.now += PROBE_SECONDS
        assert ledger.dispatch().jobs == ("e0",)
        ledger.begin(ledger.claim("e0"))
        ledger.settle("e0")
        ledger.fill("d", 9)
        assert ledger.dispatch().jobs == ("d3",)

    def test_nine_of_many_mailboxes_do_too(self, ledger: ClockedLedger) -> None:
        """With thousands it would take thousands of messages until three of them had three."""
        for n in range(10):
            ledger.lane(f"l{n}", project="q")
            ledger.enqueue(f"j{n}", lane=f"l{n}")

        jobs = [ledger.claim(job) for job in ledger.dispatch().jobs]
        for job in jobs[:9]:
            ledger.begin(job)
            assert not ledger.redis.hexists(redis_keys.PROJECT + "q", "cooling")
            lose(ledger, job.id)

        assert ledger.redis.hexists(redis_keys.PROJECT + "q", "cooling")
        assert ledger.try_to_begin(jobs[9]) == RefusedBy("cooling")

    def test_one_mailbox_alone_never_stops_its_project(self, ledger: ClockedLedger) -> None:
        ledger.lane("b")
        ledger.fill("a", 20)
        for _ in range(12):
            [job] = ledger.dispatch(1).jobs
            ledger.begin(ledger.claim(job))
            lose(ledger, job)
            ledger.now += PROBE_SECONDS
        assert not ledger.redis.hexists(redis_keys.PROJECT + "p", "cooling")

    def test_a_success_in_the_project_since_then_keeps_it_going(
        self, ledger: ClockedLedger
    ) -> None:
        for lane in ("b", "c", "d", "e"):
            ledger.lane(lane, project="q")

        for lane in ("b", "c", "d"):
            ledger.fill(lane, 3)
            for _ in range(3):
                lose_next(ledger)
                ledger.now += 1.1
            if lane == "b":
                ledger.fill("e", 1)
                ledger.fly("e0")
                ledger.settle("e0")
                ledger.now += 1.1

        ledger.enqueue("e1", lane="e")
        assert ledger.dispatch().jobs == ("e1",)


class TestSlower:
    @pytest.mark.parametrize(("allowed", "a_minute"), [(3000, 29), (0, 42), (9000, 42)])
    def test_a_refusal_at_less_than_was_believed_lowers_the_pace_on_record(
        self, ledger: ClockedLedger, allowed: int, a_minute: int
    ) -> None:
        ledger.fill("a", 300)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 2, named=False, allowed=allowed))
        ledger.now += 62
        assert len(ledger.leave(60)) == pytest.approx(a_minute, abs=1.5)
        [event] = [fields for kind, fields in told(ledger) if kind == "slowed"]
        assert event[b"scope"] == b"mailbox"
        assert float(event[b"share"]) == (0.5 if allowed == 3000 else 0.7)

    def test_what_google_says_that_it_allows_is_believed_for_a_day(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 300)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 2, named=False, allowed=3000))
        ledger.now += 86000
        assert len(ledger.leave(60)) == pytest.approx(30, abs=1)
        ledger.now += 400
        assert len(ledger.leave(60)) == pytest.approx(59, abs=1)

    def test_a_lowered_pace_recovers_a_hundredth_a_minute(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 300)
        ledger.fly("a0")
        refuse(ledger, "a0", Pause(ledger.now + 2, named=False, allowed=0))
        ledger.now += 15 * 60
        assert len(ledger.leave(60)) == pytest.approx(0.85 * 59, abs=2)
        ledger.now += 15 * 60
        assert len(ledger.leave(60)) == pytest.approx(59, abs=1)

    def test_requests_that_were_under_way_lower_it_once(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 3)
        for n in range(3):
            ledger.fly(f"a{n}")
            ledger.now += 1.1
        for n in range(3):
            refuse(ledger, f"a{n}", Pause(ledger.now + 2, named=False, allowed=0))
        assert [kind for kind, _ in told(ledger)].count("slowed") == 1
        assert float(ledger.field(redis_keys.PACE + "m-a:p", "share")) == 0.7

    def test_a_project_is_slowed_as_a_whole(self, ledger: ClockedLedger) -> None:
        for n in range(20):
            ledger.lane(f"l{n}", project="q", project_units_per_minute=30_000)
            ledger.fill(f"l{n}", 60)
        [*_, job] = ledger.dispatch(1).jobs
        ledger.begin(ledger.claim(job))
        refuse(ledger, job, Pause(ledger.now + 2, named=False, project=True, allowed=10_000))
        ledger.now += 62
        assert len(ledger.leave(60, step=0.1)) == pytest.approx(100, abs=4)


class TestFewerAtOnce:
    """Google says that too many requests of a mailbox are under way at once.

    Its pace is not to blame.
    """

    def too_many_at_once(self, ledger: ClockedLedger, job: str = "a0") -> None:
        refuse(ledger, job, Pause(ledger.now + 2, named=False, crowded=True))

    def at_once(self, ledger: ClockedLedger) -> int:
        """The most that are under way at once: each takes ten seconds, one a second may leave."""
        times = [at for at, _ in ledger.leave(45, step=0.5, latency=10)]
        ledger.now += LEASE + 1
        ledger.reap()  # those that were left under way
        return max(sum(first <= at < first + 9.9 for at in times) for first in times)

    def test_half_as_many_leave_at_once_at_the_same_pace_on_record(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 300)
        ledger.fly("a0")
        self.too_many_at_once(ledger)
        assert self.at_once(ledger) == 2
        assert len(ledger.leave(60)) == pytest.approx(59, abs=1)
        [event] = [fields for kind, fields in told(ledger) if kind == "slowed"]
        assert (event[b"scope"], event[b"places"]) == (b"in_flight", b"2")

    def test_said_again_it_is_one_and_never_none(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 300)

        for _ in range(4):
            ledger.now += 3
            [job] = ledger.dispatch(1).jobs
            ledger.begin(ledger.claim(job))
            self.too_many_at_once(ledger, job)

        assert self.at_once(ledger) == 1
        assert [fields[b"places"] for kind, fields in told(ledger) if kind == "slowed"] == [
            b"2",
            b"1",
            b"1",
            b"1",
        ]

    def test_one_more_leaves_after_each_five_minutes_without_it(
        self, ledger: ClockedLedger
    ) -> None:
        ledger.fill("a", 600)
        ledger.fly("a0")
        self.too_many_at_once(ledger)
        begun, found = ledger.now, []
        for minutes in (0, 6, 12, 20):
            ledger.now = max(ledger.now, begun + minutes * 60 + 3)
            found.append(self.at_once(ledger))
        assert found == [2, 3, 4, 4]

    def test_requests_that_were_under_way_count_once(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 3)
        for n in range(3):
            ledger.fly(f"a{n}")
            ledger.now += 1.1
        for n in range(3):
            self.too_many_at_once(ledger, f"a{n}")
        assert ledger.field(redis_keys.MAILBOX + "m-a", "places") == b"2"

    def test_a_mailbox_that_works_keeps_it_in_mind(self, ledger: ClockedLedger) -> None:
        ledger.fill("a", 100)
        ledger.fly("a0")
        self.too_many_at_once(ledger)
        assert len(ledger.leave(30)) > 20
        assert self.at_once(ledger) == 2


def told(ledger: ClockedLedger) -> list[tuple[str, dict[bytes, bytes]]]:
    entries: Any = ledger.redis.xrange(redis_keys.EVENTS)
    return [(fields[b"type"].decode(), fields) for _, fields in entries]
