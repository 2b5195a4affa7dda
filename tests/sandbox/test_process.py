"""The sandbox as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import sys
from asyncio.subprocess import PIPE, Process
from typing import TYPE_CHECKING

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from certmail_sandbox.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.conftest import KeyPair


@contextlib.asynccontextmanager
async def process(*options: str) -> AsyncIterator[tuple[Process, str]]:
    """A running sandbox and its base URL, the first line that it prints."""
    command = (sys.executable, "-m", "certmail_sandbox", *options)
    running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    assert running.stdout is not None
    try:
        yield running, (await running.stdout.readline()).decode().strip()
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_prints_its_url_serves_and_stops_when_told(stop: signal.Signals) -> None:
    async with (
        process("--listen", "127.0.0.1:0") as (running, url),
        aiohttp.ClientSession() as http,
    ):
        async with http.post(
            url + "/_sandbox/accounts", json={"email": "ada@acme.example"}
        ) as answer:
            assert answer.status == 200

        running.send_signal(stop)
        async with asyncio.timeout(5):
            out, err = await running.communicate()
        assert (running.returncode, out, err) == (0, b"", b"")


async def test_it_speaks_tls(tmp_path: Path, keys: KeyPair) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(keys.certificate())
    key.write_text(keys.private_pem)
    files = ("--tls-cert", str(certificate), "--tls-key", str(key))
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE

    async with (
        process("--listen", "127.0.0.1:0", *files) as (_, url),
        aiohttp.ClientSession() as http,
    ):
        assert url.startswith("https://127.0.0.1:")
        async with http.get(url + "/_sandbox/limits", ssl=trusting) as answer:
            assert answer.status == 200
        order = {"fault": "reset_before", "match": {"path": "/v1/userinfo"}, "times": None}
        await http.post(url + "/_sandbox/faults", json=order, ssl=trusting)
        with pytest.raises(aiohttp.ClientOSError):
            await http.get(url + "/v1/userinfo", ssl=trusting)

    assert isinstance(keys.private, rsa.RSAPrivateKey)


async def test_a_port_in_use_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with process("--listen", f"127.0.0.1:{port}") as (running, url):
            _, err = await running.communicate()
        assert (running.returncode, url) == (1, "")
        assert "Address already in use" in err.decode()
        assert f"127.0.0.1:{port}" in err.decode()
        assert len(err.splitlines()) == 1


def test_serve_raises_for_a_port_in_use_and_announces_nothing() -> None:
    announced: list[str] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="Address already in use") as caught,
    ):
        serve("127.0.0.1", taken.getsockname()[1], announce=announced.append)
    assert announced == []
    assert caught.value.strerror == "Address already in use"
