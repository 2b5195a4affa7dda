"""Three receivers, and a recorder and two senders of which one or another is killed at random.

One receiver is slow, one fails half the time, one redirects, hangs, sends gigabytes, and answers
410 at last. Every event reaches each of them at least once, and whoever gets one late can tell.

WEBHOOK_EVENTS=20000 (`make webhooks`) is the long form; WEBHOOK_SEED makes the same again.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from redis import Redis
from sqlalchemy import func, select

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.webhooks import endpoints as webhooks
from certmail_config.admin.webhooks import running
from certmail_config.base import redis_keys
from certmail_config.base.ids import uuid7
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.webhooks.messages import kept_of
from certmail_config.webhooks.health import EndpointState
from certmail_worker.recording.consistency import check
from support.network.receivers import Received, Receiver, flood, hang, receiver, status
from support.processes.harassed import Harassed

EVENTS: Final = int(os.environ.get("WEBHOOK_EVENTS", "300"))
SEED: Final = int(os.environ.get("WEBHOOK_SEED", "0")) or random.randrange(1, 1_000_000)
SPEED: Final = 6000.0
"""Ten hours between two attempts become six seconds."""
HELD_SECONDS: Final = 3.0
KILLED_AFTER: Final = (0.2, 1.5) if EVENTS < 5_000 else (2.0, 8.0)
"""Seconds between two kills: in the long form a sender is to have sent something before its own."""
SENDER: Final = "support.processes.sender_process"
MODULES: Final = ("support.processes.recorder_process", SENDER, SENDER)
MAX_GROWTH_KB: Final = 40_000
"""What a sender may have more in memory at its end than when it was warm."""


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        vault_keys=(("k1", os.urandom(32)),),
        webhook_allow="http://127.0.0.1",
    )
    # Patient: two senders write into the same file all the time.
    with open_admin(settings, supervise=True) as made:
        assert check(made.redis, made.engine)
        yield made


def happen(redis: Redis, events: int) -> dict[str, str]:
    """Reminders that are uncertain first, and accepted then, among each other.

    Gives the id of each message that must be told, with the state that it tells of.
    """
    told: dict[str, str] = {}
    jobs = [uuid7(round(time.time() * 1000)) for _ in range(events // 2)]
    lives = [_lives(job) for job in jobs]
    # So that the two events of one are near each other, and those of many among them.
    steps = [
        life[step]
        for start in range(0, len(lives), 20)
        for step in range(4)
        for life in lives[start : start + 20]
    ]

    for start in range(0, len(steps), 500):
        with redis.pipeline(transaction=False) as pipe:
            for fields in steps[start : start + 500]:
                pipe.xadd(redis_keys.EVENTS, fields)
            ids = pipe.execute()
        for id_, fields in zip(ids, steps[start : start + 500], strict=True):
            if fields["state"] in {"uncertain", "accepted"}:
                told[f"msg_{id_.decode().replace('-', '_')}"] = str(fields["state"])
    return told


def _lives(job: str) -> list[dict[Any, Any]]:
    of = {"job": job, "tenant": "acme", "connection": "c", "at": str(round(time.time() * 1000))}
    enqueued = {
        "type": "enqueued", "kind": "reminder", "campaign": "q4", "state": "ready", "reason": "", "send_at": "",
        "expires_at": "4000000000000", "dedupe": f"acme:{job}", "fingerprint": "f", "priority": "5",
    }  # fmt: skip
    settled = {"type": "settled", "attempt": "1", "held": "0", "detail": "{}"}
    return [
        of | enqueued,
        of | {"type": "begun", "attempt": "1", "state": "sending", "worker": "w"},
        of
        | settled
        | {"state": "uncertain", "outcome": "unknown", "reason": "worker_lost: it was"},
        of | settled | {"state": "accepted", "outcome": "accepted", "reason": ""},
    ]


async def until(what: str, seen: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(seen):
        assert time.monotonic() < deadline, f"{what}; seed {SEED}"
        await asyncio.sleep(0.1)


class Storm:
    """The three receivers' habits, from one source of chance."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)

    async def slow(self, _: Received) -> web.StreamResponse:
        await asyncio.sleep(self._random.uniform(0.01, 0.06))
        return web.Response(status=204)

    async def half(self, received: Received) -> web.StreamResponse:
        return await status(self._random.choice((200, 500)))(received)

    async def nasty(self, received: Received) -> web.StreamResponse:
        habits: tuple[Callable[[Received], Awaitable[web.StreamResponse]], ...] = (
            status(302, Location="http://169.254.169.254/"),
            flood,
            hang,
            status(503, Retry_After="1"),
        )
        return await self._random.choice(habits)(received)


