"""State that outlives the sandbox's process, so that nobody sets it up again each morning."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import stat
from typing import TYPE_CHECKING

import aiohttp
import pytest

from certmail_sandbox.persistence import Unreadable, load
from certmail_sandbox.state import State
from sandbox.test_process import process

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.conftest import Google


@contextlib.asynccontextmanager
async def kept(file: Path, like: Google) -> AsyncIterator[tuple[Process, Google]]:
    """A process that keeps what it knows in this file."""
    async with (
        process("--listen", "127.0.0.1:0", "--keep", str(file)) as (running, url),
        aiohttp.ClientSession() as http,
    ):
        yield running, type(like)(url, http, like.clock, like.keys)


async def test_a_second_process_goes_on_where_the_first_ended(
    tmp_path: Path, google: Google
) -> None:
    file = tmp_path / "google.kept"
    async with kept(file, google) as (first, one):
        token = await one.token()
        sent = await one.send(token)
        assert sent.status == 200
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    async with kept(file, google) as (second, two):
        assert [message["id"] for message in await two.messages()] == [sent.body["id"]]
        assert (await two.send(token)).status == 200, "the token of before is good"
        assert (await two.exchange(two.assertion())).status == 200, "so are key and delegation"
        await two.control("POST", "/accounts", {"email": "late@acme.example"})
        await written(file)
        second.kill()
    assert len(known(file).mail.messages) == 2


async def written(file: Path) -> None:
    """Waits until what was done last is kept, though the process still runs."""
    async with asyncio.timeout(20):
        # A file can only be read again and again.
        while known(file).directory.account("late@acme.example") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def known(file: Path) -> State:
    state = State()
    load(file, state)
    return state


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}"])
def test_what_is_damaged_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "google.kept"
    file.write_bytes(content)
    with pytest.raises(Unreadable, match="cannot be read"):
        load(file, State())


async def test_and_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "google.kept"
    file.write_bytes(b"nonsense")
    async with process("--keep", str(file)) as (running, url):
        _, err = await running.communicate()
    assert (running.returncode, url) == (1, "")
    assert len(err.splitlines()) == 1


def test_there_need_be_no_file(tmp_path: Path) -> None:
    assert not known(tmp_path / "none").directory.accounts
