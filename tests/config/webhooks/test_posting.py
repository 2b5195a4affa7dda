"""One request to one endpoint: however it ends, and nowhere that it must not go.

That nothing left is seen where it would have arrived: at sockets that listen.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from certmail_config.webhooks import posting
from certmail_config.webhooks.addresses import Allowed, read_allowed
from certmail_config.webhooks.posting import MAX_ANSWER, Came, poster
from certmail_config.webhooks.signing import new_secret, sign
from support.network.receivers import Received, flood, hang, receiver, status

SECRET = new_secret()
HERE = read_allowed("http://127.0.0.1")
BODY = '{"type":"webhook.test"}'


async def post(url: str, allowed: Sequence[Allowed] = HERE, **how: Any) -> Came:
    async with poster(allowed, **how) as posts:
        return await posts.post(url, sign([SECRET], "msg_1_0", now(), BODY), BODY)


def now() -> int:
    return int(time.time())


class Ear:
    """A port on which every connection is counted."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0


@asynccontextmanager
async def listening(host: str = "127.0.0.1") -> AsyncIterator[Ear]:
    ear = Ear()

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ear.connections += 1
        writer.close()

    server = await asyncio.start_server(hear, host, 0)
    ear.port = server.sockets[0].getsockname()[1]
    async with server:
        yield ear


