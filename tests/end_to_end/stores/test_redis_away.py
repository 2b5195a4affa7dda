"""Redis is away just when a worker knows what nobody else does: for a lease, or for over a minute.

What it knows, it keeps until it can write it down. The three scenes are played at the same time:
there is nothing to wait for in them but the time.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from certmail_config.ledger.script import load
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for
from support.deployment.probes import is_ready, lives
from support.network.addresses import free_address
from support.network.frames import HttpRequests, RedisCommands
from support.network.wire import Side, Trap, wire
from support.servers.restorable import server

AWAY_SECONDS: Final = 65.0
"""Longer than a clock may go on unseen before it is doubted."""


def an_answer_comes_while_it_is_away(tmp_path: Path) -> None:
    health = free_address()
    with (
        server(tmp_path / "redis") as redis,
        new_deployment(tmp_path, **QUICK, CERTMAIL_REDIS_URL=redis.url) as deployment,
        wire(deployment.google.removeprefix("http://"), HttpRequests) as gmail,
    ):
        deployment.link()
        wired = {"CERTMAIL_GMAIL_URL": f"http://127.0.0.1:{gmail.port}"}
        worker = deployment.worker(**wired, CERTMAIL_METRICS_LISTEN=health)
        [before] = deployment.send(campaign(1, campaign="before"))
        deployment.wait_recorded([before], {"accepted"})

        answered = gmail.arm(Trap(lambda words: words[0] == b"POST", Side.UNANSWERED, redis.kill))
        [job] = deployment.send(campaign(1, campaign="meanwhile"))
        assert answered.sprung.wait(60)

        gmail.release()
        time.sleep(AWAY_SECONDS)  # nothing can be waited for: that is what is tested
        assert worker.poll() is None
        assert lives(health), "another would fare no better"
        assert not is_ready(health)

        redis.start()

        wait_for("it to be settled", lambda: deployment.status(job)["state"] == "accepted")
        deployment.wait_recorded([job], {"accepted"})
        [attempt] = deployment.status(job)["attempts"]
        assert (attempt["outcome"], attempt["http_status"]) == ("accepted", 200)

        after = deployment.send(campaign(5, campaign="after"))
        deployment.wait_recorded(
            after, {"accepted"}, seconds=90
        )  # Celery tries again ever less often

        wait_for("it to be ready again", lambda: is_ready(health))
        assert deployment.copies() == dict.fromkeys([before, job, *after], 1)
        assert gmail.sent[b"POST"] == 7

        assert worker.poll() is None
        assert "clock_leapt" not in (tmp_path / "worker.log").read_text()


def a_worker_is_told_to_stop_meanwhile(tmp_path: Path) -> None:
    with (
        server(tmp_path / "redis") as redis,
        new_deployment(tmp_path, **QUICK, CERTMAIL_REDIS_URL=redis.url) as deployment,
        wire(deployment.google.removeprefix("http://"), HttpRequests) as gmail,
    ):
        deployment.link()
        worker = deployment.worker(CERTMAIL_GMAIL_URL=f"http://127.0.0.1:{gmail.port}")
        wait_for("a worker", lambda: deployment.workers() == 1)
        answered = gmail.arm(Trap(lambda words: words[0] == b"POST", Side.UNANSWERED, redis.kill))
        [job] = deployment.send(campaign(1))
        assert answered.sprung.wait(60)

        gmail.release()
        worker.send_signal(signal.SIGTERM)
        lease = float(QUICK["CERTMAIL_LEASE_SECONDS"])
        time.sleep(lease + 3)  # as long as other deliveries are waited for, and longer
        assert worker.poll() is None

        redis.start()
        assert worker.wait(60) == 0
        assert deployment.status(job)["state"] == "accepted"
        assert deployment.copies() == {job: 1}


def a_record_is_made_but_not_confirmed(tmp_path: Path) -> None:
    """The answer to `begin` is lost, until after the lease: only this worker knows that."""
    begins = load("begin").sha.encode()

    with (
        server(tmp_path / "redis") as redis,
        new_deployment(tmp_path, **QUICK, CERTMAIL_REDIS_URL=redis.url) as deployment,
        wire(str(redis.socket), RedisCommands) as between,
    ):
        deployment.link()
        worker = deployment.worker(CERTMAIL_REDIS_URL=f"redis://127.0.0.1:{between.port}/0")
        [before] = deployment.send(campaign(1, campaign="before"))
        deployment.wait_recorded([before], {"accepted"})  # from now on the server knows the script
        lost = between.arm(Trap(lambda words: begins in words, Side.UNANSWERED, lambda: None))
        [job] = deployment.send(campaign(1))
        assert lost.sprung.wait(60)

        time.sleep(
            float(QUICK["CERTMAIL_LEASE_SECONDS"]) + 2
        )  # and longer than a client waits for an answer
        between.release()
        deployment.wait_recorded([job], {"accepted"}, seconds=90)

        assert [each["outcome"] for each in deployment.status(job)["attempts"]] == [
            "not_sent",
            "accepted",
        ]
        assert deployment.copies() == {before: 1, job: 1}
        assert worker.poll() is None


SCENES: Final[dict[str, Callable[[Path], None]]] = {
    "answered": an_answer_comes_while_it_is_away,
    "stopped": a_worker_is_told_to_stop_meanwhile,
    "unconfirmed": a_record_is_made_but_not_confirmed,
}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    with ThreadPoolExecutor(len(SCENES)) as pool:
        yield {
            name: pool.submit(play, Path(tmp_path_factory.mktemp(name)))
            for name, play in SCENES.items()
        }


def test_a_worker_that_is_told_to_stop_meanwhile_first_says_what_it_knows(
    scenes: dict[str, Future[None]],
) -> None:
    scenes["stopped"].result()


def test_a_request_whose_record_was_made_but_not_confirmed_is_no_doubt_but_sent_later(
    scenes: dict[str, Future[None]],
) -> None:
    scenes["unconfirmed"].result()


@pytest.mark.timeout(300)
def test_an_answer_that_comes_while_redis_is_away_for_more_than_a_minute_ends_as_accepted_once(
    scenes: dict[str, Future[None]],
) -> None:
    scenes["answered"].result()
