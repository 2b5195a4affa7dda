"""The client for asyncio: what is sent at once travels together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail import (
    AsyncMailer,
    BatchInterrupted,
    Cancellation,
    Mailer,
    Receipt,
    Reminder,
    ReminderRejected,
)
from certmail.client.async_mailer import BATCH
from certmail_config.admin.admin import open_admin
from certmail_config.base.errors import StoresUnreachable
from certmail_config.settings import PREFIX, Settings
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import embedded_server


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(redis: Redis, redis_url: str, data_dir: Path) -> Settings:
    """An emptied server with the tenant `acme`."""
    made = Settings(data_dir=data_dir, redis_url=redis_url)
    with open_admin(made) as admin:
        admin.add_tenant("acme")
    return made


def reminder(n: int = 0, **more: Any) -> Reminder:
    return Reminder(tenant="acme", to=f"reviewer{n}@acme.example", **more)


def evalshas(redis: Redis) -> int:
    stats: Any = redis.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))


async def test_one_is_sent_asked_for_and_called_off(settings: Settings) -> None:
    async with AsyncMailer.from_env(settings) as mailer:
        receipt = await mailer.send(reminder())
        view = await mailer.status(receipt.id)
        assert view is not None
        assert view.state == receipt.state == "ready"
        assert await mailer.cancel(receipt.id) is Cancellation.CANCELLED
        assert await mailer.status("nobody") is None
        assert await mailer.check(reminder()) is None

        why = await mailer.check(reminder(connection="nowhere"))
        assert why is not None
        assert why.code == "unknown_connection"

        await mailer.send(reminder(1, campaign="q4"))
        assert (await mailer.cancel_all("acme", campaign="q4")).cancelled == 1


async def test_many_sent_at_once_share_round_trips_and_each_hears_of_its_own(
    settings: Settings, redis: Redis
) -> None:
    async with AsyncMailer.from_env(settings) as mailer:
        await mailer.send(reminder(999))
        before = evalshas(redis)
        wanted = [reminder(n, connection="nowhere" if n == 7 else None) for n in range(100)]
        answers = await asyncio.gather(
            *(mailer.send(each) for each in wanted), return_exceptions=True
        )

    assert evalshas(redis) - before < 20
    assert isinstance(answers[7], ReminderRejected)
    assert len({answer.id for answer in answers if isinstance(answer, Receipt)}) == 99


async def test_mappings_are_sent_and_one_that_is_none_harms_nobody_else(settings: Settings) -> None:
    fields = {"tenant": "acme", "to": "ann@acme.example"}
    given: list[Any] = [fields, {"tenant": "acme"}, reminder(1), 7]

    async with AsyncMailer.from_env(settings) as mailer:
        found = await asyncio.gather(*(mailer.send(each) for each in given), return_exceptions=True)
        assert [type(each) for each in found] == [Receipt, ReminderRejected, Receipt, TypeError]

        many = [each async for each in mailer.send_many(given[:3])]
        assert [type(each) for each in many] == [Receipt, ReminderRejected, Receipt]

        with pytest.raises(TypeError, match="for one there is send"):
            # One reminder where many are expected: the mistake that it is about.
            await anext(mailer.send_many(fields))  # type: ignore[arg-type]
        assert isinstance(found[0], Receipt)
        assert await mailer.status(found[0].id.upper()) == await mailer.status(found[0].id)


async def test_one_that_gives_up_waiting_keeps_nobody_else_from_being_sent(
    settings: Settings,
) -> None:
    async with AsyncMailer.from_env(settings) as mailer:
        first = asyncio.ensure_future(mailer.send(reminder(1)))
        second = asyncio.ensure_future(mailer.send(reminder(2)))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).state == "ready"


async def test_what_is_sent_before_closing_is_in(settings: Settings) -> None:
    mailer = AsyncMailer.from_env(settings)
    sent = asyncio.ensure_future(mailer.send(reminder()))
    await asyncio.sleep(0)
    await mailer.close()
    receipt = await sent
    with Mailer.from_env(settings) as other:
        assert other.status(receipt.id) is not None


class TestSendMany:
    async def test_it_takes_a_batch_at_a_time_from_either_kind_of_source(
        self, settings: Settings
    ) -> None:
        taken: list[int] = []

        def source() -> Iterator[Reminder]:
            for n in range(2 * BATCH + 1):
                taken.append(n)
                yield reminder(n)

        async def asynchronous() -> AsyncIterator[Reminder]:
            for each in source():
                yield each

        async with AsyncMailer.from_env(settings) as mailer:
            answers = mailer.send_many(source())
            assert isinstance(await anext(answers), Receipt)
            assert len(taken) == BATCH
            rest = [answer async for answer in answers]
            again = [answer async for answer in mailer.send_many(asynchronous())]
        assert len(rest) == 2 * BATCH
        assert all(isinstance(answer, Receipt) and answer.duplicate for answer in again)
        assert len(again) == 2 * BATCH + 1

    async def test_interrupted_it_says_which_are_in(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path)
        with embedded_server(tmp_path) as url, connect(url) as redis, open_admin(settings) as admin:
            admin.add_tenant("acme")

            def source() -> Iterator[Reminder]:
                yield from (reminder(n) for n in range(BATCH))
                redis.shutdown(
                    nosave=True
                )  # after the first batch was taken, before the second is sent
                yield from (reminder(n) for n in range(BATCH, 3 * BATCH))

            got: list[Any] = []

            async def consume(mailer: AsyncMailer) -> None:
                async for answer in mailer.send_many(source()):
                    # One by one, as those before the interruption count.
                    got.append(answer)  # noqa: PERF401

            async with AsyncMailer(lambda: Mailer(redis)) as mailer:
                with pytest.raises(BatchInterrupted) as raised:
                    await consume(mailer)

        assert len(got) == raised.value.answered == BATCH
        # Where the last look is a second old, the next finds out before anything is sent.
        assert raised.value.unknown in {0, BATCH}
        assert raised.value.code == "redis_unreachable"


async def test_a_server_that_is_away_is_said_to_everybody_who_waits(tmp_path: Path) -> None:
    with connect(f"unix://{tmp_path}/valkey.sock") as redis:
        mailer = AsyncMailer(lambda: Mailer(redis))
        answers = await asyncio.gather(
            *(mailer.send(reminder(n)) for n in range(3)), return_exceptions=True
        )

        assert [getattr(answer, "code", None) for answer in answers] == ["redis_unreachable"] * 3
        assert len({id(answer) for answer in answers}) == 3

        await mailer.close()


async def test_settings_that_cannot_be_used_are_found_out_on_entering(tmp_path: Path) -> None:
    mailer = AsyncMailer.from_env(Settings(redis_url=f"unix://{tmp_path}/valkey.sock"))
    with pytest.raises(StoresUnreachable):
        await mailer.__aenter__()
