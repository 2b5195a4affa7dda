"""From start to end of each process: ready, watched, told to stop, and quiet about it."""

from __future__ import annotations

import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import Popen

import pytest
import requests

from support.deployment.deployment import (
    BUSY_SECONDS,
    Deployment,
    campaign,
    new_deployment,
    wait_for,
)
from support.deployment.flower import LOCKED, flower_client
from support.deployment.probes import is_ready, lives, readiness
from support.network.addresses import free_address
from support.processes.halt import Process

ENDS = BUSY_SECONDS
LOUD = re.compile(r'Traceback|Exception|"level": "(error|critical)"|\b(ERROR|CRITICAL)\b')
"""What nobody should find in the log of a process that was told to stop."""
UNITS = 150_000


@dataclass(slots=True)
class Manager:
    """A service manager's ear, and what it heard."""

    path: Path
    heard: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What it gives to a process that it watches."""
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": "600000"}

    def has_heard(self, word: str, times: int = 1) -> bool:
        """Whether it was told this word, and so often."""
        return self.heard.count(word) >= times

    def listen(self, ear: socket.socket) -> None:
        """Hear whatever comes, until nothing more can."""
        while told := ear.recv(4096):
            self.heard += told.decode().splitlines()


@contextmanager
def manager(folder: Path, name: str) -> Iterator[Manager]:
    made = Manager(folder / f"{name}.notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(made.path))
        thread = threading.Thread(target=made.listen, args=(ear,))
        thread.start()
        yield made
        ear.shutdown(socket.SHUT_RDWR)
        thread.join()


def work(deployment: Deployment, worker: str) -> list[str]:
    """Reminders under way in a worker whose Google takes its time; gives the jobs."""
    deployment.link(units=UNITS, in_flight=20)
    deployment.control("PUT", "/limits", {"units_per_minute": UNITS, "in_flight": 20})
    wait_for("the worker to be ready", lambda: is_ready(worker))
    deployment.fault("slow", times=None, seconds=2)
    jobs = deployment.send(campaign(30))
    wait_for("requests under way", lambda: len(deployment.sends()) >= 5)
    return jobs


def told_to_stop(process: Process, log: Path) -> None:
    """It ends in time, with status 0, and its log is quiet."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(ENDS) == 0, log.read_text()[-4000:]
    assert [line for line in log.read_text().splitlines() if LOUD.search(line)] == []


@pytest.mark.timeout(300)
def test_each_process_tells_that_it_is_ready_lives_and_stops_and_ends_quietly_under_load(
    tmp_path: Path,
) -> None:
    with (
        new_deployment(tmp_path / "d", **LOCKED) as deployment,
        manager(tmp_path, "worker") as of_worker,
        manager(tmp_path, "gateway") as of_gateway,
    ):
        health, listens = free_address(), free_address()
        deployment.start("certmail_worker", "flower", log="flower.log")
        worker = deployment.worker(CERTMAIL_METRICS_LISTEN=health, **of_worker.environment)
        gateway = deployment.start(
            "certmail_worker",
            "gateway",
            log="gateway.log",
            CERTMAIL_LISTEN=listens,
            CERTMAIL_REVISION="abc1234",
            **of_gateway.environment,
        )
        jobs = work(deployment, health)

        for each in (of_worker, of_gateway):
            wait_for("both to be ready", partial(each.has_heard, "READY=1"))
            wait_for("signs of life", partial(each.has_heard, "WATCHDOG=1", times=3))
        assert readiness(listens)["revision"] == "abc1234"
        assert readiness(health)["version"] == readiness(listens)["version"]
        assert lives(health)

        client = flower_client(deployment)
        assert client.get("/").ok
        told_to_stop(gateway, tmp_path / "d" / "gateway.log")
        told_to_stop(worker, tmp_path / "d" / "worker.log")
        for each in (of_worker, of_gateway):
            wait_for("the end to be told", partial(each.has_heard, "STOPPING=1"))

        # What was under way was finished; the rest waits for the next.
        deployment.control("DELETE", "/faults")
        deployment.worker()
        deployment.wait_recorded(jobs, {"accepted"})
        assert deployment.copies() == dict.fromkeys(jobs, 1)


@pytest.mark.timeout(300)
def test_flower_ends_quietly_while_somebody_looks(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **LOCKED) as deployment, requests.Session() as browser:
        flower = deployment.start("certmail_worker", "flower", log="flower.log")
        client = flower_client(deployment)
        browser.auth = client.auth
        assert browser.get(client.url, timeout=60).ok
        told_to_stop(flower, tmp_path / "flower.log")


@pytest.mark.timeout(300)
def test_up_ends_all_that_it_runs_quietly(tmp_path: Path) -> None:
    health, listens = free_address(), free_address()
    with new_deployment(
        tmp_path, CERTMAIL_METRICS_LISTEN=health, CERTMAIL_LISTEN=listens
    ) as deployment:
        log = tmp_path / "up.log"
        with log.open("wb") as file:
            command = [sys.executable, "-m", "certmail_worker", "up"]
            up = Popen(command, env=deployment.environment, stdout=file, stderr=file)
        try:
            work(deployment, health)
            wait_for("the gateway to be ready", lambda: is_ready(listens))
            told_to_stop(up, log)
        finally:
            up.kill()
            up.wait()


@pytest.mark.timeout(300)
def test_a_second_worker_with_the_same_address_says_so(tmp_path: Path) -> None:
    with new_deployment(tmp_path, CERTMAIL_METRICS_LISTEN=free_address()) as deployment:
        deployment.worker()
        wait_for("a worker", lambda: deployment.workers() == 1)
        second = deployment.run("worker")
        assert (second.status, "CERTMAIL_METRICS_LISTEN" in second.err) == (1, True), second.err
