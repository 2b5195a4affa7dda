"""A gateway's whole log is JSON where that is asked for, whatever happens in and around it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from support.deployment.deployment import Deployment, new_deployment, wait_for

ODD = """
import logging, threading, warnings
from certmail_worker.runtime.logs import set_up

class Odd:
    def __del__(self):
        raise LookupError("thrown away")

set_up("json", process="gateway")
warnings.warn("odd")
thread = threading.Thread(target=lambda: {}["of a thread"])
thread.start()
thread.join()
Odd()
logging.getLogger("other").warning("%d", "no number")
logging.getLogger("asyncio").error("Task exception was never retrieved")
raise ValueError("Bearer SSSSSSSSSSSSSSSSSSSS of ann@people.example")
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Any:
    with new_deployment(tmp_path, CERTMAIL_LOG_FORMAT="json") as made:
        yield made


def log(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    """Its lines, on both streams; fails where one is no JSON object."""
    lines = (deployment.data_dir / name).read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert all({"timestamp", "level", "process", "event"} <= line.keys() for line in found)
    return found


def test_from_its_address_to_its_end(deployment: Deployment) -> None:
    gateway = deployment.open_gateway()
    for path in ("/v1/tenants", "/nowhere", "/console"):
        requests.get(deployment.gateway + path, timeout=60)
    address = urlsplit(deployment.gateway)
    with socket.create_connection((address.hostname or "", address.port or 0)) as line:
        line.sendall(b"\0 no HTTP at all\r\n\r\n")
        assert line.recv(100)

    again = deployment.start("certmail_worker", "gateway", log="again.log")
    assert again.wait(60) == 1
    gateway.terminate()
    assert gateway.wait(60) == 0

    said = log(deployment, "gateway.log")
    assert said[0]["event"] == "listens"
    assert said[0]["address"] == deployment.gateway
    assert {"request", "bad_request"} <= {each["event"] for each in said}
    [*_, last] = log(deployment, "again.log")
    assert (last["event"], last["code"], last["level"]) == (
        "does_not_run",
        "address_in_use",
        "critical",
    )


def test_what_nobody_catches() -> None:
    ran = subprocess.run([sys.executable, "-c", ODD], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert ran.returncode == 1
    assert [line["event"] for line in lines if line["event"] == "unforeseen"] == ["unforeseen"] * 3
    kinds = [each["exc_type"] for line in lines for each in line.get("exception", ())]
    assert kinds == ["KeyError", "LookupError", "ValueError"]
    assert {"line_lost", "Task exception was never retrieved"} <= {line["event"] for line in lines}
    assert any(line["event"].endswith("UserWarning: odd") for line in lines)
    assert "SSSS" not in ran.stderr
    assert "people.example" not in ran.stderr


def test_a_reminder_is_followed_from_its_receipt_to_the_record(deployment: Deployment) -> None:
    deployment.link()
    deployment.worker()
    deployment.open_gateway()
    key = deployment.ask("keys", "create", "upstream", "--tenant", "acme")["key"]
    answer = requests.post(
        f"{deployment.gateway}/v1/reminders",
        json={"tenant": "acme", "to": "anna@people.example", "campaign": "q4"},
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    )
    job = answer.json()["id"]
    deployment.wait_recorded([job], {"accepted"})

    def lines(name: str) -> list[dict[str, Any]]:
        return [line for line in log(deployment, name) if line.get("job") == job]

    wait_for("the worker's line", lambda: bool(lines("worker.log")))
    [asked] = lines("gateway.log")
    *_, sent = lines("worker.log")

    assert (asked["request"], asked["tenant"]) == (answer.headers["X-Request-Id"], "acme")
    assert (sent["state"], sent["tenant"], sent["campaign"]) == ("accepted", "acme", "q4")
    recorded = deployment.ask("status", job)
    assert sent["attempt"] == len(recorded["attempts"])
    assert "people.example" not in str(
        log(deployment, "gateway.log") + log(deployment, "worker.log")
    )
