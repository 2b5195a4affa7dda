"""Shares of the capacity: a tenant that fills Redis harms itself alone, and others go on."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis import Redis

from certmail import Mailer, Receipt, Reminder
from certmail.gateway.api.application import mount
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base import redis_keys
from certmail_config.base.errors import ReminderRejected
from certmail_config.settings import PREFIX, Settings
from certmail_config.stores.capacity import SHARE
from certmail_config.tenants.api_keys import KeyScope
from certmail_worker.cli import run_command

MB = 1024**2


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def admin(redis: Redis, redis_url: str, data_dir: Path) -> Iterator[Admin]:
    with open_admin(Settings(redis_url=redis_url, data_dir=data_dir)) as admin:
        admin.add_tenant("acme")
        admin.add_tenant("globex")
        yield admin
    redis.config_set("maxmemory", 0)


@contextmanager
def room_for(redis: Redis, reminders: int) -> Iterator[None]:
    memory: Any = redis.info("memory")
    redis.config_set("maxmemory", int((memory["used_memory"] + reminders * 2048) / SHARE))
    try:
        yield
    finally:
        redis.config_set("maxmemory", 0)


def reminders(tenant: str, number: int, campaign: str = "q4", **more: Any) -> Iterable[Reminder]:
    return (
        Reminder(tenant=tenant, to=f"r{n}@{tenant}.example", campaign=campaign, **more)
        for n in range(number)
    )


def codes(answers: Iterable[Receipt | ReminderRejected]) -> Counter[str]:
    return Counter("in" if isinstance(answer, Receipt) else answer.code for answer in answers)


def test_one_is_refused_with_a_reason_and_the_others_go_on(admin: Admin) -> None:
    with Mailer(admin.redis) as mailer, room_for(admin.redis, 3_000):
        answers = list(mailer.send_many(reminders("acme", 4_000)))
        counted = codes(answers)
        assert counted.keys() == {"in", "tenant_full"}
        assert 1_200 < counted["in"] < 3_400

        last = answers[-1]
        assert isinstance(last, ReminderRejected)
        assert "'acme'" in last.message
        assert "maxmemory" in last.remedy

        mailer._intake_guard._good_until = 0
        assert codes(mailer.send_many(reminders("globex", 200))) == {"in": 200}
        assert codes(mailer.send_many(reminders("acme", 1, "another"))) == {"tenant_full": 1}
        assert codes(mailer.send_many(reminders("acme", 100))) == {"in": 100}, (
            "a duplicate is told as one"
        )


@pytest.mark.parametrize(
    "given",
    [{"pending": 0}, {"send_at": "2099-01-01T00:00:00Z", "expires_at": "2099-02-01T00:00:00Z"}],
)
def test_nor_does_it_help_to_send_what_never_leaves(admin: Admin, given: dict[str, Any]) -> None:
    with Mailer(admin.redis) as mailer, room_for(admin.redis, 3_000):
        counted = codes(mailer.send_many(reminders("acme", 6_000, **given)))
        assert counted["tenant_full"] > 0
        mailer._intake_guard._good_until = 0
        assert codes(mailer.send_many(reminders("globex", 20))) == {"in": 20}


def test_one_that_is_alone_may_use_all(admin: Admin, redis: Redis) -> None:
    redis.srem(redis_keys.TENANTS, "globex")
    with Mailer(redis) as mailer, room_for(redis, 5_000):
        assert codes(mailer.send_many(reminders("acme", 4_500))) == {"in": 4_500}


def test_what_waited_before_anybody_counted_counts(admin: Admin, redis: Redis) -> None:
    with Mailer(redis) as mailer:
        list(mailer.send_many(reminders("acme", 300)))
        redis.delete(redis_keys.TAKEN + "acme")
        list(mailer.send_many(reminders("acme", 2, "next")))
    found: Any = redis.hgetall(redis_keys.TAKEN + "acme")
    counted = {name.decode(): int(n) for name, n in found.items()}

    assert sorted(counted.values()) == [302, 302]
    assert "all" in counted


def test_what_is_forgotten_by_now_no_longer_counts(admin: Admin, redis: Redis) -> None:
    redis.hset(redis_keys.TAKEN + "acme", mapping={"100": 7, "all": 7})
    with Mailer(redis) as mailer:
        list(mailer.send_many(reminders("acme", 2)))
    assert redis.hget(redis_keys.TAKEN + "acme", "all") == b"2"
    assert not redis.hexists(redis_keys.TAKEN + "acme", "100")
    assert redis.pttl(redis_keys.TAKEN + "acme") > 90 * 86_400_000


async def test_http_and_the_command_line_say_so(
    admin: Admin,
    redis: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = create_key(admin, "test", tenants=["*"], scopes=[*KeyScope])[1]
    app = web.Application()
    mount(app, admin)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0][:2])

    with Mailer(redis) as mailer, room_for(redis, 1_000):
        list(mailer.send_many(reminders("acme", 3_000)))

        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
            one = {"tenant": "acme", "to": "one@acme.example"}
            async with session.post(f"{url}/v1/reminders", json=one) as answer:
                assert (answer.status, (await answer.json())["code"]) == (429, "tenant_full")
                assert answer.headers["Retry-After"]
            batch = {"reminders": [one, {"tenant": "globex", "to": "one@globex.example"}]}
            named = {"Idempotency-Key": "a"}
            for status in (202, 200):
                async with session.post(
                    f"{url}/v1/reminders:batch", json=batch, headers=named
                ) as answer:
                    items = (await answer.json())["items"]
                    assert [item["status"] for item in items] == [429, status], (
                        "not kept: it may go in later"
                    )

        await runner.cleanup()
        monkeypatch.setenv("CERTMAIL_REDIS_URL", admin.settings.redis_url or "")
        monkeypatch.setenv("CERTMAIL_DATA_DIR", str(tmp_path))
        (tmp_path / "people.csv").write_text(
            "tenant,to\nacme,two@acme.example\nglobex,two@globex.example\n"
        )
        capsys.readouterr()
        assert run_command(["send", str(tmp_path / "people.csv"), "--json"]) == 1

        printed = json.loads(capsys.readouterr().out)
        assert (
            printed["enqueued"],
            [(each["row"], each["code"]) for each in printed["rejected"]],
        ) == (
            1,
            [(2, "tenant_full")],
        )
