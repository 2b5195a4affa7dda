"""The server dies under a running deployment, which recovers: nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for


def test_a_killed_redis_comes_back_and_every_reminder_goes_out_once(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.link()
        up = deployment.start("certmail_worker", "up", log="up.log", CERTMAIL_LOG_FORMAT="json")
        wait_for("it is up", lambda: deployment.workers() == 1)
        jobs = deployment.send(campaign(20))
        wait_for("the first mails", lambda: len(deployment.messages()) >= 3)
        pidfile = tmp_path / "valkey" / "valkey.pid"

        for _ in range(2):
            before = pidfile.read_text()
            os.kill(int(before), signal.SIGKILL)

            def another(before: str = before) -> bool:
                try:
                    return pidfile.read_text() not in {"", before}
                except FileNotFoundError:  # removed before it is written anew
                    return False

            wait_for("another server", another)
            arrived = len(deployment.messages())
            # The function is called at once, while `arrived` is what it is here.
            wait_for("mail goes on", lambda: len(deployment.messages()) > arrived)  # noqa: B023

        states = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
        copies = deployment.copies()
        assert set(copies.values()) == {1}
        assert {job for job in jobs if states[job] == "accepted"} <= set(copies) <= set(jobs)
        assert up.poll() is None

        up.terminate()
        assert up.wait(60) == 0
        lines = [json.loads(line) for line in (tmp_path / "up.log").read_text().splitlines()]
        assert {line["process"] for line in lines} == {"up", "worker", "gateway", "flower"}
        assert {"up", "listens", "keeper", "delivery", "stops"} <= {line["event"] for line in lines}
