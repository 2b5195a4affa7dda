"""Those who use a ledger: producers, workers and operators, and what they remember of it."""

from __future__ import annotations

import math
from typing import Any, Final

from hypothesis.stateful import RuleBasedStateMachine
from redis import Redis

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import State
from certmail_config.ledger import Claimed, Job, RefusedBy
from certmail_worker.delivery.send_failures import Verdict
from support.machine.lanes import MAILBOX, PROJECT, TENANT, Limits
from support.machine.settlements import settlement
from support.machine.side_by_side import MadeCall, SideBySide, Tally
from support.model.ledger_state import PROJECT as PROJECT_NAME

LEASE: Final = 45.0
LEASE_MS: Final = 45_000
RETRY_MS: Final = 10_000
"""redis-py gives up long before."""
WORKERS: Final = ("w1", "w2")
PATIENCE: Final = 12
"""So often the pacer is asked for a job before somebody gives up."""


class Actors(RuleBasedStateMachine):
    """What they do; when they do it is the machine's affair.

    All of it goes to the ledger and to its model (`SideBySide`).
    """

    def __init__(self, redis: Redis, tally: Tally) -> None:
        super().__init__()
        self.ledgers = SideBySide(redis, tally)
        self.names = 0
        self.limits: dict[str, Limits] = {}
        self.doorbells: list[str] = []
        self.claims: list[Job] = []
        self.open_ended: list[tuple[Job, int]] = []
        self.unanswered: list[MadeCall] = []
        self.last: tuple[int, MadeCall] | None = None

    def make_leasable(self, lane: str) -> None:
        """Bring about what a lease of a job of the lane takes, but for time and live workers."""
        model, connection = self.ledgers.model, ConnectionId(lane)
        self.ledgers.check_run()
        self.tick(note=True)

        if len(model.workers) < len(WORKERS):
            for worker in WORKERS:
                self.ledgers.do("advertise", worker, 8, seconds=1e7)

        track = model.tracks[lane]
        for paused in {"*", track.tenant} & model.paused:
            lanes = [ConnectionId(each) for each, of in TENANT.items() if of == paused]
            self.ledgers.do("pause", None if paused == "*" else paused, on=False, connections=lanes)

        if track.state != "open":
            self.ledgers.do("open_lane", connection, track.version)
        if not model.waiting(lane):
            self.send(self.name(), None, lane, State.READY, 0, 2 * 86400, 5)
        self.wait_for(lane)

    def wait_for(self, lane: str) -> None:
        """Wait until the lane is visited again, as far as that is known.

        Otherwise until a request ends that it waits for.
        """
        model = self.ledgers.model
        project = PROJECT_NAME + model.tracks[lane].project
        at = model.wake.get(lane, model.wake.get(project))

        if at is None:
            self.pass_time(LEASE_MS)
        elif at > self.ledgers.ms:
            self.ledgers.ms = math.ceil(at)
        self.tick(note=True)

    def fetch(self, lane: str, worker: str, *, lost: bool = False) -> Job | None:
        """Take a job of the lane from its doorbell to its claim.

        What else is rung meanwhile is left for others.
        """
        self.make_leasable(lane)

        for _ in range(PATIENCE):
            rung = self.ring(1)
            if rung and self.ledgers.model.entries[rung[0]].connection == lane:
                return self.answer(rung[0], worker, lost=lost)
            if not self.ledgers.model.waiting(lane):  # their time has passed
                return None
            if not rung:
                self.wait_for(lane)

        return None

    def ring(self, maximum: int) -> tuple[JobId, ...]:
        """Let the pacer lease so many at most; their doorbells may be answered at any time."""
        self.ledgers.take_wake_up()
        rung: tuple[JobId, ...] = self.ledgers.do("dispatch", maximum).answer.jobs
        self.doorbells = [*self.doorbells, *rung][-12:]
        return rung

    def pass_time(self, ms: int) -> None:
        """Some time, and then somebody looks."""
        self.ledgers.ms += ms
        self.tick(note=True)
        self.ledgers.do("reap", 100)

    def settle_attempt(self, job: Job, attempt: int, verdict: Verdict) -> None:
        """Settle an attempt in time."""
        self.ledgers.do("settle", job.id, attempt, **settlement(verdict, job, 1, self.ledgers.now))

    def tick(self, *, note: bool) -> None:
        """Workers note the time each second."""
        if note:
            self.ledgers.tick()
            self.last = None  # by another time, nothing is repeated at once

    def call(self, name: str, *args: Any, lost: bool = False, **named: Any) -> Any:
        """Make a call; gives its answer, or None if that is lost."""
        asked = self.ledgers.do(name, *args, **named)
        if lost:
            self.unanswered.append(asked)
            return None
        self.last = self.ledgers.tally.calls.total(), asked
        return asked.answer

    def again(self, asked: MadeCall) -> None:
        before = {id_: entry.state for id_, entry in self.ledgers.contents.entries.items()}
        answer = self.ledgers.repeat(asked, again=True).answer
        after = {id_: entry.state for id_, entry in self.ledgers.contents.entries.items()}
        assert before == after, f"a repeated {asked.name} changed what is so"
        # These tell where the job is now, and whether that was a change.
        moves_on = asked.name in {
            *("settle", "release", "enqueue", "cancel", "pause"),
            *("withdraw", "mark_unwanted"),
        }
        assert answer == asked.answer or isinstance(answer, RefusedBy) or moves_on

    def answer(self, job: str, worker: str, *, lost: bool = False) -> Job | None:
        claimed = self.call(
            "claim", JobId(job), worker=worker, nonce=self.name(), lease_seconds=LEASE, lost=lost
        )
        if not isinstance(claimed, Claimed):
            return None
        self.claims = [*self.claims, claimed.job][-6:]
        return claimed.job

    def start(self, job: Job, not_after: float | None, *, lost: bool = False) -> int | None:
        # Half of them are sent once more should their worker be lost, as a rule may say.
        again = None if job.resent or len(job.id) % 2 else 20.0
        begun = self.call(
            "begin", job, lease_seconds=LEASE, not_after=not_after, resend_after=again, lost=lost
        )
        if begun is None or isinstance(begun, RefusedBy):
            return None
        self.open_ended = [*self.open_ended, (job, begun.attempt)][-6:]
        attempt: int = begun.attempt
        return attempt

    def give_back(self, job: Job, stop: dict[str, Any], *, lost: bool = False) -> None:
        given = dict(stop)
        wait = given.pop("wait", None)
        at = None if wait is None else self.ledgers.now + wait
        self.call("release", job, **given, at=at, lost=lost)

    def send(
        self,
        id_: str,
        dedupe: str | None,
        lane: str,
        state: State,
        later: float,
        life: float,
        priority: int,
        *,
        fingerprint: str = "print",
        maximum: int = 0,
        lost: bool = False,
    ) -> None:
        send_at = self.ledgers.now + later if state is State.SCHEDULED else None

        self.call(
            "enqueue",
            id=JobId(id_),
            tenant=TENANT.get(lane, "acme"),
            connection=ConnectionId(lane),
            dedupe=dedupe or f"key-{id_}",
            fingerprint=fingerprint,
            state=state,
            reason="review_complete" if state is State.SUPPRESSED else "",
            send_at=send_at,
            expires_at=(send_at or self.ledgers.now) + life,
            priority=priority,
            kind="reminder",
            campaign="q1" if lane == "a" else "q2",
            keep_seconds=90 * 86400,
            body=f"sealed {id_}".encode(),
            wants=self.wants(id_),
            max_per_tenant=maximum,
            lost=lost,
        )

    def wants(self, id_: str) -> str:
        """Every second reminder was planned by a campaign; some tell of two, some have hours."""
        number = int(id_[1:])
        if number % 2:
            return ""
        closes = self.ledgers.ms + 40_000 if number % 8 == 0 else ""
        also = " c2:e" if number % 6 == 0 else ""
        return f"{closes} c1:{'ab'[number % 4 // 2]}{also}"

    def limit(self, lane: str, limits: Limits, *, mailbox: str = "", project: str = "") -> None:
        """Set the limits of a lane.

        It stays with its mailbox and project if it is not given others.
        """
        track = self.ledgers.model.tracks.get(lane)
        values = limits.of(
            lane,
            mailbox or (track.mailbox if track else MAILBOX[lane]),
            project or (track.project if track else PROJECT[lane]),
        )
        self.ledgers.do("set_lane", values, code="connection_draft", message="not set up yet")
        self.limits[lane] = limits

    def move(self, lane: str) -> None:
        """Into the other project."""
        project = "p2" if self.ledgers.model.tracks[lane].project == "p1" else "p1"
        self.limit(lane, self.limits[lane], project=project)

    def name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    @staticmethod
    def choose(items: list[Any], pick: int) -> Any:
        """One of them; most often the newest."""
        return items[-1 - pick % len(items)]

    def finished(self) -> list[str]:
        return [id_ for id_, entry in self.ledgers.model.entries.items() if not entry.unfinished]

    def forgotten_claims(self) -> list[Job]:
        """Of jobs with no request under way, nor one that went out."""
        known = self.ledgers.model.entries
        return [
            job
            for job in self.claims
            if job.id in known and known[job.id].state not in {State.SENDING, State.ACCEPTED}
        ]
