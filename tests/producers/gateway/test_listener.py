"""Connections that ask nothing, or too slowly, or nonsense.

They take nothing from others, and nobody repeats what they sent.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from certmail.gateway.app import build
from certmail.gateway.headers import protective
from certmail.gateway.listener import Bounds, Runner, allow_descriptors
from certmail.gateway.peers import Proxies
from certmail_config.admin.admin import Admin
from certmail_config.settings import Settings

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
KEY = "cm_aaaaaaaa_" + "S" * 43


class Line:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: its status, headers and body."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await self.reader.readexactly(int(headers["Content-Length"]))
        return int(lines[0].split()[1]), headers, body

    async def ended(self) -> bytes:
        """What still came until the gateway let go."""
        async with asyncio.timeout(30):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@pytest.fixture
async def serve(admin: Admin) -> AsyncIterator[Callable[..., Any]]:
    """A gateway with bounds of its own; gives what opens a connection to it."""
    async with AsyncExitStack() as stack:

        async def start(**bounds: Any) -> Callable[[], Any]:
            given: dict[str, Any] = {
                "in_all": 100,
                "per_address": 100,
                "proxies": Proxies(),
            } | bounds
            runner = Runner(build(admin), Bounds(**given), admin.settings.base_url)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            # It notices first who hung up: it waits for the rest of their bodies otherwise.
            stack.push_async_callback(asyncio.sleep, 0.05)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]

            async def connect() -> Line:
                line = Line(*await asyncio.open_connection("127.0.0.1", port))
                stack.callback(line.writer.close)
                return line

            return connect

        yield start


async def healthy(line: Line) -> bool:
    line.send(HEALTH)
    async with asyncio.timeout(30):
        return (await line.head())[0] == 200


class TestHowMany:
    async def test_who_asks_nothing_makes_room_for_who_does(self, serve: Any) -> None:
        connect = await serve(per_address=8)
        silent = [await connect() for _ in range(60)]
        for _ in range(5):
            assert await healthy(await connect())
        assert await silent[0].ended() == b""

    async def test_so_it_is_with_all_together_and_proxies_have_no_bound_of_their_own(
        self, serve: Any
    ) -> None:
        connect = await serve(in_all=20, per_address=4, proxies=Proxies.of(["127.0.0.1"]))
        working = [await connect() for _ in range(15)]
        assert all([await healthy(line) for line in working])

        for _ in range(40):
            await connect()
        assert await healthy(await connect())
        assert all([await healthy(line) for line in working]), (
            "who has asked before is not sent away for who asks nothing"
        )

    async def test_who_rests_is_sent_away_for_who_comes_and_who_is_at_work_is_not(
        self, serve: Any
    ) -> None:
        connect = await serve(per_address=4)
        lines = [await connect() for _ in range(4)]
        for line in lines[:3]:
            line.send(
                b"POST /v1/reminders HTTP/1.1\r\nHost: x\r\n"
                b"Authorization: Bearer x\r\nContent-Length: 9\r\n\r\n"
            )
            await line.head()  # refused, and the rest of its body is still waited for

        assert await healthy(lines[3])

        newcomer = await connect()
        assert await healthy(newcomer)
        assert await lines[3].ended() == b""

        late = await connect()
        late.send(HEALTH)
        assert await newcomer.ended() == b""

    async def test_where_all_are_at_work_who_comes_is_told_so(
        self, serve: Any, admin: Admin
    ) -> None:
        connect = await serve(per_address=2)

        for _ in range(2):
            line = await connect()
            line.send(HEALTH[:-2] + b"Content-Length: 5\r\n\r\n")
            await line.head()

        refused = await (await connect()).ended()
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in refused
        assert b"Strict-Transport-Security" in refused

    def test_the_bounds_leave_descriptors_for_stores(self) -> None:
        few = Bounds.of(Settings(), 256)
        assert (few.in_all, few.per_address) == (128, 128)
        many = Bounds.of(Settings(), 65_536)
        assert (many.in_all, many.per_address) == (4096, 256)

    def test_a_process_has_as_many_descriptors_as_it_may(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 1024), before[1]))
            assert allow_descriptors() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], 65_536)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


class TestHowLong:
    @pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost", HEALTH[:-2]])
    async def test_a_head_that_does_not_come(self, serve: Any, sent: bytes) -> None:
        line = await (await serve(head=0.3))()
        line.send(sent)
        assert await line.ended() == b""

    async def test_nor_after_another_request(self, serve: Any) -> None:
        line = await (await serve(head=1))()
        assert await healthy(line)
        line.send(HEALTH[:20])
        assert await line.ended() == b""

    async def test_dripping_does_not_help(self, serve: Any) -> None:
        line = await (await serve(head=0.5))()
        for byte in HEALTH[:-2] * 100:
            if line.reader.at_eof() or line.writer.is_closing():
                break
            line.send(bytes([byte]))
            await asyncio.sleep(0.02)

        assert await line.ended() == b""

    async def test_resting_between_two_requests_is_no_fault(self, serve: Any) -> None:
        line = await (await serve(head=1, answer=1))()
        assert await healthy(line)
        await asyncio.sleep(1.5)
        assert await healthy(line)

    async def test_a_request_that_never_ends(self, serve: Any) -> None:
        line = await (await serve(answer=0.3))()
        line.send(
            b"POST /console/sign-in HTTP/1.1\r\nHost: certmail.example\r\nContent-Length: 9\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\na="
        )
        assert await line.ended() == b""


class TestNonsense:
    @pytest.mark.parametrize(
        "head",
        [
            f"GET /v1/tenants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\x0b\r\n\r\n",
            (
                f"GET /oauth/google/callback?code={KEY}&state={KEY} HTTP/1.1\r\nHost: x\r\n"
                f"Cookie: certmail-console={KEY}\x01\r\n\r\n"
            ),
            f"GET /connect/{KEY}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
            f"{KEY} / HTTP/1.1\r\nHost: x\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\n{KEY}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nX: {KEY * 1000}\r\n\r\n",
            f"GET /{KEY * 1000} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"POST /v1/reminders HTTP/1.1\r\nHost: x\r\nContent-Length: {KEY}\r\n\r\n",
        ],
    )
    async def test_neither_answer_nor_log_repeats_it(
        self, serve: Any, head: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        line = await (await serve())()
        line.send(head.encode())
        status, headers, body = await line.head()

        assert (status, json.loads(body)["code"]) == (400, "bad_request")
        assert headers["Content-Type"].startswith("application/problem+json")

        shown = body.decode() + "".join(str(record.__dict__) for record in caplog.records)
        assert "SSSS" not in shown
        assert [
            record.levelname for record in caplog.records if record.message == "bad_request"
        ] == ["WARNING"]
        assert await line.ended() == b""

    async def test_a_compressed_body_is_refused_and_not_unpacked(
        self, client: Any, served: str
    ) -> None:
        bomb = gzip.compress(b" " * 10_000_000)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

        for body in (bomb, b"no gzip"):
            status, answer, _ = await client.ask(
                "POST", "/v1/reminders", data=body, headers=headers
            )
            assert (status, answer["code"]) == (415, "unsupported_media_type")

            form = {
                "Content-Type": "application/x-www-form-urlencoded",
                "Content-Encoding": "deflate",
            }
            async with client.session.post(
                f"{served}/console/sign-in", data=body, headers=form
            ) as answer:
                assert answer.status == 415

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--"),
            ("application/x-www-form-urlencoded; charset=nonsense", b"a=b"),
            ("application/x-www-form-urlencoded", b"%ff=%00&" * 3000),
        ],
    )
    async def test_a_form_that_is_none(
        self, client: Any, served: str, kind: str, body: bytes
    ) -> None:
        async with client.session.post(
            f"{served}/console/sign-in", data=body, headers={"Content-Type": kind}
        ) as answer:
            assert 400 <= answer.status < 500


EVERYWHERE = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/"),
    ("GET", "/nowhere"),
    ("POST", "/healthz"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/tenants"),
    ("GET", "/v1/nothing"),
    ("PUT", "/v1/reminders"),
    ("GET", "/console"),
    ("GET", "/console/sign-in"),
    ("GET", "/console/nowhere"),
    ("GET", "/connect"),
    ("GET", "/connect/x"),
    ("POST", "/connect/x"),
    ("GET", "/console/static/x/console.css"),
    ("GET", "/console/static/x/none.css"),
    ("GET", "/oauth/google/callback"),
]


@asynccontextmanager
async def answer(client: Any, method: str, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with client.session.request(method, client.base + path, allow_redirects=False) as found:
        yield found


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
async def test_every_answer_says_what_browsers_may_do_with_it(
    client: Any, method: str, path: str
) -> None:
    async with answer(client, method, path) as found:
        for name in protective(secure=True):
            assert found.headers[name], name
        assert "frame-ancestors 'none'" in found.headers["Content-Security-Policy"]
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["Server"] == "certmail"


def test_over_plain_http_nothing_is_said_of_https() -> None:
    assert "Strict-Transport-Security" not in protective(secure=False)
