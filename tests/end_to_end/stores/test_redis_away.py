"""Redis is away for more than a minute, just when Google has answered.

What the worker knows, it keeps until it can write it down.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import pytest

from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for
from support.network.frames import HttpRequests
from support.network.wire import Side, Trap, wire
from support.servers.restorable import server

AWAY_SECONDS: Final = 65.0
"""Longer than a clock may go on unseen before it is doubted."""


@pytest.mark.timeout(300)
def test_an_answer_that_comes_while_redis_is_away_for_more_than_a_minute_ends_as_accepted_once(
    tmp_path: Path,
) -> None:
    with (
        server(tmp_path / "redis") as redis,
        new_deployment(tmp_path, **QUICK, CERTMAIL_REDIS_URL=redis.url) as deployment,
        wire(deployment.google.removeprefix("http://"), HttpRequests) as gmail,
    ):
        deployment.link()
        worker = deployment.worker(CERTMAIL_GMAIL_URL=f"http://127.0.0.1:{gmail.port}")
        [before] = deployment.send(campaign(1, campaign="before"))
        deployment.wait_recorded([before], {"accepted"})

        answered = gmail.arm(Trap(lambda words: words[0] == b"POST", Side.UNANSWERED, redis.kill))
        [job] = deployment.send(campaign(1, campaign="meanwhile"))
        assert answered.sprung.wait(60)

        gmail.release()
        time.sleep(AWAY_SECONDS)  # nothing can be waited for: that is what is tested
        assert worker.poll() is None

        redis.start()

        wait_for("it to be settled", lambda: deployment.status(job)["state"] == "accepted")
        deployment.wait_recorded([job], {"accepted"})
        [attempt] = deployment.status(job)["attempts"]
        assert (attempt["outcome"], attempt["http_status"]) == ("accepted", 200)

        after = deployment.send(campaign(5, campaign="after"))
        deployment.wait_recorded(
            after, {"accepted"}, seconds=90
        )  # Celery tries again ever less often

        assert deployment.copies() == dict.fromkeys([before, job, *after], 1)
        assert gmail.sent[b"POST"] == 7

        assert worker.poll() is None
        assert "clock_leapt" not in (tmp_path / "worker.log").read_text()
