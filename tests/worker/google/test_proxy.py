"""Google behind a proxy: CONNECT with user and password, TLS behind it.

Nothing is uncertain when the proxy refuses.
"""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp.test_utils import TestServer

from bench.mail.authority import make
from certmail.gateway.oauth.google_client import Google
from certmail.gateway.oauth.google_client import new_session as gateway_session
from certmail_config.google.oauth import OAuthClient
from certmail_config.google.token_errors import Blame, Denied
from certmail_config.jobs.states import AttemptOutcome
from certmail_config.settings import Settings
from certmail_sandbox.server import build
from certmail_worker.delivery.send_failures import FailureClass, judge
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import SendWindow, boottime, exchange, new_session
from certmail_worker.google.responses import Answer, Answered, NotSent
from support.network.proxy import Proxy, proxy

USER, PASSWORD, WRITTEN = "ann", "p@ss/w#rd:%", "ann:p%40ss%2Fw%23rd%3A%25"
MAIL = b"From: a@acme.example\r\nTo: b@people.example\r\nSubject: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Trust:
    """Who vouches for the stand-ins, and their certificate."""

    ca_file: Path
    tls: ssl.SSLContext


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """What a test leaves open is found at its own end, not in whichever test it is collected."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    ca_file, endpoint = make(Path(tmp_path_factory.mktemp("trust")))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(endpoint)
    return Trust(ca_file, context)


@pytest.fixture(params=["http", "https"])
def way(request: pytest.FixtureRequest, trust: Trust) -> Iterator[tuple[Proxy, str]]:
    secure = request.param == "https"
    with proxy(USER, PASSWORD, trust.tls if secure else None) as made:
        yield made, f"{request.param}://{WRITTEN}@127.0.0.1:{made.port}"


@asynccontextmanager
async def google(trust: Trust) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """The sandbox over TLS, and a session that goes there directly."""
    before = open_sockets()
    server = TestServer(build(), scheme="https")
    await server.start_server(ssl=trust.tls)

    try:
        async with new_session(ca_file=trust.ca_file, timeout_seconds=10) as direct:
            yield str(server.make_url("")).rstrip("/"), direct
    finally:
        await server.close()
        # TLS says farewell on both sides, which takes some turns of this loop and of the proxy's.
        async with asyncio.timeout(60):
            while open_sockets() > before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def open_sockets() -> int:
    """How many sockets this process has open."""
    found = 0
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += str(file.readlink()).startswith("socket:")
    return found


async def requests_seen(root: str, direct: aiohttp.ClientSession) -> list[str]:
    async with direct.get(f"{root}/_sandbox/requests") as answer:
        return [item["path"] for item in await answer.json()]


async def send(session: aiohttp.ClientSession, root: str, seconds: float = 5) -> Answer:
    return await Gmail(session, root).send(MAIL, "t", SendWindow(boottime() + seconds))


async def through(trust: Trust, url: str, proxied: Proxy) -> None:
    async with google(trust) as (root, direct):
        async with new_session(ca_file=trust.ca_file, timeout_seconds=10, proxy=url) as session:
            for _ in range(2):
                answer = await send(session, root)
                assert isinstance(answer, Answered), answer
                assert answer.status == 401, "Google itself has answered"
        assert proxied.asked == [f"CONNECT {root.removeprefix('https://')}"], (
            "one tunnel serves both"
        )
        assert len(await requests_seen(root, direct)) == 2


async def test_requests_go_through_a_tunnel_that_the_proxy_cannot_read(
    trust: Trust, way: tuple[Proxy, str]
) -> None:
    await through(trust, way[1], way[0])


def test_so_they_do_on_the_loop_that_workers_have(trust: Trust, way: tuple[Proxy, str]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(through(trust, way[1], way[0]))


async def test_the_send_window_closes_behind_the_tunnel(
    trust: Trust, way: tuple[Proxy, str]
) -> None:
    way[0].hold = 0.6
    async with google(trust) as (root, direct):
        async with new_session(ca_file=trust.ca_file, timeout_seconds=10, proxy=way[1]) as session:
            late = await send(session, root, seconds=0.3)
        assert isinstance(late, NotSent)
        assert way[0].asked, "the tunnel was there"
        assert await requests_seen(root, direct) == []


@pytest.mark.parametrize(
    ("status", "says", "failure"),
    [
        (403, "does not let certmail through", FailureClass.OPERATOR),
        (407, "user and password", FailureClass.OPERATOR),
        (502, "does not reach Google", FailureClass.TRANSIENT),
        (None, "cannot be reached", FailureClass.TRANSIENT),
        (0, "no answer in time from the proxy", FailureClass.TRANSIENT),
    ],
)
async def test_what_the_proxy_refuses_has_not_left_and_is_said_to_be_the_proxys(
    trust: Trust, status: int | None, says: str, failure: FailureClass
) -> None:
    with proxy(USER, PASSWORD) as made:
        url = f"http://{WRITTEN}@127.0.0.1:{1 if status is None else made.port}"
        made.refuse, made.hold = status or None, 3 if status == 0 else 0
        async with new_session(ca_file=trust.ca_file, timeout_seconds=1, proxy=url) as session:
            answer = await send(session, "https://gmail.example")

    assert isinstance(answer, NotSent), answer
    verdict = judge(answer)
    assert (verdict.outcome, verdict.failure) == (AttemptOutcome.NOT_SENT, failure)
    assert says in verdict.message
    assert "proxy" in verdict.message
    assert bool(verdict.remedy) is (failure is FailureClass.OPERATOR)
    assert not any(part in f"{answer} {verdict}" for part in (PASSWORD, WRITTEN, "p%40ss"))


async def test_the_gateway_goes_through_it_too(
    trust: Trust, way: tuple[Proxy, str], tmp_path: Path
) -> None:
    async with google(trust) as (root, _):
        settings = Settings(
            data_dir=tmp_path,
            google_ca_file=trust.ca_file,
            google_proxy=way[1],
            google_token_url=f"{root}/token",
            google_userinfo_url=f"{root}/v1/userinfo",
            google_revoke_url=f"{root}/revoke",
        )
        async with gateway_session(settings) as session:
            asked = Google(session, settings, OAuthClient("id", "secret"))
            denied = await asked.exchange("code", "verifier")
            assert isinstance(denied, Denied)
            assert denied.code == "client_refused", "Google itself has answered"
            assert await asked.account("token") is None
            assert await asked.revoke("token")
            assert way[0].asked == [f"CONNECT {root.removeprefix('https://')}"]

        way[0].refuse = 403

        async with gateway_session(settings) as session:
            refused = await Google(session, settings, OAuthClient("id", "secret")).exchange(
                "code", "verifier"
            )
            assert isinstance(refused, Denied)
            assert (refused.blame, refused.code) == (Blame.OPERATOR, "proxy_refused")
            assert "the proxy does not let certmail through" in refused.message

    assert PASSWORD not in f"{settings!r} {refused}"


async def test_nothing_is_taken_from_the_environment(
    trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with google(trust) as (root, direct):
        assert isinstance(await exchange(direct, "GET", f"{root}/v1/userinfo"), Answered)
