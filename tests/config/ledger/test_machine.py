"""The ledger's scripts against a simple model, on real servers.

Through whatever may happen, without a difference.

One step is one call that is made of both and compared in full. `make test` runs 5,000 on each
server, always the same ones, and other ones on each; `make slow` runs 50,000 from a new seed, which
it prints: `make slow LEDGER_SEED=…` runs the same again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import Suspension, delivery, ending
from certmail_worker.delivery.send_failures import FailureClass, Verdict
from support.machine.actors import RETRY_MS, WORKERS
from support.machine.deliveries import pauses
from support.machine.lanes import MAILBOX, TENANT, Limits
from support.machine.planned import Planned
from support.machine.pressure import lanes, picks, rarely, workers
from support.machine.settlements import VERSIONS, settlement, stops, verdicts
from support.machine.side_by_side import Tally

STEPS: Final = int(os.environ.get("LEDGER_STEPS", "5000"))
SEED: Final = int(os.environ.get("LEDGER_SEED", "1"))
RULES_PER_EXAMPLE: Final = 15
EXAMPLES_AT_ONCE: Final = 10
"""How many steps they make is chance: most rules make several calls, some 80 in all."""

limits = st.builds(
    Limits,
    units=st.sampled_from([200, 300, 6000, 6000, 15000]),
    in_flight=st.sampled_from([1, 2, 2, 3]),
    per_day=st.sampled_from([3, 6, 1000, 1000]),
    project_units=st.sampled_from([300, 500, 1000, 1_200_000, 1_200_000]),
    project_units_per_day=st.sampled_from([500, 2000, 80_000_000, 80_000_000]),
    warm_up_days=st.sampled_from([0, 0, 2]),
)
lives = st.sampled_from([1.0, 30.0, 3600.0, 86400.0, 86400.0])


class LedgerMachine(Planned):
    """All who use a ledger, and everything that can go wrong.

    Producers, workers, a pacer, a reaper, operators, Google, and a clock.
    """

    @initialize(limits=limits)
    def open_the_lanes(self, limits: Limits) -> None:
        self.tick(note=True)
        for lane in MAILBOX:
            self.limit(lane, limits)
            self.ledgers.do("open_lane", ConnectionId(lane), 1)
        for worker in WORKERS:
            self.ledgers.do("advertise", worker, 8, seconds=1e7)

    # What happens to a reminder.

    @rule(
        lane=lanes,
        state=st.sampled_from(
            [State.READY, State.READY, State.READY, State.SCHEDULED, State.SUPPRESSED]
        ),
        later=st.sampled_from([1.0, 20.0, 1e6]),
        life=lives,
        priority=st.sampled_from([1, 5, 5, 9]),
        maximum=st.sampled_from([0, 0, 0, 1, 5, 100]),
        lost=rarely,
    )
    def enqueue(
        self,
        lane: str,
        state: State,
        later: float,
        life: float,
        priority: int,
        maximum: int,
        *,
        lost: bool,
    ) -> None:
        self.send(self.name(), None, lane, state, later, life, priority, maximum=maximum, lost=lost)

    @precondition(lambda self: self.ledgers.model.entries)
    @rule(pick=picks, other_body=st.booleans(), for_nobody=st.booleans())
    def enqueue_in_vain(self, pick: int, *, other_body: bool, for_nobody: bool) -> None:
        """Under a key that is in use, or for a connection that does not exist."""
        if for_nobody:
            self.send(self.name(), None, "nowhere", State.READY, 0, 60, 5)
            return
        entry = self.choose(list(self.ledgers.model.entries.values()), pick)
        print_ = "other" if other_body else "print"
        self.send(
            self.name(), entry.dedupe, entry.connection, State.READY, 0, 60, 5, fingerprint=print_
        )

    @rule(
        maximum=st.sampled_from([1, 2, 100, 100]), late=st.sampled_from([0, 0, 500, 2_000, 5_000])
    )
    def dispatch(self, maximum: int, late: int) -> None:
        self.ledgers.ms += late
        self.ring(maximum)

    @precondition(lambda self: self.doorbells)
    @rule(pick=picks, worker=workers, lost=rarely)
    def claim(self, pick: int, worker: str, *, lost: bool) -> None:
        self.answer(self.choose(self.doorbells, pick), worker, lost=lost)

    @precondition(lambda self: self.claims)
    @rule(pick=picks, not_after=st.sampled_from([None, None, None, -1.0, 60.0]), lost=rarely)
    def begin(self, pick: int, not_after: float | None, *, lost: bool) -> None:
        limit = None if not_after is None else self.ledgers.now + not_after
        self.start(self.choose(self.claims, pick), limit, lost=lost)

    @precondition(lambda self: self.claims)
    @rule(pick=picks, stop=stops(), lost=rarely)
    def release(self, pick: int, stop: dict[str, Any], *, lost: bool) -> None:
        self.give_back(self.choose(self.claims, pick), stop, lost=lost)

    @precondition(lambda self: self.open_ended)
    @rule(pick=picks, verdict=verdicts(), version=VERSIONS, lost=rarely)
    def settle(self, pick: int, verdict: Verdict, version: int, *, lost: bool) -> None:
        """The news of a request, in time or however late, perhaps for the second time."""
        job, attempt = self.choose(self.open_ended, pick)
        then = settlement(verdict, job, version, self.ledgers.now)
        self.call("settle", job.id, attempt, **then, lost=lost)

    @precondition(lambda self: self.forgotten_claims())
    @rule(pick=picks)
    def settle_what_a_restored_ledger_does_not_know(self, pick: int) -> None:
        job = self.choose(self.forgotten_claims(), pick)
        attempt = self.ledgers.model.entries[job.id].attempt + 1
        verdict = Verdict(FailureClass.NONE, AttemptOutcome.ACCEPTED)
        self.ledgers.do("settle", job.id, attempt, **settlement(verdict, job, 1, self.ledgers.now))

    @precondition(lambda self: self.ledgers.model.entries)
    @rule(pick=picks, lost=rarely)
    def cancel(self, pick: int, *, lost: bool) -> None:
        entry = self.choose(list(self.ledgers.model.entries.values()), pick)
        self.call("cancel", JobId(entry.id), "called off by ann", lost=lost)

    @precondition(lambda self: self.ledgers.model.entries)
    @rule(pick=picks, lost=rarely)
    def close(self, pick: int, *, lost: bool) -> None:
        """A person leaves it at not knowing; of most reminders there is no doubt."""
        entries = list(self.ledgers.model.entries.values())
        doubted = [entry for entry in entries if entry.state is State.UNCERTAIN] or entries
        self.call("close", JobId(self.choose(doubted, pick).id), "closed by ann", lost=lost)

    @rule(lane=lanes, campaign=st.sampled_from(["", "q1", "q2"]), of_lane=st.booleans())
    def cancel_matching(self, lane: str, campaign: str, *, of_lane: bool) -> None:
        connection = lane if of_lane else ""
        given = {"tenant": TENANT[lane], "campaign": campaign, "connection": connection}
        self.ledgers.do("cancel_matching", 0, **given, reason="all of it")

    @rule(maximum=st.sampled_from([1, 100, 100]))
    def reap(self, maximum: int) -> None:
        self.ledgers.do("reap", maximum)

    @precondition(lambda self: self.finished())
    @rule(pick=picks)
    def forget_a_finished_job(self, pick: int) -> None:
        self.ledgers.forget(self.choose(self.finished(), pick))
        self.unanswered.clear()  # it took months
        self.last = None

    # What happens to lanes and mailboxes.

    @rule(
        change=st.sampled_from(["limits", "limits", "account", "mailbox", "project", "suspended"]),
        lane=lanes,
        other_limits=limits,
        version=VERSIONS,
        opened=st.booleans(),
    )
    def change_a_lane(
        self, change: str, lane: str, other_limits: Limits, version: int, *, opened: bool
    ) -> None:
        """Change a lane's limits, account or project, or that it may be used.

        The account is of another mailbox, perhaps.
        """
        track, connection = self.ledgers.model.tracks[lane], ConnectionId(lane)

        if change == "limits":
            self.limit(lane, other_limits)
        elif change == "project":
            self.move(lane)
        elif change == "suspended":
            why = Suspension("probe_failed", "It does not answer.", version)
            self.ledgers.do("suspend_lane", connection, why)
        elif change == "mailbox" and version > track.version:
            other = f"{MAILBOX[lane]}-new" if track.mailbox == MAILBOX[lane] else MAILBOX[lane]
            self.limit(lane, self.limits[lane], mailbox=other)
            opened = True

        if opened or change == "account":
            self.ledgers.do("open_lane", connection, version, careful=change == "suspended")

    @rule(
        tenant=st.sampled_from(["acme", "acme", "globex", None]),
        pick=picks,
        changes=st.sampled_from(["on", "on and off", "off"]),
        lost=rarely,
    )
    def pause(self, tenant: str | None, pick: int, changes: str, *, lost: bool) -> None:
        """An operator lets nothing leave, seldom for long.

        What is prepared meanwhile goes back.
        """
        connections = [ConnectionId(lane) for lane, of in TENANT.items() if of == tenant]

        if changes != "off":
            self.call("pause", tenant, on=True, reason="by ann", lost=lost)
            self.ring(100)
            if self.claims:
                self.start(self.choose(self.claims, pick), None)

        if changes != "on":
            self.call(
                "pause", tenant, on=False, reason="by ann", connections=connections, lost=lost
            )
            self.ring(2)

    @rule(lane=lanes, units=st.sampled_from([5, 100, 120, 500]), lost=rarely)
    def spend(self, lane: str, units: int, *, lost: bool) -> None:
        self.call("spend", ConnectionId(lane), units, nonce=self.name(), lost=lost)

    # What happens to workers, the clock and the server.

    @rule(worker=workers, capacity=st.sampled_from([0, 1, 8]), seconds=st.sampled_from([10.0, 1e7]))
    def advertise(self, worker: str, capacity: int, seconds: float) -> None:
        self.ledgers.do("advertise", worker, capacity, seconds=seconds)

    @rule(pause=pauses, note=st.sampled_from([True, True, True, False]), reap=st.booleans())
    def wait(self, pause: int, *, note: bool, reap: bool) -> None:
        self.ledgers.ms += pause
        self.tick(note=note)
        if reap:
            self.ledgers.do("reap", 100)

    @rule(days=st.sampled_from([-0.1, -0.001, 0.1, 1.0, 15.0, 100.0]))
    def wait_for_long(self, days: float) -> None:
        """Where the clock goes back, time stands still."""
        self.ledgers.ms += round(days * 86_400_000)
        self.tick(note=True)
        self.ledgers.do("reap", 100)

    @rule(
        hours=st.integers(1, 5),
        pick=picks,
        meanwhile=st.booleans(),
        after=st.sampled_from(["believed", "corrected", "corrected", "nothing"]),
    )
    def clock_leaps(self, hours: int, pick: int, after: str, *, meanwhile: bool) -> None:
        """Nobody believes it at first: nothing leaves, ends or expires by it."""
        self.tick(note=True)
        self.ledgers.ms = self.ledgers.model.noted + hours * 3_600_000
        assert self.ledgers.do("advertise", "w1", 4, seconds=60).answer.leapt
        assert self.ledgers.do("dispatch", 100).answer.stopped == "clock_leapt"
        assert self.ledgers.do("reap", 100).answer.stopped == "clock_leapt"
        if self.doorbells:
            self.answer(self.choose(self.doorbells, pick), "w1")
        if self.claims:
            assert self.start(self.choose(self.claims, pick), None) is None

        if meanwhile:
            self.spend("a", 100, lost=False)
            self.send(self.name(), None, "a", State.READY, 0, 1e5, 5)
            if self.open_ended:
                self.settle(
                    pick, Verdict(FailureClass.TRANSIENT, AttemptOutcome.NOT_SENT), 1, lost=False
                )

        if after == "corrected":
            self.ledgers.ms -= hours * 3_600_000
        if after != "nothing":
            self.tick(note=True)

    @rule(stays=rarely)
    def server_was_restarted(self, *, stays: bool) -> None:
        """From an older copy, perhaps: nothing leaves before somebody has looked."""
        self.tick(note=True)
        self.ledgers.uncheck_run()
        assert self.ledgers.do("dispatch", 100).answer.stopped == "unchecked"
        assert self.ledgers.do("reap", 100).answer.stopped == "unchecked"
        if not stays:
            self.ledgers.check_run()

    @rule()
    def workers_crash(self) -> None:
        """They forget what they hold: only the ledger knows of it."""
        self.claims.clear()
        self.open_ended.clear()
        self.unanswered.clear()

    @precondition(
        lambda self: self.last is not None and self.last[0] == self.ledgers.tally.calls.total()
    )
    @rule()
    def repeat_at_once(self) -> None:
        assert self.last is not None
        self.again(self.last[1])

    @precondition(lambda self: self.unanswered)
    @rule(pick=picks)
    def repeat_what_was_not_answered(self, pick: int) -> None:
        """redis-py's retry, after other calls."""
        asked = self.choose(self.unanswered, pick)
        self.unanswered.remove(asked)
        if self.ledgers.ms - asked.at <= RETRY_MS:
            self.again(asked)


