"""The sender: what waits in the outbox reaches each endpoint, none waits for another, none is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks import endpoints as webhooks
from certmail_config.admin.webhooks import running
from certmail_config.admin.webhooks.changing import change_webhook
from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.sql import tables
from certmail_config.sql.webhooks.messages import Ended, MessageState, end_attempts, kept_of
from certmail_config.webhooks.health import EndpointState
from certmail_config.webhooks.posting import poster
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import read_cursor, write
from certmail_worker.webhooks.queue import PER_ENDPOINT, take_turn
from certmail_worker.webhooks.sender import WebhookSender
from support.data.events import enqueued, settled
from support.network.receivers import Received, Receiver, receiver, slowly, status


def soon(attempt: int, _: float) -> float | None:
    """The schedule of eight attempts, at once."""
    return 0.0 if attempt <= 8 else None


@asynccontextmanager
async def sending(admin: Admin, **how: Any) -> AsyncIterator[WebhookSender]:
    async with poster(admin.settings.webhooks_allowed, total_seconds=15) as posts:
        sender = WebhookSender(
            admin.engine, admin.vault, posts, WorkerMeters(), pause_seconds=0.02, **how
        )
        task, test = asyncio.create_task(sender.run()), asyncio.current_task()
        assert test is not None
        # Whoever waits for what a sender does waits in vain once it has ended.
        task.add_done_callback(lambda ended: None if ended.cancelled() else test.cancel())
        try:
            yield sender
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled(), task.exception()


def endpoint(admin: Admin, there: Receiver, **how: Any) -> str:
    made, secret = webhooks.add_webhook(admin, there.url, tenants=["*"], **how)
    there.secrets = (secret,)
    return made.id


def happen(admin: Admin, *events: Event) -> None:
    write(admin.engine, read_cursor(admin.engine), events)


def ends(n: int, first: int = 1) -> list[Event]:
    """So many reminders that were enqueued and accepted."""
    return [
        event
        for job in range(n)
        for event in (
            enqueued(first + 2 * job, f"j{first + job}"),
            settled(first + 2 * job + 1, "accepted", "accepted", job=f"j{first + job}"),
        )
    ]


async def until(seen: Callable[[], object]) -> None:
    while not seen():  # noqa: ASYNC110 - what is waited for is in a database
        await asyncio.sleep(0.02)


def state(admin: Admin, id_: str) -> EndpointState:
    return webhooks.get_webhook(admin, id_).health.state


def fails_more(admin: Admin, id_: str, than: int) -> bool:
    return webhooks.get_webhook(admin, id_).health.failures > than


def kept(admin: Admin, id_: str) -> tuple[int, int, int]:
    with admin.db() as db:
        found = kept_of(db, id_)
    return found.waiting, found.delivered, found.failed


async def test_what_happened_reaches_the_endpoint_signed_once_and_in_order(admin: Admin) -> None:
    async with receiver() as there, sending(admin):
        id_ = endpoint(admin, there)
        happen(admin, *ends(30))
        await until(lambda: kept(admin, id_) == (0, 30, 0))
    assert len(there.taken) == 30
    assert set(there.seen.values()) == {1}
    assert there.forged == []
    assert there.in_order()
    assert there.most_at_once <= PER_ENDPOINT


async def test_a_slow_endpoint_holds_up_none_but_itself(admin: Admin) -> None:
    async with receiver(habit=slowly(1.5)) as slow, receiver() as quick, sending(admin):
        endpoint(admin, slow)
        id_ = endpoint(admin, quick)
        happen(admin, *ends(60))
        await until(lambda: kept(admin, id_) == (0, 60, 0))
        assert len(slow.taken) <= 2 * PER_ENDPOINT
        assert slow.most_at_once <= PER_ENDPOINT


async def test_a_message_that_fails_comes_again_and_lets_others_pass(admin: Admin) -> None:
    async def refuses_the_first(received: Received) -> Any:
        first = received.body["data"]["reminder"] == "j1" and received.before < 3
        return await status(500 if first else 204)(received)

    async with receiver(habit=refuses_the_first) as there, sending(admin, waits=soon):
        id_ = endpoint(admin, there)
        happen(admin, *ends(20))
        await until(lambda: kept(admin, id_) == (0, 20, 0))
    assert sorted(there.seen.values()) == [1] * 19 + [4]
    assert state(admin, id_) is EndpointState.ACTIVE


async def test_after_the_last_attempt_it_is_kept_and_can_be_replayed_under_its_id(
    admin: Admin,
) -> None:
    async with receiver(habit=status(500)) as there, sending(admin, waits=soon):
        id_ = endpoint(admin, there)
        happen(admin, *ends(2))
        await until(lambda: kept(admin, id_) == (0, 0, 2))
        assert set(there.seen.values()) == {8}
        [newest, _] = webhooks.view_webhook(admin, id_).newest
        assert newest["attempts"] == 8
        assert (newest["status"], newest["error"]) == (500, "it answered HTTP 500")

        there.habit = None
        assert running.replay_failed(admin, id_) == 2
        await until(lambda: kept(admin, id_) == (0, 2, 0))
        assert set(there.seen.values()) == {9}

        assert running.replay_one(admin, id_, newest["id"]) == 1
        await until(lambda: there.seen[newest["id"]] == 10)
        assert running.replay_since(admin, id_, datetime(2020, 1, 1, tzinfo=UTC)) >= 0


async def test_gone_disables_it_at_once_tells_it_once_and_keeps_what_it_misses(
    admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with receiver(habit=status(410)) as gone, receiver() as other, sending(admin):
        id_ = endpoint(admin, gone)
        neighbour = endpoint(admin, other, types=["webhook.disabled"])
        happen(admin, *ends(20))
        await until(lambda: state(admin, id_) is EndpointState.DISABLED)
        await until(lambda: kept(admin, neighbour) == (0, 1, 0))
        happen(admin, *ends(5, first=100))
        assert kept(admin, id_) == (25, 0, 0)

        [[told]] = other.taken.values()
        assert (told["type"], told["data"]) == (
            "webhook.disabled",
            {"webhook": id_, "code": "gone"},
        )
        [said] = [each for each in caplog.records if each.message == "webhook_disabled"]
        assert said.remedy == f"certmail webhooks resume {id_}"  # type: ignore[attr-defined]

        gone.habit = None
        running.resume_webhook(admin, id_)
        await until(lambda: kept(admin, id_) == (0, 25, 0))
    assert gone.in_order()


async def test_a_paused_endpoint_is_sent_nothing_and_misses_nothing(admin: Admin) -> None:
    async with receiver() as there, sending(admin) as sender:
        id_ = endpoint(admin, there)
        running.pause_webhook(admin, id_)
        happen(admin, *ends(5))
        took = take_turn(admin.engine, admin.vault, sender.now(), after="", room=9, under_way={})
        assert (took.work, kept(admin, id_)) == ([], (5, 0, 0))
        running.resume_webhook(admin, id_)
        await until(lambda: kept(admin, id_) == (0, 5, 0))


async def test_an_endpoint_that_fails_for_a_while_is_tried_by_one_message_at_a_time(
    admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ahead = timedelta(0)
    async with (
        receiver(habit=status(500)) as there,
        sending(admin, waits=soon, now=lambda: datetime.now(UTC) + ahead) as sender,
    ):
        there.tolerance = float("inf")
        id_ = endpoint(admin, there)
        happen(admin, *ends(40))
        # From the first that is noted on it fails: one that was only seen may be noted as later.
        await until(partial(fails_more, admin, id_, 0))
        ahead += timedelta(seconds=40)
        await until(lambda: state(admin, id_) is EndpointState.BACKING_OFF)
        await until(lambda: not sender._under_way)
        there.most_at_once, tried = 0, sum(there.seen.values())

        for _ in range(3):
            failures = webhooks.get_webhook(admin, id_).health.failures
            ahead += timedelta(hours=1)
            await until(partial(fails_more, admin, id_, failures))
        assert (there.most_at_once, sum(there.seen.values())) == (1, tried + 3)
        there.habit = None
        ahead += timedelta(hours=1)
        await until(lambda: state(admin, id_) is EndpointState.ACTIVE)

        ahead += timedelta(days=1)
        running.replay_failed(admin, id_)
        await until(lambda: kept(admin, id_) == (0, 40, 0))

    said = [each.message for each in caplog.records if each.message.startswith("webhook")]
    assert said == ["webhook_backing_off", "webhook_active"]


async def test_who_asks_to_be_left_alone_is_left_alone(admin: Admin) -> None:
    async with receiver(habit=status(429, Retry_After="3600")) as there, sending(admin, waits=soon):
        id_ = endpoint(admin, there)
        happen(admin, *ends(PER_ENDPOINT + 5))
        await until(lambda: sum(there.seen.values()) == PER_ENDPOINT)
        await until(lambda: webhooks.get_webhook(admin, id_).health.failures == PER_ENDPOINT)
        found = webhooks.get_webhook(admin, id_).health
        assert found.next_at is not None
        assert found.next_at > datetime.now(UTC) + timedelta(minutes=50)
        assert sum(there.seen.values()) == PER_ENDPOINT


async def test_a_message_whose_sender_was_lost_comes_again_and_late_news_of_it_counts_no_more(
    admin: Admin,
) -> None:
    async with receiver() as there:
        id_ = endpoint(admin, there)
        happen(admin, *ends(1))
        now = datetime.now(UTC)
        lost = take_turn(
            admin.engine, admin.vault, now, after="", room=9, under_way={}, held_seconds=1
        )
        assert len(lost.work) == 1
        again = take_turn(admin.engine, admin.vault, now, after="", room=9, under_way={})
        assert again.work == [], "another finds it taken"

        later = now + timedelta(seconds=2)
        taken = take_turn(admin.engine, admin.vault, later, after="", room=9, under_way={})
        assert [each.taken.attempt for each in taken.work] == [2]

        with admin.db() as db:
            late = Ended(lost.work[0].taken, MessageState.FAILED, now, None, 500, "late")
            end_attempts(db, [late])
        assert kept(admin, id_) == (1, 0, 0)


async def test_while_a_secret_is_replaced_receivers_with_either_take_it(admin: Admin) -> None:
    async with receiver() as there, sending(admin):
        id_ = endpoint(admin, there)
        [old] = there.secrets
        _, new = running.rotate_webhook(admin, id_, hours=1)
        happen(admin, *ends(1))
        await until(lambda: kept(admin, id_) == (0, 1, 0))
        there.secrets = (new,)
        happen(admin, *ends(1, first=50))
        await until(lambda: kept(admin, id_) == (0, 2, 0))
        assert there.forged == []

        with admin.db() as db:
            past = datetime.now(UTC) - timedelta(minutes=1)
            db.execute(update(tables.webhook_endpoints).values(previous_until=past))
        there.secrets = (old,)
        happen(admin, *ends(1, first=90))
        await until(lambda: there.forged)
        assert kept(admin, id_)[1] == 2


async def test_what_waits_goes_to_another_address_and_the_one_before_disables_nothing(
    admin: Admin,
) -> None:
    moved = asyncio.Event()

    async def goes_once_it_has_moved(received: Received) -> Any:
        await moved.wait()
        return await status(410)(received)

    async with receiver(habit=goes_once_it_has_moved) as old, receiver() as new, sending(admin):
        id_ = endpoint(admin, old)
        new.secrets = old.secrets
        happen(admin, *ends(PER_ENDPOINT + 5))
        await until(lambda: len(old.seen) == PER_ENDPOINT)
        change_webhook(admin, id_, url=new.url)
        moved.set()
        await until(lambda: kept(admin, id_) == (0, PER_ENDPOINT + 5, 0))
        assert state(admin, id_) is EndpointState.ACTIVE
        assert (len(new.taken), new.forged) == (PER_ENDPOINT + 5, [])


async def test_whoever_lacks_the_vault_key_sends_nothing_and_loses_nothing(
    admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiver() as there, sending(admin):
        id_ = endpoint(admin, there)
        with admin.db() as db:
            right = db.execute(select(tables.webhook_endpoints.c.secret)).scalar_one()
            db.execute(update(tables.webhook_endpoints).values(secret=b"\x01\x01k" + b"x" * 100))
        happen(admin, *ends(1))
        await until(lambda: "webhook_unsigned" in caplog.text)
        with admin.db() as db:
            db.execute(update(tables.webhook_endpoints).values(secret=right))
        await until(lambda: kept(admin, id_) == (0, 1, 0))
