"""What is filtered as a file: whole, harmless, some at a time, and cut off where it is not whole."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from certmail.gateway.console.record.export_page import AT_ONCE
from certmail.gateway.console.sessions.cookies import Cookie
from certmail_config.admin.admin import Admin
from certmail_worker.recording.rows import Event
from support.data.events import enqueued, happened
from support.deployment.console_browser import Browser, SignIn

Record = Callable[[Iterable[Event]], None]
PATH = "/console/deliveries/export"
MANY = 1_300
"""More than two of what is read at once."""
LARGE = [enqueued(n, f"j{n}", to=f"r{n}@people.example") for n in range(1, 40_001)]
"""More than lies anywhere between the gateway and somebody who reads nothing."""


@pytest.fixture
async def recorded(record: Record) -> None:
    events = [enqueued(n, f"j{n}", to=f"r{n}@people.example") for n in range(1, MANY + 1)]
    events += [
        enqueued(MANY + 1, "evil", to="eve@people.example", campaign='=cmd()|"/C calc"!A1'),
        happened(MANY + 2, "cancelled", "cancelled", "cancelled: by ann@acme.example", "evil"),
    ]
    await asyncio.to_thread(record, events)


def rows(page: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.removeprefix("\ufeff"))))


async def test_csv_has_all_that_is_found_the_newest_first(browser: Browser, recorded: None) -> None:
    await browser.get(f"{PATH}?tenant=acme&format=csv")
    found = rows(browser.page)
    assert len(found) == MANY + 1
    assert [row["job"] for row in found[1:3]] == [f"j{MANY}", f"j{MANY - 1}"]
    assert browser.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert browser.headers["Content-Disposition"].startswith('attachment; filename="deliveries-')
    assert browser.page.startswith("\ufeff"), "spreadsheets see its encoding"
    assert browser.page.count("\ufeff") == 1


async def test_no_cell_is_one_that_a_spreadsheet_would_run(
    browser: Browser, recorded: None
) -> None:
    await browser.get(f"{PATH}?state=cancelled")
    [found] = rows(browser.page)
    assert found["campaign"] == '\'=cmd()|"/C calc"!A1'


async def test_json_lines_have_values_as_they_are(browser: Browser, recorded: None) -> None:
    await browser.get(f"{PATH}?format=jsonl&state=not-sent")
    [found] = [json.loads(line) for line in browser.page.splitlines()]
    assert (found["job"], found["campaign"], found["held"]) == (
        "evil",
        '=cmd()|"/C calc"!A1',
        False,
    )


async def test_addresses_are_hidden_from_who_may_not_see_them(
    sign_in: SignIn, recorded: None
) -> None:
    viewer = await asyncio.to_thread(sign_in, sees_addresses=False)
    for form in ("csv", "jsonl"):
        await viewer.get(f"{PATH}?format={form}")
        assert "e•••@people.example" in viewer.page
        assert "eve@" not in viewer.page
        assert "ann@" not in viewer.page


async def test_an_unknown_form_and_a_forged_filter_are_wrong_use(
    browser: Browser, recorded: None
) -> None:
    for query in ("format=xls", "state=lost", "to=forged"):
        await browser.get(f"{PATH}?{query}")
        assert browser.status == 400


async def test_who_reads_slowly_is_waited_for_and_only_so_many_are(
    browser: Browser, record: Record
) -> None:
    await asyncio.to_thread(record, LARGE)
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            reader = await stack.enter_async_context(not_reading(browser))
            assert b" 200 " in await reader.readline()
        await browser.get(PATH)
        assert (browser.status, browser.headers["Retry-After"]) == (429, "30")
        await browser.get("/console/deliveries")
        assert browser.status == 200, "pages go on"

    # Whoever hangs up makes room.
    while browser.status != 200 or not browser.page.startswith("{"):
        await browser.get(f"{PATH}?format=jsonl&campaign=q4&to=&state=waiting")


@asynccontextmanager
async def not_reading(browser: Browser) -> AsyncIterator[asyncio.StreamReader]:
    """Somebody who asks for everything and takes the first bytes of it."""
    address = urlsplit(browser.base)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(narrow, (address.hostname, address.port))
        reader, writer = await asyncio.open_connection(sock=narrow, limit=1024)
        cookie = f"Cookie: {Cookie.OPERATOR}={browser.secret}"
        writer.write(f"GET {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\n{cookie}\r\n\r\n".encode())
        yield reader
        writer.close()


async def test_a_file_that_cannot_be_completed_is_cut_off(
    browser: Browser, admin: Admin, record: Record
) -> None:
    await asyncio.to_thread(record, LARGE)
    headers = {"Cookie": f"{Cookie.OPERATOR}={browser.secret}"}
    async with aiohttp.ClientSession(read_bufsize=1024) as session:
        answer = await session.get(f"{browser.base}{PATH}", headers=headers)
        await answer.content.readexactly(100)
        with admin.engine.begin() as db:
            db.exec_driver_sql("ALTER TABLE attempts RENAME TO gone")
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
