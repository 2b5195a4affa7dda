"""What others notice while one abuses the gateway: `python -m bench.abuse`.

A gateway in a process of its own, with few descriptors if asked; one API key that sends the worst
batches it may, or thousands of connections that say nothing; and meanwhile /healthz and another
tenant's enqueue, timed one after another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import aiohttp

from certmail_config.admin.admin import open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.settings import Settings
from certmail_config.stores.embedded import embedded_server
from certmail_config.tenants.api_keys import KeyScope

BATCH = "/v1/reminders:batch"


def _batch(reminders: list[Any]) -> bytes:
    return json.dumps({"reminders": reminders}, separators=(",", ":")).encode()


@cache
def worst() -> tuple[bytes, ...]:
    """The worst batches that a key may send."""
    return (
        _batch([{f"f{n}": n for n in range(590)}] * 600),
        _batch([{f"f{n}": n for n in range(90)}] * 1000),
        _batch([dict.fromkeys(map(str, range(90)), "x" * 30)] * 1000),
        _batch([{"tenant": "acme", "to": f"r{n}@acme.example"} for n in range(1000)]),
        b'{"reminders": [' + b",".join([b"[]"] * 1_000_000) + b"]}",
    )


@dataclass
class Place:
    """A gateway, its log, and a key for each of two tenants."""

    url: str
    log: Path
    keys: dict[str, str]


@dataclass
class Seen:
    """What somebody who does no harm saw.

    How long each answer took, in ms, and which were not as wanted.
    """

    health: list[float] = field(default_factory=list)
    enqueue: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [
            f"{name} {_spread(times)}"
            for name, times in (("/healthz", self.health), ("enqueue", self.enqueue))
        ]
        return "; ".join([*rows, f"failed: {len(self.wrong)}"])


def _spread(times: list[float]) -> str:
    ordered = sorted(times) or [0.0]
    return f"{len(times)} times, median {ordered[len(ordered) // 2]:.0f} ms, longest {ordered[-1]:.0f} ms"


@contextmanager
def gateway(folder: Path, *, descriptors: int | None = None) -> Iterator[Place]:
    """Start one over an embedded Valkey; with `descriptors`, it may have no more than so many."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"

    with (
        embedded_server(folder) as url,
        open_admin(Settings(data_dir=folder, redis_url=url)) as admin,
    ):
        keys = {}

        for tenant in ("acme", "globex"):
            admin.add_tenant(tenant)
            keys[tenant] = create_key(admin, tenant, tenants=[tenant], scopes=[*KeyScope])[1]

        environment = os.environ | {
            "CERTMAIL_DATA_DIR": str(folder), "CERTMAIL_REDIS_URL": url, "CERTMAIL_LISTEN": listen,
        }  # fmt: skip
        limit = f"ulimit -n {descriptors}; " if descriptors else ""
        log = folder / "gateway.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", f'{limit}exec "$0" -m certmail_worker gateway', sys.executable],
                env=environment, stdout=subprocess.PIPE, stderr=out,
            )  # fmt: skip

            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith(b"http")
                yield Place(f"http://{listen}", log, keys)
            finally:
                process.terminate()
                process.communicate(timeout=60)


async def watch(place: Place, seen: Seen, until: asyncio.Event) -> None:
    """Ask for /healthz and enqueue for globex, one after the other, on connections of their own."""
    number = 0
    given = {"Authorization": f"Bearer {place.keys['globex']}"}
    async with aiohttp.ClientSession(
        headers=given, connector=aiohttp.TCPConnector(force_close=True, local_addr=("127.0.0.2", 0))
    ) as session:
        while not until.is_set():
            number += 1
            reminder = {"tenant": "globex", "to": f"r{number}-{time.time_ns()}@globex.example"}
            for times, method, path, body, wanted in (
                (seen.health, "GET", "/healthz", None, 200),
                (seen.enqueue, "POST", "/v1/reminders", reminder, 202),
            ):
                began = time.perf_counter()

                try:
                    async with session.request(method, place.url + path, json=body) as answer:
                        await answer.read()
                        if answer.status != wanted:
                            seen.wrong.append(f"{path}: {answer.status}")
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    seen.wrong.append(f"{path}: {type(error).__name__}")

                times.append(1000 * (time.perf_counter() - began))

            await asyncio.sleep(0.02)


async def bad_batches(place: Place, at_once: int, begun: Callable[[], None]) -> None:
    """One key sends the worst that it may, again and again."""

    async def send(session: aiohttp.ClientSession) -> None:
        turn = 0
        while True:
            turn += 1
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": f"{id(session)}-{time.time_ns()}",
            }
            body = aiohttp.BytesPayload(worst()[turn % len(worst())])
            async with session.post(place.url + BATCH, data=body, headers=headers) as answer:
                await answer.read()
            begun()

    given = {"Authorization": f"Bearer {place.keys['acme']}"}
    async with aiohttp.ClientSession(headers=given) as session:
        await asyncio.gather(*(send(session) for _ in range(at_once)))


async def silence(place: Place, number: int, begun: Callable[[], None]) -> None:
    """Hold so many connections that say nothing, or half of what they should.

    Who is sent away comes again.
    """
    host, port = place.url.removeprefix("http://").split(":")
    opened: set[int] = set()

    async def hold(n: int) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
                opened.add(n)
                if len(opened) == number:
                    begun()
                writer.write(b"GET / HTTP/1.1\r\nHost" if n % 2 else b"")
                await reader.read()
                writer.close()
            except OSError:
                pass  # as whoever does this would
            await asyncio.sleep(5)

    await asyncio.gather(*(hold(n) for n in range(number)))


ABUSES = {"batches": bad_batches, "silence": silence}


def _abuse(name: str, place: Place, number: int, under_way: Event) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(ABUSES[name](place, number, under_way.set))


@contextmanager
def abused(place: Place, name: str, number: int) -> Iterator[None]:
    """In a process of its own, so that who looks on is not held up by who does it.

    It is under way: a batch has been answered, or every connection was open once.
    """
    spawn = get_context("spawn")
    under_way = spawn.Event()
    process = spawn.Process(target=_abuse, args=(name, place, number, under_way), daemon=True)
    process.start()
    try:
        assert under_way.wait(120), name
        yield
    finally:
        process.kill()
        process.join()


async def look_on(place: Place, seconds: float) -> Seen:
    """What others see meanwhile."""
    seen, until = Seen(), asyncio.Event()
    watching = asyncio.ensure_future(watch(place, seen, until))
    await asyncio.sleep(seconds)
    until.set()
    await watching
    return seen


def main(place: Place, seconds: float, connections: int) -> Iterator[str]:
    """Say what is seen."""
    yield f"quiet:               {asyncio.run(look_on(place, seconds))}"
    for name, number, words in (
        ("batches", 4, "the batches of a key"),
        ("silence", connections, f"{connections:,} silent"),
    ):
        with abused(place, name, number):
            yield f"{words:20} {asyncio.run(look_on(place, seconds))}"
    yield f"lines in its log:    {len(place.log.read_text().splitlines())}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="for each")
    parser.add_argument("--connections", type=int, default=3000)
    parser.add_argument("--descriptors", type=int, help="that the gateway may have")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        gateway(Path(folder), descriptors=options.descriptors) as found,
    ):
        for line in main(found, options.seconds, options.connections):
            # What it is for.
            print(line, flush=True)  # noqa: T201
