"""Flower shows the state of each reminder as it is, under the reminder's own id.

What failed is FAILURE, what waits again RETRY, and what nobody knows UNCERTAIN.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for
from support.deployment.doorbell import ring
from support.deployment.flower import LOCKED, flower_client

BAD = {
    "error": {
        "code": 400,
        "message": "Invalid To header",
        "errors": [{"reason": "invalidArgument"}],
    }
}


def test_each_reminder_is_seen_as_it_is(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK, **LOCKED) as deployment:
        deployment.start("certmail_worker", "flower", log="flower.log")
        deployment.link(units=100_000)
        deployment.start("certmail_worker", "worker", "--name", "one", log="worker.log")
        flower = flower_client(deployment)
        wait_for("the worker is seen", lambda: "one@" in flower.get("/api/workers?status=1").text)

        def seen(job: str) -> dict[str, Any]:
            found: dict[str, Any] = flower.json("/api/tasks?limit=1000").get(job, {})
            return found

        def send(state: str, *, then: str) -> str:
            [job] = deployment.send(campaign(1, campaign=f"to be {state}"))
            wait_for(f"{job} is {state}", lambda: deployment.status(job)["state"] == state)
            wait_for(f"Flower shows {then}", lambda: seen(job).get("state") == then)
            return job

        fine = send("accepted", then="SUCCESS")
        deployment.fault({"status": 400, "headers": {}, "body": BAD}, times=1)
        failed = send("failed", then="FAILURE")
        deployment.fault("reset_after", times=1)
        unknown = send("uncertain", then="UNCERTAIN")
        later = datetime.now(UTC) + timedelta(minutes=5)
        deployment.fault(
            "429_retry_at", retry_at=later.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
        waits = send("ready", then="RETRY")

        code = deployment.status(failed)["reason"].partition(":")[0]
        assert (seen(failed)["exception"], seen(failed)["traceback"]) == (code, None)
        assert code in flower.get(f"/task/{failed}").text
        assert seen(fine)["runtime"] > 0

        for job in (failed, unknown, fine):
            ring(deployment, job)
        wait_for(
            "each doubled doorbell has a row of its own",
            lambda: (
                sum(task["state"] == "REFUSED" for task in flower.json("/api/tasks").values()) == 3
            ),
        )
        rows = flower.json("/api/tasks?limit=1000")

        assert {job: rows[job]["state"] for job in (fine, failed, unknown, waits)} == {
            fine: "SUCCESS",
            failed: "FAILURE",
            unknown: "UNCERTAIN",
            waits: "RETRY",
        }

        doubled = [task for task in rows.values() if task["state"] == "REFUSED"]
        assert {task["root_id"] for task in doubled} == {failed, unknown, fine}

        [worker] = flower.json("/workers?json=1")["data"]
        assert (worker["task-succeeded"], worker["task-failed"], worker["task-retried"]) == (
            1,
            1,
            1,
        )
        assert (
            "people.example"
            not in requests.get(f"{flower.url}/api/tasks", auth=flower.auth, timeout=60).text
        )

        lines = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines()]
        assert not any("exception" in line for line in lines)

        told = {line["job"]: line for line in lines if line["event"] == "delivery"}
        assert {job: told[job]["level"] for job in (fine, failed, unknown)} == {
            fine: "info",
            failed: "warning",
            unknown: "warning",
        }

        ids = {
            "job": failed,
            "tenant": "acme",
            "connection": deployment.status(failed)["connection"],
        }
        line = told[failed]

        assert ids.items() <= line.items()
        assert (line["campaign"], line["attempt"], line["state"], line["code"]) == (
            "to be failed",
            1,
            "failed",
            code,
        )
        assert min(line["send_ms"], line["settle_ms"]) > 0
        for line in (tmp_path / "flower.log").read_text().splitlines():
            assert line.startswith(("{", "http://")), "Flower's address, and lines of JSON"
