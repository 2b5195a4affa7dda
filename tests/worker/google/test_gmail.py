"""The Gmail API's two routes, and the send window before them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis import Redis

from certmail_worker.google.gmail import MAX_JSON_BYTES, Gmail, _base64url
from certmail_worker.google.google_errors import is_broken
from certmail_worker.google.http import SendWindow, boottime, new_session
from certmail_worker.google.responses import Answered, NotSent
from certmail_worker.google.tokens import Token
from support.deployment.one_tenant import MAILBOX, OneTenant, one_tenant


@pytest_asyncio.fixture
async def setup(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[OneTenant]:
    async with one_tenant(tmp_path, redis_url) as made:
        yield made


async def secret(setup: OneTenant) -> str:
    token = await setup.tokens().get(setup.connection)
    assert isinstance(token, Token)
    return token.secret


def message(size: int = 0) -> bytes:
    head = f"From: {MAILBOX}\r\nTo: anna@people.example\r\nSubject: x\r\nX-Certmail-Id: one\r\n\r\n"
    return head.encode() + b"0123456789abcdef\r\n" * (size // 18)


async def test_a_message_goes_as_json_and_a_large_one_by_upload(setup: OneTenant) -> None:
    gmail = Gmail(setup.session, setup.google)

    for raw in (message(), message(MAX_JSON_BYTES + 1000)):
        answer = await gmail.send(raw, await secret(setup), SendWindow(boottime() + 5))
        assert isinstance(answer, Answered)
        assert answer.status == 200

    paths = [
        item["path"]
        for item in await setup.control("GET", "/requests")
        if item["path"].endswith("/messages/send")
    ]
    assert paths == ["/gmail/v1/users/me/messages/send", "/upload/gmail/v1/users/me/messages/send"]
    assert len(await setup.control("GET", "/messages")) == 2


@pytest.mark.parametrize("more", range(4))
def test_a_message_is_given_in_base64url(more: int) -> None:
    raw = bytes(range(256)) * 3 + bytes(more)
    assert _base64url(raw) == base64.urlsafe_b64encode(raw)


@pytest.mark.parametrize("how", ["length", "chunks", "gzip"])
async def test_status_and_headers_are_kept_whatever_becomes_of_the_body(
    setup: OneTenant, how: str
) -> None:
    fault = {
        "status": 429,
        "headers": {"Retry-After": "30"},
        "body": {"error": {"code": 429}},
        "cut": how,
    }

    await setup.control("POST", "/faults", {"match": {"path": "/messages/send"}, "fault": fault})
    answer = await Gmail(setup.session, setup.google).send(
        message(), "t", SendWindow(boottime() + 5)
    )
    assert isinstance(answer, Answered)
    assert (answer.status, answer.headers["retry-after"], is_broken(answer)) == (429, "30", True)


async def test_a_body_that_never_ends_is_given_up_with_its_status(setup: OneTenant) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=401, headers={"Content-Length": "10"})
        await response.prepare(request)
        await asyncio.sleep(5)
        return response

    app = web.Application()
    app.router.add_post("/{path:.*}", endless)
    async with (
        TestServer(app, shutdown_timeout=0.1) as server,
        new_session(ca_file=None, timeout_seconds=0.5) as session,
    ):
        window = SendWindow(boottime() + 5)
        answer = await Gmail(session, str(server.make_url(""))).send(message(), "t", window)
    assert isinstance(answer, Answered)
    assert (answer.status, answer.broken, answer.waited) == (401, "no answer in time", True)


async def test_a_closed_window_sends_nothing_on_a_new_and_on_a_kept_connection(
    setup: OneTenant,
) -> None:
    gmail, token = Gmail(setup.session, setup.google), await secret(setup)
    for _ in range(2):
        late = await gmail.send(message(), token, SendWindow(boottime() - 1))
        assert isinstance(late, NotSent)
        assert await setup.asked("/gmail/v1/users/me/messages/send") == 0
        await setup.control("GET", "/limits")  # leaves a connection open for the second round


async def test_a_connection_whose_window_was_missed_is_closed_while_the_session_lives() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b"", "nothing was sent"
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, new_session(ca_file=None, timeout_seconds=10) as session:
        google = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        late = await Gmail(session, google).send(message(), "t", SendWindow(boottime() - 1))
        assert isinstance(late, NotSent)
        await asyncio.wait_for(ended.wait(), 20)


async def test_a_refused_connection_is_known_to_have_sent_nothing(setup: OneTenant) -> None:
    answer = await Gmail(setup.session, "http://127.0.0.1:1").send(
        message(), "t", SendWindow(boottime() + 5)
    )
    assert isinstance(answer, NotSent)