@pytest.mark.timeout(240 + EVENTS / 10)
async def test_every_event_reaches_every_endpoint_whoever_is_killed(
    admin: Admin, tmp_path: Path, record_property: Any
) -> None:
    storm, began = Storm(), time.monotonic()
    habits = {"slow": storm.slow, "half": storm.half, "nasty": storm.nasty}
    patience = 120 + EVENTS / 15

    async with AsyncExitStack() as servers:
        there: dict[str, Receiver] = {}
        ids: dict[str, str] = {}
        for name, habit in habits.items():
            there[name] = await servers.enter_async_context(receiver(habit=habit))
            made, secret = webhooks.add_webhook(admin, there[name].url, tenants=["*"], name=name)
            ids[name], there[name].secrets = made.id, (secret,)

        fleet = Harassed(MODULES, _environment(admin), tmp_path / "log", SEED)
        with ExitStack() as processes:
            processes.enter_context(fleet.running())
            with fleet.harassed(*KILLED_AFTER):
                told = await asyncio.to_thread(happen, admin.redis, EVENTS)
                await until(
                    "the slow one to have all",
                    lambda: told.keys() <= there["slow"].taken.keys(),
                    patience,
                )
                await until("some to be killed", lambda: fleet.killed > 5, 60)

            processes.enter_context(fleet.measured())
            there["nasty"].habit = status(410)
            await until(
                "nasty to be disabled",
                lambda: _state(admin, ids["nasty"]) is EndpointState.DISABLED,
                patience,
            )
            told |= await asyncio.to_thread(happen, admin.redis, max(20, EVENTS // 20))
            await until("all to be kept", lambda: _kept(admin, ids["nasty"]) == len(told), patience)
            missed = told.keys() - there["nasty"].taken.keys()

            there["nasty"].habit = None
            running.resume_webhook(admin, ids["nasty"])

            def complete() -> bool:
                for id_ in ids.values():
                    if _failed(admin, id_):
                        running.replay_failed(admin, id_)
                return all(told.keys() <= each.taken.keys() for each in there.values())

            await until("all to have all", complete, patience)

    log = (tmp_path / "log").read_text()
    for name, each in there.items():
        assert each.forged == [], name
        others = [bodies[0] for id_, bodies in each.taken.items() if id_ not in told]
        gone = {"webhook": ids["nasty"], "code": "gone"}
        assert [body["data"] for body in others] == ([] if name == "nasty" else [gone]), "told once"
        _check_order(each, told)
    assert "Traceback" not in log
    growth = _growth(fleet.memory)
    assert growth < MAX_GROWTH_KB

    posts = sum(sum(each.seen.values()) for each in there.values())
    twice = sum(len(bodies) > 1 for each in there.values() for bodies in each.taken.values())
    record_property(
        "said",
        f"{admin.engine.dialect.name}: {len(told):,} events at each of three receivers by {posts:,} requests, {twice:,} "
        f"more than once, {len(missed):,} after one had been disabled; {fleet.killed} kills; a sender's memory grew "
        f"by {growth / 1000:.0f} MB at most; {time.monotonic() - began:.0f} s; seed {SEED}",
    )


def _environment(admin: Admin) -> dict[str, str]:
    settings = admin.settings
    keys = ",".join(f"{id_}:{base64.b64encode(key).decode()}" for id_, key in settings.vault_keys)
    return {
        "CERTMAIL_REDIS_URL": str(settings.redis_url),
        "CERTMAIL_DATABASE_URL": str(settings.database_url),
        "CERTMAIL_VAULT_KEYS": keys,
        "CERTMAIL_WEBHOOK_ALLOW": str(settings.webhook_allow),
        "WEBHOOK_SPEED": str(SPEED),
        "WEBHOOK_HELD": str(HELD_SECONDS),
    }


def _state(admin: Admin, id_: str) -> EndpointState:
    return webhooks.get_webhook(admin, id_).health.state


def _kept(admin: Admin, id_: str) -> int:
    with admin.db() as db:
        found = kept_of(db, id_)
        assert db.execute(select(func.count()).select_from(tables.set_aside)).scalar_one() == 0
    return found.waiting + found.delivered + found.failed


def _failed(admin: Admin, id_: str) -> int:
    with admin.db() as db:
        return kept_of(db, id_).failed


def _check_order(there: Receiver, told: dict[str, str]) -> None:
    """Whoever keeps of each reminder the event with the greatest sequence knows how it ended."""
    known: dict[str, tuple[int, str]] = {}
    for id_, state in told.items():
        bodies = there.taken[id_]
        data = bodies[0]["data"]
        assert data["state"] == state
        assert all(body == bodies[0] for body in bodies), "the same id is the same message"
        known[data["reminder"]] = max(
            known.get(data["reminder"], (0, "")), (data["sequence"], data["state"])
        )
    assert {state for _, state in known.values()} == {"accepted"}
    assert len(known) == len(told) // 2


def _growth(memory: list[tuple[str, float, int]]) -> int:
    """By how much a sender's memory was greater at last than when it was warm, kilobytes."""
    sizes = [size for module, _, size in memory if module == SENDER]
    assert sizes, "somebody has looked"
    warm = sizes[: max(2, len(sizes) // 4)]
    return max(sizes) - max(warm)