class TestNothingGoesInside:
    LITERALS = (
        "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "0.0.0.0", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:7f00:1]", "[::7f00:1]",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "10.0.0.5", "172.16.0.1", "192.168.0.1",
        "100.64.0.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16",
        "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[fc00::1]",
        "[fd00:ec2::254]", "[fe80::1]", "[ff02::1]",
    )  # fmt: skip
    """Addresses that no name server is asked about: only the socket's own check is in their way."""
    NAMES = ("localhost", "localhost.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01")  # fmt: skip
    """What the system's resolver takes for this machine, as far as it is ever asked."""

    @pytest.mark.parametrize("host", [*LITERALS, *NAMES])
    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_whatever_stands_in_the_address(self, scheme: str, host: str) -> None:
        async with listening() as ear:
            came = await post(f"{scheme}://{host}:{ear.port}/", allowed=())
            assert came.status is None
            assert came.refused or "HTTP" in came.why or "nowhere" in came.why
            assert ear.connections == 0

    @pytest.mark.parametrize("host", LITERALS)
    async def test_it_says_where_it_leads_and_what_that_is(self, host: str) -> None:
        came = await post(f"https://{host}:8443/", allowed=())
        assert came.refused
        assert "leads to" in came.why
        assert "and it is " in came.why

    @pytest.mark.parametrize(
        "answers",
        [
            ["127.0.0.1"],
            ["93.184.215.14", "127.0.0.1"],
            ["127.0.0.1", "93.184.215.14"],
            ["93.184.215.14", "2606:4700::1111", "::1"],
            ["::ffff:127.0.0.1"],
            ["169.254.169.254"],
        ],
    )
    async def test_where_a_name_leads_all_answers_count(self, answers: list[str]) -> None:
        def look_up(_: str, port: int, **__: Any) -> list[Any]:
            return [info(each, port) for each in answers]

        async with listening() as ear:
            came = await post(f"https://hooks.example.com:{ear.port}/", (), look_up=look_up)
            assert came.refused
            assert came.why.startswith(f"hooks.example.com:{ear.port} leads to ")
            assert ear.connections == 0

    async def test_a_name_that_leads_elsewhere_the_second_time_is_looked_at_again(self) -> None:
        async with receiver(SECRET) as outside, listening("127.0.0.2") as inside:
            port = int(outside.url.split(":")[2].partition("/")[0])
            answers = iter([("127.0.0.1", port), ("127.0.0.2", inside.port)])

            def look_up(_: str, port: int, **__: Any) -> list[Any]:
                return [info(*next(answers))]

            async with poster(HERE, look_up=look_up) as posts:
                url = f"http://hooks.example.com:{port}/"
                first = await posts.post(url, sign([SECRET], "msg_1_0", now(), BODY), BODY)
                await asyncio.sleep(posting.KEEP_SECONDS + 0.5)  # else the connection is used again
                second = await posts.post(url, sign([SECRET], "msg_1_0", now(), BODY), BODY)

            assert first.taken
            assert second.refused
            assert "127.0.0.2" in second.why
            assert inside.connections == 0

    async def test_a_redirect_is_not_followed(self) -> None:
        async with listening() as inside:
            to = status(307, Location=f"http://127.0.0.1:{inside.port}/")
            async with receiver(SECRET, habit=to) as outside:
                came = await post(outside.url)
            assert (came.status, came.taken) == (307, False)
            assert "redirects" in came.why
            assert inside.connections == 0

    async def test_no_proxy_of_the_environment_is_used(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with listening() as proxy, receiver(SECRET) as outside:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert (await post(outside.url)).taken
            assert proxy.connections == 0

    async def test_what_is_allowed_with_tls_is_not_without(self) -> None:
        async with listening() as ear:
            url = f"http://127.0.0.1:{ear.port}/"
            came = await post(url, read_allowed("127.0.0.1"))
            assert (
                came.why
                == f"127.0.0.1:{ear.port} leads to 127.0.0.1, and it would be reached without TLS"
            )
            assert ear.connections == 0


def info(address: str, port: int) -> Any:
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = (address, port, 0, 0) if ":" in address else (address, port)
    return kind, socket.SOCK_STREAM, 6, "", place


class TestWhatComesBack:
    async def test_a_message_is_sent_as_it_was_signed(self) -> None:
        async with receiver(SECRET) as there:
            came = await post(there.url)
        assert came.taken
        assert came.why == "it was taken (HTTP 204)"
        [headers] = there.headers
        assert headers["Content-Type"] == "application/json"
        assert headers["User-Agent"] == "certmail"
        assert "Cookie" not in headers
        assert there.url.split("/")[2] == headers["Host"]

    @pytest.mark.parametrize("code", [301, 302, 303, 308, 400, 401, 404, 410, 429, 500, 503])
    async def test_whatever_is_no_2xx_is_a_failure(self, code: int) -> None:
        async with receiver(SECRET, habit=status(code)) as there:
            came = await post(there.url)
        assert (came.status, came.taken) == (code, False)
        assert f"HTTP {code}" in came.why

    async def test_it_may_ask_to_be_left_alone_for_a_while(self) -> None:
        async with receiver(SECRET, habit=status(503, Retry_After="120")) as there:
            assert (await post(there.url)).asked == 120

    async def test_more_than_a_little_of_an_answer_is_not_read(self) -> None:
        async with receiver(SECRET, habit=flood) as there:
            came = await post(there.url)
        assert came.taken
        assert len(came.answer) == MAX_ANSWER

    async def test_what_is_packed_is_not_unpacked(self) -> None:
        packed = gzip.compress(b"0" * 10_000_000)

        async def bomb(_: Received) -> web.StreamResponse:
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

        async with receiver(SECRET, habit=bomb) as there:
            came = await post(there.url)
        assert came.answer == packed

    async def test_who_hangs_is_not_waited_for(self) -> None:
        assert posting.TOTAL_SECONDS == 15
        async with receiver(SECRET, habit=hang) as there:
            came = await post(there.url, total_seconds=0.2)
        assert (came.status, came.why) == (None, "no answer within 0.2 seconds")

    async def test_a_status_counts_whatever_becomes_of_the_body(self) -> None:
        async def never_ends(received: Received) -> web.StreamResponse:
            response = web.StreamResponse(status=200)
            await response.prepare(received.request)
            await response.write(b"so")
            await asyncio.Event().wait()
            raise AssertionError

        async with receiver(SECRET, habit=never_ends) as there:
            came = await post(there.url, total_seconds=1)
        assert (came.taken, came.answer) == (True, b"so")

    @pytest.mark.parametrize(
        ("bytes_", "why"),
        [
            (b"", "it hung up without an answer"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5, "broke"),
            (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000, "no HTTP"),
        ],
    )
    async def test_who_speaks_otherwise_has_taken_nothing(self, bytes_: bytes, why: str) -> None:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"}")
            writer.write(bytes_)
            writer.close()

        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            came = await post(f"http://127.0.0.1:{port}/")
        assert came.status is None
        assert why in came.why or "hung up" in came.why

    async def test_who_cuts_the_line_is_told_of_in_words(self) -> None:
        async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"}")
            line = writer.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            came = await post(f"http://127.0.0.1:{port}/")
        assert (came.status, came.why) == (None, "the connection broke: Connection reset by peer")

    async def test_nobody_there(self) -> None:
        async with listening() as ear:
            port = ear.port
        came = await post(f"http://127.0.0.1:{port}/")
        assert came.why == "no connection: Connection refused"
        assert not came.refused

    async def test_a_name_of_nothing(self) -> None:
        def look_up(*_: Any, **__: Any) -> list[Any]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        came = await post("https://hooks.example.com/", look_up=look_up)
        assert came.why == "its name leads nowhere"
