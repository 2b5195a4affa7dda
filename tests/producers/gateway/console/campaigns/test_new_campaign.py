"""From a file of reviewers to a campaign that runs, over HTTP, as a browser sends it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import aiohttp
import pytest

from certmail.gateway.console.campaigns.uploads import MAX_FILE
from certmail_config.admin.admin import Admin
from certmail_config.sql.campaigns.campaigns import KeptCampaign, find_campaign
from certmail_config.sql.campaigns.reviewers import ids_of_reviewers
from support.deployment.console_browser import Browser

PATH = "/console/campaigns/new"
DUE = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT17:00")
WHOLE = b"id,to,name,pending\nr1,ann@people.example,Ann,3\nr2,ben@people.example,Ben,0\n"
TYPED = {
    "tenant": "acme",
    "id": "q4",
    "name": "Quarterly review",
    "due": DUE,
    "time_zone": "Europe/Berlin",
    "country": "de",
    "preset": "standard",
}
TOML = f"""\
tenant = "acme"
id = "of-a-file"
start = {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}
due = {DUE}:00+01:00
[[rule]]
id = "start"
on = "start"
"""


async def send(
    browser: Browser, typed: dict[str, str], *, step: str = "preview", **files: bytes
) -> str:
    """Send the form in its parts, files among them."""
    if not browser.token:
        await browser.get(PATH)
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in ({"csrf": browser.token, "step": step} | typed).items():
        form.add_field(name, value)
    for name, content in files.items():
        form.add_field(name, BytesIO(content), filename=f"{name}.csv", content_type="text/csv")
    headers = {"Cookie": f"certmail-console={browser.secret}"}
    async with browser.session.post(browser.base + PATH, data=form, headers=headers) as answer:
        browser.page, browser.status, browser.path = (
            await answer.text(), answer.status, answer.url.path,
        )  # fmt: skip
    return browser.text


async def kept(admin: Admin, id_: str = "q4") -> KeptCampaign | None:
    def find() -> KeptCampaign | None:
        with admin.db() as db:
            return find_campaign(db, "acme", id_)

    return await asyncio.to_thread(find)


async def ids(admin: Admin) -> list[str]:
    def find() -> list[str]:
        with admin.db() as db:
            return ids_of_reviewers(db, "acme", "q4")

    return await asyncio.to_thread(find)


def carried(rows: bytes = WHOLE) -> dict[str, str]:
    """What the page of what comes sends on."""
    return TYPED | {"rows": rows.decode(), "file": "people.csv"}


class TestWhatWouldCome:
    async def test_the_form_names_the_tenant_it_came_from(self, browser: Browser) -> None:
        said = await browser.get(f"{PATH}?tenant=acme")
        assert "Nothing is sent yet" in said
        assert 'name="tenant" value="acme"' in browser.page

    async def test_it_says_who_gets_what_when_and_puts_nothing(
        self, browser: Browser, admin: Admin
    ) -> None:
        said = await send(browser, TYPED, reviewers=WHOLE)
        assert browser.status == 200, said
        assert "Nothing runs yet" in said
        assert "Reviewers 2 (1 of them done)" in said
        assert "ann@people.example Notice," in said
        assert "ben@people.example" not in said
        assert re.search(r"\d+ mails: the review is complete", said)
        assert await kept(admin) is None

    async def test_a_file_of_the_campaign_is_in_place_of_the_fields(
        self, browser: Browser, admin: Admin
    ) -> None:
        said = await send(browser, {}, reviewers=WHOLE, campaign=TOML.encode())
        assert (browser.status, "acme · of-a-file" in said) == (200, True), said
        assert "1 rule of its own" in said

    async def test_wrong_rows_are_named_with_their_lines(self, browser: Browser) -> None:
        rows = WHOLE + b"r3,nobody,,1\nr1,twin@people.example,,1\n"
        said = await send(browser, TYPED, reviewers=rows)
        assert "2 rows are wrong" in said
        assert "Line 4, to:" in said
        assert "Line 5, id: line 2 has this id already" in said

    @pytest.mark.parametrize(
        ("changed", "field", "words"),
        [
            ({"tenant": "nobody"}, "tenant", "Look under Tenants"),
            ({"tenant": "globex", "id": ""}, "id", ""),
            ({"due": ""}, "due", "This is not a time"),
            ({"due": "2020-01-01T10:00"}, "due", "due must be later than start"),
            ({"time_zone": "Mars/Olympus"}, "time_zone", "not a time zone"),
            ({"country": "XX"}, "country", "ot a country whose holidays are known"),
            ({"preset": "strict"}, "owner", "add owner"),
            ({"link": "javascript:alert(1)"}, "link", "ot a link"),
            ({"preset": "mild"}, "preset", ""),
        ],
    )
    async def test_what_is_wrong_is_said_at_its_field_and_the_file_is_kept(
        self, browser: Browser, changed: dict[str, str], field: str, words: str
    ) -> None:
        said = await send(browser, TYPED | changed, reviewers=WHOLE)
        assert browser.status == 400, said
        assert f'id="{field}-wrong"' in browser.page
        assert words.lower() in said.lower()
        assert "reviewers.csv is kept" in said

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "Choose the file of reviewers"),
            (b"id,to\n", "has no reviewer"),
            (b"id,mail\nr1,a@b.example\n", "has no column to"),
            (b"id,to\nr1,\xff\n", "not UTF-8 (line 2)"),
            (b"PK\x03\x04\x14\0", "an Excel file"),
            (b"id,to\n" + b"x" * MAX_FILE, "larger than 1,024 KiB"),
            (b"id,to\n" + b"".join(b"r%d,r%d@p.example\n" % (n, n) for n in range(5001)), "more than 5,000"),
        ],
        ids=["none", "empty", "column", "encoding", "excel", "large", "many"],
    )  # fmt: skip
    async def test_a_file_that_cannot_be_used_is_said_at_the_file(
        self, browser: Browser, content: bytes, words: str
    ) -> None:
        said = await send(browser, TYPED, reviewers=content)
        assert (browser.status, words in said) == (400, True), said
        assert 'id="reviewers-wrong"' in browser.page

    async def test_what_is_larger_than_any_form_is_not_read(self, browser: Browser) -> None:
        await send(browser, TYPED, reviewers=b"x" * (4 * MAX_FILE))
        assert browser.status == 413

    async def test_other_forms_take_no_files(self, browser: Browser) -> None:
        await browser.get(PATH)
        form = aiohttp.FormData(default_to_multipart=True)
        form.add_field("csrf", browser.token)
        headers = {"Cookie": f"certmail-console={browser.secret}"}
        url = f"{browser.base}/console/deliveries"
        async with browser.session.post(url, data=form, headers=headers) as answer:
            assert answer.status == 415

    async def test_a_form_from_elsewhere_is_not_taken(self, browser: Browser) -> None:
        await browser.get(PATH)
        said = await send(browser, TYPED | {"csrf": "theirs"}, reviewers=WHOLE)
        assert (browser.status, "not sent from a page of certmail" in said) == (403, True)


class TestRunningIt:
    async def test_it_runs_with_its_reviewers(self, browser: Browser, admin: Admin) -> None:
        said = await send(browser, carried(), step="run")
        assert browser.path == "/console/campaigns/acme/q4", said
        assert "The campaign runs." in said
        found = await kept(admin)
        assert found is not None
        assert (found.campaign.preset, found.campaign.calendar.country) == ("standard", "DE")
        assert found.campaign.due.astimezone(UTC).isoformat() != DUE
        assert await ids(admin) == ["r1", "r2"]

    async def test_where_rows_are_wrong_nothing_is_put_unless_it_is_ticked(
        self, browser: Browser, admin: Admin
    ) -> None:
        rows = carried(WHOLE + b"r3,nobody,,1\n")
        said = await send(browser, rows, step="run")
        assert (browser.status, "Tick that it is run without" in said) == (400, True)
        assert await kept(admin) is None
        await send(browser, rows | {"without": "1"}, step="run")
        assert await ids(admin) == ["r1", "r2"]

    async def test_sent_twice_it_is_one(self, browser: Browser, admin: Admin) -> None:
        start = {"start": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")}
        for _ in range(2):
            await send(browser, carried() | start, step="run")
            assert browser.status == 200
        found = await kept(admin)
        assert found is not None
        assert found.version == 1

    async def test_one_that_is_there_is_not_replaced(self, browser: Browser, admin: Admin) -> None:
        await send(browser, carried(), step="run")
        said = await send(browser, carried() | {"name": "Another"}, step="run")
        assert (browser.status, "There is a campaign 'q4' of 'acme' already" in said) == (400, True)
        found = await kept(admin)
        assert found is not None
        assert found.campaign.name == "Quarterly review"

    async def test_whoever_changes_something_has_it_typed_again(self, browser: Browser) -> None:
        said = await send(browser, carried(), step="change")
        assert "people.csv is kept" in said
        assert 'value="Quarterly review"' in browser.page
