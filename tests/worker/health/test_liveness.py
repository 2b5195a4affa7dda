"""Liveness: a loop that is blocked and a queue that nobody reads are reasons, slow stores are not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from certmail_worker.health.heartbeat import BLOCKED_SECONDS, Heartbeat
from certmail_worker.health.liveness import (
    QUEUE_LATE_SECONDS,
    QUEUE_WEDGED_SECONDS,
    UNSEEN_SECONDS,
    Liveness,
)

PROBE_SECONDS = 10.0


@dataclass
class Worker:
    """A worker whose clock, loop, hub and Redis the test moves."""

    now: float = 1000.0
    turns: bool = True
    reads: bool = True
    redis: bool = True
    asked: int = 0
    loop: Heartbeat = field(init=False)
    queue: Heartbeat = field(init=False)
    liveness: Liveness = field(init=False)

    def __post_init__(self) -> None:
        self.loop = Heartbeat(monotonic=lambda: self.now)
        self.queue = Heartbeat(monotonic=lambda: self.now)
        self.liveness = Liveness(self.loop, self.queue, self.answers, monotonic=lambda: self.now)

    async def answers(self) -> bool:
        self.asked += 1
        return self.redis

    async def probed_for(self, seconds: float) -> list[str]:
        """What probes are told in this time."""
        said = []
        until = self.now + seconds
        while self.now < until:
            self.now += PROBE_SECONDS
            if self.turns:
                self.loop.beat()
            if self.reads:
                self.queue.beat()
            if why := await self.liveness.why_not():
                said.append(why)
        return said


@pytest.fixture
def worker() -> Worker:
    return Worker()


async def test_one_that_works_lives_and_asks_redis_nothing(worker: Worker) -> None:
    assert await worker.probed_for(600) == []
    assert worker.asked == 0
    assert worker.liveness.queue_is_read


async def test_a_blocked_loop_is_noticed(worker: Worker) -> None:
    worker.turns = False
    said = await worker.probed_for(60)
    assert said[0] == f"the loop has not turned for {BLOCKED_SECONDS + PROBE_SECONDS:.0f} s"
    assert len(said) == 4


async def test_a_queue_that_is_not_read_while_redis_is_away_is_no_reason(worker: Worker) -> None:
    worker.reads = worker.redis = False
    assert await worker.probed_for(3600) == []
    assert not worker.liveness.queue_is_read

    # Celery asks again within half a minute, and reads on.
    worker.redis = True
    assert await worker.probed_for(30) == []
    worker.reads = True
    assert await worker.probed_for(60) == []


async def test_a_queue_that_is_not_read_though_redis_answers_is_noticed(worker: Worker) -> None:
    worker.reads = False
    assert await worker.probed_for(QUEUE_LATE_SECONDS + QUEUE_WEDGED_SECONDS) == []
    said = await worker.probed_for(30)
    assert said
    assert said[0].startswith("the queue has not been read for ")


async def test_answers_of_long_ago_do_not_count(worker: Worker) -> None:
    worker.reads = False
    await worker.probed_for(QUEUE_LATE_SECONDS + 60)
    worker.now += UNSEEN_SECONDS + QUEUE_WEDGED_SECONDS
    worker.loop.beat()
    assert await worker.liveness.why_not() is None


async def test_one_that_stops_reads_no_queue_and_lives(worker: Worker) -> None:
    worker.liveness.stops()
    worker.reads = False
    assert await worker.probed_for(3600) == []