@pytest.mark.timeout(0 if STEPS > 5000 else 600)  # making a failure small takes its time
def test_the_ledger_and_its_model_never_differ(
    engine: Redis, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(delivery, "UNANSWERED_PER_WORKER", 3)
    monkeypatch.setattr(ending, "POISON_REAPS", 2)
    tally, started = Tally(), time.monotonic()
    chosen = settings(
        max_examples=EXAMPLES_AT_ONCE,
        stateful_step_count=RULES_PER_EXAMPLE,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )

    server = server_name(engine)

    try:
        while tally.steps < STEPS:
            # Each server has steps of its own, which is more than the same ones twice.
            seeded = seed(f"{SEED} {server.split()[0]} {tally.examples}")
            machine = seeded(lambda: LedgerMachine(engine, tally))
            # A factory will do, as its docstring says.
            run_state_machine_as_test(machine, settings=chosen)  # type: ignore[arg-type]
    finally:
        calls = ", ".join(f"{name} {count}" for name, count in tally.calls.most_common())
        record_property(
            "said",
            f"{tally.steps} steps in {tally.examples} examples on {server}, LEDGER_SEED={SEED}, {time.monotonic() - started:.0f} s: {calls}; {len(tally.moves)} different moves",
        )


def server_name(redis: Redis) -> str:
    info: Any = redis.info("server")
    return f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}"
