"""The points of a delivery at which its worker can be lost, and what is to follow at each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Final, cast

import pytest

from certmail_config.base import redis_keys
from certmail_config.ledger.script import load
from support.deployment.crash_stage import UNACKED_INDEX, CrashStage, End, stage
from support.deployment.deployment import STEADY, Deployment, new_deployment, wait_for
from support.network.wire import Side, Words
from support.processes.halt import Process

WINDOW: Final = 1.5
LEASE: Final = 6.0
HASTY: Final = {  # the worker that is lost holds its job for a few seconds only
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": "1.5",
    "CERTMAIL_SEND_WINDOW_SECONDS": str(WINDOW),
    "CERTMAIL_LEASE_SECONDS": str(LEASE),
}
UNSEEN, UNANSWERED = Side.UNSEEN, Side.UNANSWERED
Fits = Callable[[Words, str], bool]


def transition(name: str) -> Fits:
    """One of the ledger's scripts, run for the job."""
    sha = load(name).sha.encode()
    return lambda words, job: words[:2] == (b"EVALSHA", sha) and words[4] == job.encode()


def token_lookup(words: Words, _job: str) -> bool:
    """In the middle of preparing."""
    return words[0] == b"GET" and words[1].startswith(redis_keys.TOKEN.encode())


def request(words: Words, _job: str) -> bool:
    """The request to Gmail."""
    return words[:1] == (b"POST",)


def silence(words: Words, _job: str) -> bool:
    """Gmail has taken the message, and says nothing: the sandbox tells when."""
    raise NotImplementedError


def acknowledgement(words: Words, _job: str) -> bool:
    """Celery's, for the doorbell."""
    return words[:2] == (b"ZREM", UNACKED_INDEX.encode())


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a delivery, and what is true there.

    The state of the job, and the requests that its worker has made or will ever make.
    """

    fits: Fits
    side: Side
    state: str
    posts: int
    if_killed: End
    if_frozen: End


claim, begin, settle = transition("claim"), transition("begin"), transition("settle")
ACCEPTED: Final = End("accepted", ("accepted",), copies=1)
UNCERTAIN_UNSENT: Final = End("uncertain", ("unknown",), copies=0)
UNCERTAIN_SENT: Final = End("uncertain", ("unknown",), copies=1)
NOT_SENT_AT_FIRST: Final = End("accepted", ("not_sent", "accepted"), copies=1)

POINTS: Final = {
    # The lease ends: back to its lane, and the other worker sends it.
    "claim unseen": Point(claim, UNSEEN, "dispatched", 0, ACCEPTED, ACCEPTED),
    "claimed": Point(claim, UNANSWERED, "dispatched", 0, ACCEPTED, ACCEPTED),
    "preparing": Point(token_lookup, UNSEEN, "dispatched", 0, ACCEPTED, ACCEPTED),
    "begin unseen": Point(begin, UNSEEN, "dispatched", 0, ACCEPTED, ACCEPTED),
    # The lease ends: uncertain. Whoever wakes and knows better says so, and is believed.
    "begun": Point(begin, UNANSWERED, "sending", 0, UNCERTAIN_UNSENT, NOT_SENT_AT_FIRST),
    "request unseen": Point(request, UNSEEN, "sending", 1, UNCERTAIN_UNSENT, UNCERTAIN_SENT),
    "request unanswered": Point(request, UNANSWERED, "sending", 1, UNCERTAIN_SENT, UNCERTAIN_SENT),
    "Gmail silent": Point(silence, UNANSWERED, "sending", 1, UNCERTAIN_SENT, UNCERTAIN_SENT),
    "settle unseen": Point(settle, UNSEEN, "sending", 1, UNCERTAIN_SENT, ACCEPTED),
    # Nothing to do.
    "settled": Point(settle, UNANSWERED, "accepted", 1, ACCEPTED, ACCEPTED),
    "not acknowledged": Point(acknowledgement, UNSEEN, "accepted", 1, ACCEPTED, ACCEPTED),
}

EACH_POINT: Final = pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
SIDE_BY_SIDE: Final = 3
"""Workers that are lost at the same time: at each point a lease is waited for."""


@contextmanager
def each_point(
    request: pytest.FixtureRequest, base: Path, run: Callable[[CrashStage, Point], None]
) -> Iterator[dict[Point, Future[None]]]:
    """Run what is to be seen at each point that is asked for, in deployments side by side.

    A test takes the result of its point.
    """
    chosen: list[Point] = [
        cast("Point", item.callspec.params["point"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and hasattr(item, "callspec")
    ]
    free: SimpleQueue[Deployment] = SimpleQueue()

    def at(point: Point) -> None:
        deployment = free.get()
        try:
            with stage(deployment) as on:
                run(on, point)
        finally:
            free.put(deployment)

    with ExitStack() as deployments:
        for n in range(SIDE_BY_SIDE):
            made = deployments.enter_context(new_deployment(base / str(n), **STEADY))
            made.link()
            free.put(made)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            yield {point: pool.submit(at, point) for point in chosen}


def lose(on: CrashStage, point: Point, how: Callable[[Process], None]) -> Process:
    """A worker comes to the point, and no further."""
    if point.fits is silence:
        on.deployment.fault("hang_after")
        lost = on.start_wired(on.redis, **HASTY)
        wait_for("Gmail to fall silent", lambda: on.copies == 1)
        how(lost)
        assert on.state == point.state
        return lost
    where = on.gmail if point.fits is request else on.redis

    def fits(words: Words) -> bool:
        # A doorbell that a busy machine brought too late is acknowledged, too, without the job's
        # having moved.
        return point.fits(words, on.job) and (
            point.fits is not acknowledgement or on.state == point.state
        )

    lost = on.lose(where, fits, point.side, how, **HASTY)
    assert on.state == point.state

    return lost


def moves_on(on: CrashStage, point: Point) -> Process:
    """Another worker comes, and does what the design's table says once the lease has ended.

    Only the ledger is looked at: whoever is frozen while it records holds the record up until it
    wakes.
    """
    on.ring_again()
    other = on.start_another()
    if point.state == "dispatched":
        wait_for("the other worker to send it", lambda: on.state == "accepted")

    if point.state == "sending":
        wait_for("its lease to end", lambda: on.state == "uncertain")
        view = on.deployment.status(on.job)
        assert (view["held"], view["reason"].partition(":")[0]) == (True, "worker_lost")

    return other


def check(on: CrashStage, point: Point, end: End, other: Process) -> None:
    """How it ends, as everybody sees it, and that nothing is left over."""
    wait_for(f"its end as {end}", lambda: on.ended(end))
    wait_for("nothing to be under way", lambda: not on.left_over())
    assert on.copies == end.copies
    assert on.gmail.sent[b"POST"] == point.posts

    if point.state == "dispatched":
        assert on.attempts() == [(other.pid, "accepted")]

    if point.state == "sending":
        [(reaped, state)] = on.times("reaped")
        begun, _ = on.times("begun")[0]
        assert state == "uncertain"
        assert reaped - begun >= timedelta(seconds=LEASE)
