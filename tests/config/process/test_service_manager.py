"""What a process tells systemd, as systemd hears it: over a real socket."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certmail_config.process.notices import Notices
from certmail_config.process.service_manager import ALIVE, READY, ServiceManager
from support.deployment.deployment import wait_for


@dataclass(frozen=True, slots=True)
class Manager:
    """A service manager's ear."""

    path: str
    ear: socket.socket

    def heard(self) -> list[str]:
        """What came since, a datagram each."""
        found = []
        while True:
            try:
                found.append(self.ear.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = f"certmail-test-{os.getpid()}"
    path = f"@{name}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name if request.param == "abstract" else path)
        ear.setblocking(False)
        yield Manager(path, ear)


def test_it_hears_each_word_on_a_line(manager: Manager) -> None:
    told = ServiceManager({"NOTIFY_SOCKET": manager.path}, 7)
    told.tell(READY, told.status("two\nlines"), told.more_time(1.5))
    assert manager.heard() == ["READY=1\nSTATUS=two lines\nEXTEND_TIMEOUT_USEC=1500000"]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_it_watches_whom_it_says_it_watches(given: dict[str, str], seconds: float | None) -> None:
    assert ServiceManager({"NOTIFY_SOCKET": "/run/x", **given}, 7).watchdog_seconds == seconds
    assert ServiceManager(given, 7).watchdog_seconds is None, "nobody listens"


def test_one_that_is_not_there_stops_no_work(tmp_path: Path) -> None:
    gone = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, 7)
    assert not gone.tell(READY)
    nobody = ServiceManager({}, 7)
    assert not nobody.tell(READY)
    assert not nobody.listens


async def test_one_that_does_not_hear_yet_is_told_again_that_the_process_is_ready(
    manager: Manager,
) -> None:
    told = ServiceManager({"NOTIFY_SOCKET": manager.path}, 7)
    while told.tell(ALIVE):
        pass  # until its queue is full

    life = Life()
    life.waits_for = None
    notices = Notices(told, life.why_not_ready, life.why_not_alive)
    notices.start()
    await asyncio.to_thread(wait_for, "a first try", lambda: life.asked_ready >= 1)
    manager.heard()
    await asyncio.to_thread(
        wait_for, "another", lambda: any(each.startswith(READY) for each in manager.heard())
    )
    await notices.end()


def test_what_a_process_starts_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    assert ServiceManager.of_this_process().watchdog_seconds == 1
    assert "NOTIFY_SOCKET" not in os.environ
    assert not ServiceManager.of_this_process().listens


class Life:
    """A process that is ready, or alive, as the test says."""

    waits_for: str | None = "redis: not checked"
    stuck: str | None = None
    asked = 0
    asked_ready = 0

    async def why_not_ready(self) -> str | None:
        self.asked_ready += 1
        return self.waits_for

    async def why_not_alive(self) -> str | None:
        self.asked += 1
        return self.stuck


async def test_ready_is_told_once_it_is_so_and_life_as_long_as_there_is_any(
    manager: Manager,
) -> None:
    life = Life()
    given = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "60000"}
    notices = Notices(ServiceManager(given, 7), life.why_not_ready, life.why_not_alive)
    notices.start()
    [first] = await heard(manager, 1)
    assert first == f"EXTEND_TIMEOUT_USEC=60000000\nSTATUS=redis: not checked\n{ALIVE}"

    life.waits_for = None
    assert f"{READY}\nSTATUS=Ready.\n{ALIVE}" in await heard(manager, 2)
    assert (await heard(manager, 3))[-1] == ALIVE

    life.stuck = "the loop has not turned for 21 s"
    await asked_again(life)
    manager.heard()
    await asked_again(life)
    assert manager.heard() == []

    life.stuck = None
    notices.stops()
    assert "STOPPING=1\nSTATUS=Finishing what is under way." in await heard(manager, 2)
    await notices.end()


async def asked_again(life: Life) -> None:
    """Wait until it was asked twice more whether it lives: the first may have begun before."""
    before = life.asked
    await asyncio.to_thread(wait_for, "two more questions", lambda: life.asked >= before + 2)


async def heard(manager: Manager, count: int) -> list[str]:
    """Wait for so many datagrams."""
    found: list[str] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            found += manager.heard()
            await asyncio.sleep(0.01)
    return found
