"""Those who use a ledger: producers, workers and operators, and what they remember of it."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from hypothesis.stateful import RuleBasedStateMachine
from redis import Redis

from certmail_config.ids import ConnectionId, JobId
from certmail_config.ledger import Claimed, Job, Lane, RefusedBy
from certmail_config.states import State
from certmail_worker.failures import Verdict
from support.news import settlement
from support.twin import Asked, Tally, Twin

LEASE: Final = 45.0
LEASE_MS: Final = 45_000
RETRY_MS: Final = 10_000
"""redis-py gives up long before."""
WORKERS: Final = ("w1", "w2")
MAILBOX: Final = {"a": "m1", "b": "m1", "c": "m2", "d": "m3"}
"""The lanes, two of which share a mailbox; `d` is another tenant's, and only in `c` can sent mails be looked up."""
TENANT: Final = {"a": "acme", "b": "acme", "c": "acme", "d": "globex"}
T = TypeVar("T")


class Actors(RuleBasedStateMachine):
    """What they do; when they do it is the machine's affair. All of it goes to the ledger and to its model (`Twin`)."""

    def __init__(self, redis: Redis, tally: Tally) -> None:
        super().__init__()
        self.twin = Twin(redis, tally)
        self.names = 0
        self.doorbells: list[str] = []
        self.claims: list[Job] = []
        self.open_ended: list[tuple[Job, int]] = []
        self.unanswered: list[Asked] = []
        self.last: tuple[int, Asked] | None = None

    def let_one_leave(self, lane: str) -> None:
        """See to it that a job of the lane may be leased now, if time and live workers are all that it takes."""
        model, connection = self.twin.model, ConnectionId(lane)
        self.twin.check_run()
        self.tick(note=True)
        if len(model.workers) < len(WORKERS):
            for worker in WORKERS:
                self.twin.do("advertise", worker, 8, seconds=1e7)
        track = model.tracks[lane]
        if track.state != "open":
            self.twin.do("open_lane", connection, track.version)
        mailbox = model.mailboxes[track.mailbox]
        if len(model.flying(track.mailbox)) >= (1 if mailbox.probe else track.in_flight):
            self.pass_time(LEASE_MS)
        if not model.waiting(lane):
            self.send(self.name(), None, lane, State.READY, 0, 2 * 86400, 5)
        self.twin.ms = max(self.twin.ms, mailbox.next, mailbox.cooling)
        self.tick(note=True)

    def fetch(self, lane: str, worker: str, *, lost: bool = False) -> Job | None:
        """A job of the lane, from its doorbell to its claim."""
        self.let_one_leave(lane)
        rung = self.twin.do("dispatch", 1).answer.jobs
        self.doorbells = [*self.doorbells, *rung][-12:]
        return self.answer(rung[0], worker, lost=lost) if rung else None

    def pass_time(self, ms: int) -> None:
        """Some time, and then somebody looks."""
        self.twin.ms += ms
        self.tick(note=True)
        self.twin.do("reap", 100)

    def tell(self, job: Job, attempt: int, verdict: Verdict) -> None:
        """Settle an attempt in time."""
        self.twin.do("settle", job.id, attempt, **settlement(verdict, job, 1, self.twin.now))

    def tick(self, *, note: bool) -> None:
        """Workers note the time each second."""
        if note:
            self.twin.do("advertise", "ticker", 0, seconds=0, believe=True)

    def call(self, name: str, *args: Any, lost: bool = False, **named: Any) -> Any:
        """Make a call; gives its answer, or None if that is lost."""
        asked = self.twin.do(name, *args, **named)
        if lost:
            self.unanswered.append(asked)
            return None
        self.last = self.twin.tally.calls.total(), asked
        return asked.answer

    def again(self, asked: Asked) -> None:
        before = {id_: entry.state for id_, entry in self.twin.contents.entries.items()}
        answer = self.twin.repeat(asked, again=True).answer
        after = {id_: entry.state for id_, entry in self.twin.contents.entries.items()}
        assert before == after, f"a repeated {asked.name} changed what is so"
        moves_on = asked.name in {"settle", "release", "enqueue", "cancel"}  # these tell where the job is now
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
        begun = self.call("begin", job, lease_seconds=LEASE, not_after=not_after, lost=lost)
        if begun is None or isinstance(begun, RefusedBy):
            return None
        self.open_ended = [*self.open_ended, (job, begun.attempt)][-6:]
        attempt: int = begun.attempt
        return attempt

    def give_back(self, job: Job, stop: dict[str, Any], *, lost: bool = False) -> None:
        given = dict(stop)
        wait = given.pop("wait", None)
        at = None if wait is None else self.twin.now + wait
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
        lost: bool = False,
    ) -> None:
        send_at = self.twin.now + later if state is State.SCHEDULED else None
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
            expires_at=(send_at or self.twin.now) + life,
            priority=priority,
            kind="reminder",
            campaign="q1" if lane == "a" else "q2",
            keep_seconds=90 * 86400,
            body=f"sealed {id_}".encode(),
            lost=lost,
        )

    def limit(self, lane: str, mailbox: str, units: int, in_flight: int) -> None:
        limits = Lane(ConnectionId(lane), TENANT[lane], mailbox, units, in_flight, 1, verify=lane == "c")
        self.twin.do("set_lane", limits, code="connection_draft", message="not set up yet")

    def name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    @staticmethod
    def choose(items: list[Any], pick: int) -> Any:
        """One of them; most often the newest."""
        return items[-1 - pick % len(items)]

    def finished(self) -> list[str]:
        return [id_ for id_, entry in self.twin.model.entries.items() if not entry.unfinished]

    def forgotten_claims(self) -> list[Job]:
        """Of jobs with no request under way, nor one that went out."""
        known = self.twin.model.entries
        return [
            job
            for job in self.claims
            if job.id in known and known[job.id].state not in {State.SENDING, State.ACCEPTED}
        ]
