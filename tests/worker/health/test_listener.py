"""A worker's listener answers while the worker's own loop does not, and no visitor can hold it up."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.ledger import advertise, note, run
from certmail_config.process import listener
from certmail_config.process.listener import HealthListener
from certmail_config.process.release import Release
from certmail_config.process.service_manager import ServiceManager
from certmail_config.stores.connect import connect_async
from certmail_worker.health.worker_health import WorkerHealth
from support.deployment.deployment import wait_for

SOON = 5.0
"""A loop that does not turn for so long counts as blocked: longer than a busy machine stops one."""
PATIENCE = 5.0
"""How long a connection lasts."""


@dataclass(frozen=True, slots=True)
class Process:
    """What a worker process has of health: a loop in a thread, and the listener beside it."""

    address: str
    health: WorkerHealth
    loop: asyncio.AbstractEventLoop

    def get(self, path: str) -> tuple[int, Any]:
        answer = requests.get(self.address + path, timeout=60)
        return answer.status_code, answer.json()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Let the loop stand still, as one does in a call that never returns."""
        stands, ends = threading.Event(), threading.Event()

        def block() -> None:
            stands.set()
            ends.wait(60)

        self.loop.call_soon_threadsafe(block)
        assert stands.wait(60)
        try:
            yield
        finally:
            ends.set()


@contextmanager
def served(redis_url: str) -> Iterator[Process]:
    """One that notices soon, and has little patience."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    health = WorkerHealth(Release("1.2.3", "abc"), ServiceManager({}, 1), blocked_seconds=SOON)
    client = connect_async(redis_url)
    asyncio.run_coroutine_threadsafe(health.start(client), loop).result(60)
    made = HealthListener("127.0.0.1", 0, health.pages, connection_seconds=PATIENCE)
    yield Process(made.start(), health, loop)

    made.stop()
    for last in (health.stop(), client.aclose()):
        asyncio.run_coroutine_threadsafe(last, loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


@pytest.fixture
def process(redis: Redis, redis_url: str) -> Iterator[Process]:
    assert redis.dbsize() == 0
    with served(redis_url) as made:
        yield made


def check_the_run(redis: Redis) -> None:
    """As the pacer does before anything leaves."""
    redis.set(redis_keys.CHECKED_RUN, redis.info("server")["run_id"])


class TestReadiness:
    def test_a_worker_is_ready_when_it_reads_the_queue_of_a_redis_that_was_checked(
        self, process: Process, redis: Redis
    ) -> None:
        status, said = process.get("/readyz")
        assert (status, said["ready"], said["checks"]["worker"]) == (503, False, "starts")
        assert (said["version"], said["revision"]) == ("1.2.3", "abc")

        process.health.consumes()
        wait_for("another look", lambda: process.get("/readyz")[1]["checks"]["worker"] == "ok")
        status, said = process.get("/readyz")
        assert status == 503
        assert said["checks"]["redis"].startswith("not checked since it started")

        check_the_run(redis)
        wait_for("another look", lambda: process.get("/readyz")[0] == 200)

    def test_why_pacing_was_stopped_is_said(self, process: Process, redis: Redis) -> None:
        process.health.consumes()
        redis.hset(redis_keys.STOPPED, "code", "rolled_back")
        said = process.get("/readyz")[1]
        assert said["ready"] is False
        assert said["checks"]["pacing"] == "stopped (`certmail doctor` says more): rolled_back"

    def test_a_service_that_stands_still_withdraws_nobody(
        self, process: Process, redis: Redis
    ) -> None:
        check_the_run(redis)
        run(redis, advertise("w", 10, seconds=60))
        run(redis, note("caretaker", within=-1))
        process.health.consumes()
        status, said = process.get("/readyz")
        assert (status, said["ready"]) == (200, True)
        assert said["checks"]["caretaker"].startswith("not as it should be")

    def test_one_that_is_told_to_stop_is_ready_no_more_and_lives(
        self, process: Process, redis: Redis
    ) -> None:
        check_the_run(redis)
        process.health.consumes()
        assert process.get("/readyz")[0] == 200
        process.health.quiet()
        assert process.get("/readyz")[1]["checks"]["worker"] == "stops"
        assert process.get("/healthz") == (200, {"ok": True})


class TestABlockedLoop:
    def test_is_seen_from_outside(self, process: Process, redis: Redis) -> None:
        check_the_run(redis)
        process.health.consumes()
        assert process.get("/healthz") == (200, {"ok": True})

        with process.blocked():
            status, said = process.get("/readyz")
            assert (status, said["ready"]) == (503, False)
            assert said["checks"]["loop"].startswith("has not answered for ")
            wait_for("it to be noticed", lambda: process.get("/healthz")[0] == 503)
            assert process.get("/healthz")[1]["why"].startswith("the loop has not turned for ")

        wait_for("it to go on", lambda: process.get("/readyz")[0] == 200)
        assert process.get("/healthz") == (200, {"ok": True})


class TestVisitors:
    def test_those_who_ask_nothing_make_room(self, process: Process) -> None:
        host, port = process.address.removeprefix("http://").split(":")
        silent = [
            socket.create_connection((host, int(port))) for _ in range(2 * listener.MAX_CONNECTIONS)
        ]

        assert process.get("/healthz") == (200, {"ok": True})
        assert silent[0].recv(1) == b"", "the oldest was let go"
        for each in silent:
            each.close()

    def test_none_stays_for_long(self, process: Process) -> None:
        host, port = process.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.settimeout(60)
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
            assert slow.recv(1) == b""

    @pytest.mark.parametrize(
        "sent", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9\r\n\r\n", b"\r\n" * 99]
    )
    def test_what_is_no_request_harms_nobody(self, process: Process, sent: bytes) -> None:
        host, port = process.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as odd:
            odd.sendall(sent)
            odd.shutdown(socket.SHUT_WR)
            while odd.recv(4096):
                pass
        assert process.get("/healthz") == (200, {"ok": True})

    def test_there_is_nothing_else(self, process: Process) -> None:
        for path in ("/", "/console", "/v1/reminders"):
            assert requests.get(process.address + path, timeout=60).status_code == 404
        assert requests.post(f"{process.address}/readyz", timeout=60).status_code == 405


def test_an_address_that_is_taken_is_said(process: Process) -> None:
    host, port = process.address.removeprefix("http://").split(":")
    with pytest.raises(OSError, match="address already in use"):
        HealthListener(host, int(port), {}).start()


def test_pages_are_json(process: Process) -> None:
    answer = requests.get(f"{process.address}/readyz", timeout=60)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(json.loads(answer.text)) == ["ready", "version", "revision", "checks"]
