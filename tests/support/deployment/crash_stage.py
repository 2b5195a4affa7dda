"""One job whose worker is lost at a chosen point.

The worker reaches Redis and Gmail over two wires that can be held; another worker may run beside
them.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from sqlalchemy import select

from certmail_config.base import redis_keys
from certmail_config.sql import tables
from certmail_config.stores.embedded import socket_path
from support.deployment.deployment import Deployment, campaign, wait_for
from support.network.frames import HttpRequests, RedisCommands
from support.network.wire import Side, Trap, Wire, Words, wire
from support.processes.halt import Process, thaw

UNACKED: Final = f"{redis_keys.CELERY_PREFIX}unacked"
UNACKED_INDEX: Final = f"{UNACKED}_index"

_numbers = count()


@dataclass(frozen=True, slots=True)
class End:
    """How a job ends: its state, what became of each attempt, and how many copies arrived."""

    state: str
    attempts: tuple[str, ...]
    copies: int


@dataclass(slots=True)
class CrashStage:
    """See the module."""

    deployment: Deployment
    job: str
    redis: Wire
    gmail: Wire
    stack: ExitStack

    def start(self, **environment: str) -> Process:
        """Start a worker; it ends with the stage."""
        worker = self.deployment.worker(**environment)
        self.stack.callback(_end, worker)
        return worker

    def start_another(self) -> Process:
        """Start a worker beside the wires, and wait until it is at work."""
        other = self.start()
        wait_for(
            "the other worker", lambda: any(f":{other.pid}:" in name for name in self._workers())
        )
        return other

    def _workers(self) -> list[str]:
        names: Any = self.deployment.admin.redis.zrange(redis_keys.WORKERS, 0, -1)
        return [name.decode() for name in names]

    def start_wired(self, redis: Wire, **environment: str) -> Process:
        """Start a worker that reaches its stores and Gmail over wires."""
        wired = {
            "CERTMAIL_REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "CERTMAIL_GMAIL_URL": f"http://127.0.0.1:{self.gmail.port}",
        }
        return self.start(**(wired | environment))

    def lose(
        self,
        where: Wire,
        fits: Callable[[Words], bool],
        side: Side,
        how: Callable[[Process], None],
        **environment: str,
    ) -> Process:
        """Start a worker on the wires, and wait until it is lost at the point."""
        lost: list[Process] = []
        trap = where.arm(Trap(fits, side, lambda: how(lost[0])))
        lost.append(self.start_wired(self.redis, **environment))
        assert trap.sprung.wait(60), "the worker never came to the point"

        return lost[0]

    def wake(self, lost: Process) -> None:
        """Let a frozen worker go on, and wait until it is done: it acknowledges its doorbell then.

        It is told to stop before it wakes: else it might take up the job anew.
        """
        before = self.redis.passed[b"ZREM"]
        self.redis.release()
        self.gmail.release()
        lost.terminate()
        thaw(lost)
        wait_for("the woken worker to be done", lambda: self.redis.passed[b"ZREM"] > before)

        assert lost.wait(60) == 0

    def ring_again(self) -> None:
        """Let the time pass after which kombu rings a doorbell again that nobody acknowledged."""
        redis = self.deployment.admin.redis
        tags: Any = redis.zrange(UNACKED_INDEX, 0, -1)
        assert tags, "the doorbell is acknowledged only after the job is settled"
        redis.zadd(UNACKED_INDEX, dict.fromkeys(tags, 0))

    @property
    def state(self) -> str:
        """The job's, in the ledger."""
        return str(self.deployment.status(self.job)["state"])

    @property
    def copies(self) -> int:
        """How many arrived."""
        return self.deployment.copies()[self.job]

    def attempts(self) -> list[tuple[int, str]]:
        """The attempts on record: the process that made each, and what became of it."""
        table = tables.attempts
        with self.deployment.admin.db() as db:
            rows = db.execute(
                select(table).where(table.c.job == self.job).order_by(table.c.n)
            ).all()
        return [(int(row.worker.split(":")[1]), str(row.outcome)) for row in rows]

    def times(self, kind: str) -> list[tuple[datetime, str]]:
        """When events of a kind happened to the job, and the state that each led to.

        As the record has them.
        """
        table = tables.events
        query = (
            select(table)
            .where(table.c.job == self.job, table.c.type == kind)
            .order_by(table.c.stream_ms)
        )

        with self.deployment.admin.db() as db:
            rows = db.execute(query).all()
        return [(row.at.astimezone(UTC), json.loads(row.data)["state"]) for row in rows]

    def ended(self, end: End) -> bool:
        """Whether ledger and record agree that it ended so."""
        view = self.deployment.status(self.job)
        outcomes = tuple(attempt["outcome"] for attempt in view["attempts"])
        recorded = tuple(outcome for _, outcome in self.attempts())
        states = {view["state"], self.deployment.recorded().get(self.job)}
        return states == {end.state} and outcomes == recorded == end.attempts

    def another_wire(self) -> Wire:
        """A second wire to Redis, for a second worker."""
        return self.stack.enter_context(
            wire(str(socket_path(self.deployment.data_dir)), RedisCommands)
        )

    def left_over(self) -> set[str]:
        """Whatever still counts a job as under way, or holds a doorbell."""
        redis = self.deployment.admin.redis
        flying = [key.decode() for key in redis.scan_iter(redis_keys.FLYING + "*")]
        return {
            key
            for key in (redis_keys.LEASED, redis_keys.RINGING, UNACKED, *flying)
            if redis.exists(key)
        }


def _end(worker: Process) -> None:
    """Stop it in order; one that a failed test left frozen is thawed for that."""
    if worker.poll() is None:
        thaw(worker)
        worker.terminate()
    try:
        assert worker.wait(60) in {0, -signal.SIGKILL}
    except subprocess.TimeoutExpired:
        worker.kill()
        raise


@contextmanager
def stage(deployment: Deployment) -> Iterator[CrashStage]:
    """A new job, and two wires."""
    upstream = str(socket_path(deployment.data_dir))
    google = deployment.google.removeprefix("http://")
    with (
        wire(upstream, RedisCommands) as redis,
        wire(google, HttpRequests) as gmail,
        ExitStack() as stack,
    ):
        [job] = deployment.send(campaign(1, campaign=f"stage-{next(_numbers)}"))
        yield CrashStage(deployment, job, redis, gmail, stack)
