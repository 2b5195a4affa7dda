"""The sent mails that were read once are remembered, so many of all mailboxes together."""

from __future__ import annotations

import base64
from collections.abc import MutableMapping
from pathlib import Path

import pytest
from cachetools import LRUCache
from redis import Redis

from certmail_config.base.ids import ConnectionId
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.token_client import Purpose
from certmail_worker.google.tokens import Token
from certmail_worker.uncertain.sent_folder import Sent, SentBox, SentBoxes
from support.deployment.one_tenant import MAILBOX, OneTenant, one_tenant

READ = "/gmail/v1/users/me/messages/"


async def _paid(_: int) -> bool:
    return True


async def send(made: OneTenant, *jobs: str) -> None:
    token = await made.tokens().get(made.connection)
    assert isinstance(token, Token)
    for job in jobs:
        mail = f"From: {MAILBOX}\r\nTo: a@acme.example\r\nX-Certmail-Id: {job}\r\n\r\nHello\r\n"
        raw = base64.urlsafe_b64encode(mail.encode()).decode()
        url, headers = f"{made.google}{READ}send", {"Authorization": f"Bearer {token.secret}"}
        async with made.session.post(url, json={"raw": raw}, headers=headers) as answer:
            assert answer.ok, await answer.text()


async def look(made: OneTenant, box: SentBox) -> list[str | None]:
    """The jobs of all that was sent, the newest first."""
    token = await made.tokens().get(made.connection, Purpose.LOOK)
    assert isinstance(token, Token)
    return [sent.certmail_id async for sent in box.since(token.secret, 0, _paid)]


async def read(made: OneTenant) -> int:
    """How often a message was asked for."""
    asked = await made.control("GET", f"/requests?path={READ}")
    return sum(item["method"] == "GET" for item in asked)


@pytest.mark.parametrize(("remembered", "again"), [(5, 0), (2, 5)])
async def test_what_no_longer_fits_is_read_again(
    redis: Redis, redis_url: str, tmp_path: Path, remembered: int, again: int
) -> None:
    known: MutableMapping[tuple[ConnectionId, str], Sent] = LRUCache(remembered)
    async with one_tenant(tmp_path, redis_url) as made:
        await send(made, "j1", "j2", "j3", "j4", "j5")
        box = SentBox(Gmail(made.session, made.google), made.connection.id, known)
        assert await look(made, box) == ["j5", "j4", "j3", "j2", "j1"]

        before = await read(made)
        assert await look(made, box) == ["j5", "j4", "j3", "j2", "j1"]
        assert await read(made) - before == again
        assert len(known) == remembered


async def test_all_mailboxes_share_one_memory_and_each_stays_the_same(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    async with one_tenant(tmp_path, redis_url) as made:
        boxes = SentBoxes(Gmail(made.session, made.google))
        one, other = boxes.of(ConnectionId("one")), boxes.of(ConnectionId("other"))
        assert one is boxes.of(ConnectionId("one"))
        assert one is not other
        assert one.known is other.known
