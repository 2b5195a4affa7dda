"""Redis is away for longer than a lease, just when the worker knows what nobody else does.

It keeps that until it can write it down.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

from certmail_config.ledger.script import load
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for
from support.network.frames import HttpRequests, RedisCommands
from support.network.wire import Side, Trap, wire
from support.servers.restorable import server


def test_a_worker_that_is_told_to_stop_meanwhile_first_says_what_it_knows(tmp_path: Path) -> None:
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


def test_a_request_whose_record_was_made_but_not_confirmed_is_no_doubt_but_sent_later(
    tmp_path: Path,
) -> None:
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
