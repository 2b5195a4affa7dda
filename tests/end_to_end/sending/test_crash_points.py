"""Every point of a delivery at which its worker can be lost, hit on purpose.

The worker is killed there; test_freeze_points.py freezes it. The table reads as the design's
table of states does in its column "on crash".

The worker reaches Redis and Gmail over wires that are held at one piece. Another worker, which
reaches both directly, moves the job on; meanwhile the doorbell that the lost worker never
acknowledged is rung again.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from certmail_worker.google.http import boottime
from support.deployment.crash_points import (
    ACCEPTED,
    EACH_POINT,
    HASTY,
    NOT_SENT_AT_FIRST,
    UNANSWERED,
    UNSEEN,
    WINDOW,
    Point,
    begin,
    check,
    claim,
    each_point,
    lose,
    moves_on,
)
from support.deployment.crash_stage import CrashStage, stage
from support.deployment.deployment import STEADY, Deployment, new_deployment, wait_for
from support.network.wire import Trap
from support.processes.halt import freeze, kill


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("points")), **STEADY) as made:
        made.link()
        yield made


def killed(on: CrashStage, point: Point) -> None:
    lose(on, point, kill)
    other = moves_on(on, point)
    check(on, point, point.if_killed, other)


@pytest.fixture(scope="module")
def ends(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Point, Future[None]]]:
    with each_point(request, Path(tmp_path_factory.mktemp("killed")), killed) as results:
        yield results


@EACH_POINT
def test_a_worker_is_killed(ends: dict[Point, Future[None]], point: Point) -> None:
    ends[point].result()


def test_a_worker_frozen_past_its_send_window_but_not_its_lease_sends_nothing(
    deployment: Deployment,
) -> None:
    with stage(deployment) as on:
        lost = on.lose(
            on.redis,
            lambda words: begin(words, on.job),
            UNANSWERED,
            freeze,
            **(HASTY | {"CERTMAIL_LEASE_SECONDS": "20"}),
        )

        frozen_at = boottime()
        wait_for("the send window to pass", lambda: boottime() > frozen_at + WINDOW)
        assert on.state == "sending"

        on.wake(lost)
        assert on.gmail.sent[b"POST"] == 0
        assert [attempt["outcome"] for attempt in on.deployment.status(on.job)["attempts"]] == [
            "not_sent"
        ]

        on.start_another()
        wait_for("the other worker to send it", lambda: on.ended(NOT_SENT_AT_FIRST))
        wait_for("nothing to be under way", lambda: not on.left_over())
        assert on.copies == 1


def test_a_begin_that_arrives_when_the_job_was_leased_anew_is_refused(
    deployment: Deployment,
) -> None:
    with stage(deployment) as on:
        lost = on.lose(on.redis, lambda words: begin(words, on.job), UNSEEN, freeze, **HASTY)
        second = on.another_wire()
        leased_anew = second.arm(Trap(lambda words: claim(words, on.job), UNSEEN, lambda: None))
        other = on.start_wired(second, CERTMAIL_GMAIL_URL=deployment.google)

        assert leased_anew.sprung.wait(60)
        assert on.state == "dispatched"

        on.wake(lost)
        second.release()
        wait_for("the other worker to send it", lambda: on.ended(ACCEPTED))
        assert on.attempts() == [(other.pid, "accepted")]

        wait_for("nothing to be under way", lambda: not on.left_over())
        assert (on.copies, on.gmail.sent[b"POST"]) == (1, 0)
