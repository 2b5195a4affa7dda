"""Live pages: one look for all, a bound on streams, and an end with the visit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable

import aiohttp
import pytest
from aiohttp import web

from certmail.gateway.app import runner_of
from certmail.gateway.console.live.hub import MAX_OF_VISIT, MAX_STREAMS, LiveHub
from certmail.gateway.console.live.live_page import HUB
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import Sessions
from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_worker.recording.rows import Event
from support.data.events import enqueued
from support.deployment.console_browser import Browser, SignIn

Record = Callable[[Iterable[Event]], None]


@pytest.fixture
async def served(admin: Admin) -> AsyncIterator[str]:
    """The gateway's address; `hub` is its own."""
    runner = runner_of(admin, 4096)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    HUBS.append(runner.app[HUB])
    yield f"http://{host}:{port}"
    await runner.cleanup()


HUBS: list[LiveHub] = []


@pytest.fixture
def hub(served: str) -> LiveHub:
    return HUBS[-1]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def listen(session: aiohttp.ClientSession, browser: Browser) -> aiohttp.ClientResponse:
    headers = {"Cookie": f"{Cookie.OPERATOR}={browser.secret}"}
    return await session.get(f"{browser.base}/console/live", headers=headers)


async def news(answer: aiohttp.ClientResponse) -> list[str]:
    """The tenants of the next thing that is told."""
    while True:
        line = (await answer.content.readline()).decode()
        assert line, "the stream has ended"
        if line.startswith("data: "):
            tenants: list[str] = json.loads(line.removeprefix("data: "))["tenants"]
            return tenants


async def until(what: Callable[[], bool]) -> None:
    while not what():  # noqa: ASYNC110 - what others do is waited for, not a moment of ours
        await asyncio.sleep(0.02)


async def test_each_stream_is_told_whose_reminders_have_changed(
    session: aiohttp.ClientSession, browser: Browser, hub: LiveHub, record: Record
) -> None:
    answers = [await listen(session, browser) for _ in range(3)]
    assert answers[0].headers["Content-Type"] == "text/event-stream"
    assert answers[0].headers["X-Accel-Buffering"] == "no"
    await until(lambda: hub.polls > 0)
    await asyncio.to_thread(record, [enqueued(1, "j1")])
    assert [await news(answer) for answer in answers] == [["acme"]] * 3
    for answer in answers:
        answer.close()


async def test_without_anybody_nothing_is_asked_and_for_many_no_more_than_for_one(
    session: aiohttp.ClientSession,
    browser: Browser,
    hub: LiveHub,
    record: Record,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert hub.polls == 0
    answers = [await listen(session, browser) for _ in range(MAX_OF_VISIT)]
    await until(lambda: hub.polls >= 2)
    assert hub.open_streams == MAX_OF_VISIT
    for answer in answers:
        answer.close()
    await asyncio.to_thread(record, [enqueued(1, "j1")])
    await until(lambda: hub.open_streams == 0)
    assert "page_failed" not in caplog.text, "closing a page is no failure"


async def test_a_thousand_streams_are_as_many_as_may_be(
    session: aiohttp.ClientSession, admin: Admin, served: str, hub: LiveHub, browser: Browser
) -> None:
    def visits() -> list[str]:
        sessions = Sessions(admin.strongbox)
        made = range(MAX_STREAMS // MAX_OF_VISIT + 1)
        return [sessions.begin_as_operator("correct horse battery staple").secret for _ in made]

    statuses = []
    open_ones = []
    for secret in await asyncio.to_thread(visits):
        visitor = Browser(browser.session, served, secret)
        answers = await asyncio.gather(*(listen(session, visitor) for _ in range(48)))
        statuses += [answer.status for answer in answers]
        open_ones += [answer for answer in answers if answer.status == 200]
    assert len(statuses) > 1000
    assert (statuses.count(200), set(statuses)) == (MAX_STREAMS, {200, 429})
    await browser.get("/console/deliveries")
    assert browser.status == 200, "pages go on"
    for answer in open_ones:
        answer.close()


async def test_a_stream_ends_with_the_visit(
    session: aiohttp.ClientSession, browser: Browser, admin: Admin, hub: LiveHub
) -> None:
    await browser.get("/console/deliveries")
    answer = await listen(session, browser)
    await browser.post("/console/sign-out")
    assert b"event: over" in await answer.read()
    await until(lambda: hub.open_streams == 0)


async def test_nobody_listens_without_a_visit(
    session: aiohttp.ClientSession, browser: Browser
) -> None:
    browser.secret = "somebody"
    answer = await listen(session, browser)
    assert answer.url.path == "/console/sign-in"


async def test_what_a_page_asks_by_itself_does_not_keep_the_visit_from_ending(
    session: aiohttp.ClientSession, browser: Browser, admin: Admin
) -> None:
    [name] = admin.redis.scan_iter(f"{redis_keys.SESSION}*")
    admin.redis.expire(name, 600)
    answer = await listen(session, browser)
    await browser.get("/console/deliveries", **{"X-Live": "1"})
    assert browser.status == 200
    assert 0 < admin.redis.ttl(name) <= 600
    await browser.get("/console/deliveries")
    assert admin.redis.ttl(name) > 600, "a person does"
    answer.close()


async def test_the_gateway_stops_though_somebody_listens(
    admin: Admin, sign_in: SignIn, session: aiohttp.ClientSession
) -> None:
    runner = runner_of(admin, 1024)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    visitor = await asyncio.to_thread(sign_in)
    visitor.base = f"http://{host}:{port}"
    answer = await listen(session, visitor)
    await runner.cleanup()
    assert b"event: over" in await answer.read()
