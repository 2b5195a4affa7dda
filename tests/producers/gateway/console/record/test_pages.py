"""Deliveries in the console, over HTTP: found, counted, told, and hidden where they are to be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest

from certmail_config.admin.admin import Admin
from certmail_config.admin.suspension import stop_everything
from certmail_worker.recording.rows import Event
from support.data.events import begun, enqueued, happened, settled
from support.deployment.console_browser import Browser, SignIn

Record = Callable[[Iterable[Event]], None]
EVENTS = [
    enqueued(1, "j1", to="ann@people.example"),
    enqueued(2, "j2", to="bob@people.example", campaign="q5"),
    enqueued(3, "j3", "suppressed", to="cyd@people.example"),
    begun(4, job="j1"),
    settled(5, "accepted", "accepted", job="j1", reason="", http_status=200, gmail_id="g1"),
    happened(6, "cancelled", "cancelled", "cancelled: by ann@acme.example", "j2"),
]
"""One was accepted, one called off, one not to be sent."""


@pytest.fixture
async def recorded(record: Record) -> None:
    await asyncio.to_thread(record, EVENTS)


def shown(browser: Browser) -> list[str]:
    """The recipients of the list, in its order."""
    return re.findall(r'<a class="name" href="/console/deliveries/j\d+">([^<]+)</a>', browser.page)


class TestTheList:
    async def test_where_nothing_is_on_record_it_says_so(self, browser: Browser) -> None:
        assert "No reminder is on record yet" in await browser.get("/console/deliveries")

    async def test_the_newest_come_first_with_why_those_were_not_sent_that_were_not(
        self, browser: Browser, recorded: None
    ) -> None:
        said = await browser.get("/console/deliveries")
        assert shown(browser) == ["cyd@people.example", "bob@people.example", "ann@people.example"]
        assert "By ann@acme.example" in said
        assert re.search(r"1 Accepted Gmail took it 0 Waiting .* 2 Not sent", said)
        assert "q5 acme 1 Not sent" in said

    async def test_two_clicks_answer_who_was_not_reminded_and_why(
        self, browser: Browser, recorded: None
    ) -> None:
        await browser.get("/console/deliveries")
        [link] = re.findall(r'href="([^"]+campaign=q4&amp;state=not-sent)"', browser.page)
        await browser.get(link.replace("&amp;", "&"))
        assert shown(browser) == ["cyd@people.example"]

    async def test_a_campaign_says_why_before_it_says_who(
        self, sign_in: SignIn, browser: Browser, record: Record
    ) -> None:
        words = "message_rejected: Gmail does not take ann@people.example."
        events = [*EVENTS, enqueued(7, "j4"), happened(8, "released", "failed", words, "j4")]
        await asyncio.to_thread(record, events)
        said = await browser.get("/console/deliveries?campaign=q4")
        assert "Who was reminded for q4, who was not, and why." in said
        assert "1 Failed Gmail does not take a•••@people.example." in said, "a sum names nobody"
        assert "Why not all" not in await browser.get("/console/deliveries")
        assert "Why not all" not in await browser.get("/console/deliveries?state=accepted")

    async def test_what_waits_says_for_what(
        self, browser: Browser, admin: Admin, record: Record
    ) -> None:
        draft = await asyncio.to_thread(admin.connection, "acme/default")
        at = datetime(2099, 1, 1, 9, tzinfo=UTC)
        ready = enqueued(1, "j1", connection=draft.id)
        millis = str(int(at.timestamp() * 1000))
        later = enqueued(2, "j2", "scheduled", send_at=millis, connection=draft.id)
        await asyncio.to_thread(record, [ready, later])
        said = await browser.get("/console/deliveries")
        assert "The connection 'default' of acme is not set up yet" in said
        assert "Its time is 1 Jan 2099" in said

        await asyncio.to_thread(stop_everything, admin, on=True, reason="")
        assert "An operator lets nothing leave" in await browser.get("/console/deliveries")

    @pytest.mark.parametrize(
        ("fields", "found"),
        [
            ({"to": "BOB@people.example"}, ["bob"]),
            ({"campaign": "q4"}, ["cyd", "ann"]),
            ({"tenant": "globex"}, []),
            ({"tenant": "acme", "state": "accepted"}, ["ann"]),
            ({"state": "not-sent"}, ["cyd", "bob"]),
            ({"since": "2026-11-23", "until": "2026-11-23"}, ["cyd", "bob", "ann"]),
            ({"since": "2026-11-24"}, []),
        ],
    )
    async def test_what_was_typed_is_found_at_an_address_without_the_recipient(
        self, browser: Browser, recorded: None, fields: dict[str, str], found: list[str]
    ) -> None:
        await browser.get("/console/deliveries")
        await browser.post("/console/deliveries", **fields)
        assert browser.status == 200
        assert [each.partition("@")[0] for each in shown(browser)] == found
        assert "people" not in browser.path

    async def test_pages_go_on_and_back_to_the_newest(
        self, browser: Browser, record: Record
    ) -> None:
        many = [enqueued(n, f"j{n}", to=f"r{n}@people.example") for n in range(1, 121)]
        await asyncio.to_thread(record, many)
        seen, path = [], "/console/deliveries?tenant=acme&state=waiting"
        for _ in range(3):
            await browser.get(path)
            seen += shown(browser)
            older = re.search(r'rel="next" href="([^"]+)"', browser.page)
            path = older[1].replace("&amp;", "&") if older else ""
        assert seen == [f"r{n}@people.example" for n in range(120, 0, -1)]
        assert not path
        assert "The newest" in browser.text

    async def test_wrong_fields_are_said_where_they_are(self, browser: Browser) -> None:
        await browser.get("/console/deliveries")
        said = await browser.post("/console/deliveries", to="bob", tenant="acme")
        assert (browser.status, "Type the whole address" in said) == (400, True)
        assert 'value="bob"' in browser.page
        said = await browser.post("/console/deliveries", campaign="c" * 10_000)
        assert (browser.status, "longer than any there is" in said) == (400, True)


class TestTheStory:
    async def test_all_that_happened_is_told_in_order(
        self, browser: Browser, recorded: None
    ) -> None:
        said = await browser.get("/console/deliveries/j1")
        order = [said.index(each) for each in ("Taken in", "The request to Gmail began", "g1")]
        assert order == sorted(order)
        assert "Gmail answered 200" in said

    async def test_who_decided_is_named(self, browser: Browser, recorded: None) -> None:
        assert "Decided by ann@acme.example" in await browser.get("/console/deliveries/j2")

    @pytest.mark.parametrize("job", ["unknown", "%00", "j1%27", "x" * 500])
    async def test_what_is_not_on_record_is_not_found(
        self, browser: Browser, recorded: None, job: str
    ) -> None:
        await browser.get(f"/console/deliveries/{job}")
        assert browser.status == 404


class TestWhoMayNotSeeAddresses:
    async def test_lists_and_stories_hide_them_and_who_types_one_still_finds_it(
        self, sign_in: SignIn, recorded: None
    ) -> None:
        viewer = await asyncio.to_thread(sign_in, sees_addresses=False)
        await viewer.get("/console/deliveries")
        assert shown(viewer) == [
            "c•••@people.example",
            "b•••@people.example",
            "a•••@people.example",
        ]
        assert "ann@acme.example" not in viewer.page, "in a reason neither"

        await viewer.post("/console/deliveries", to="ann@people.example")
        assert shown(viewer) == ["a•••@people.example"]
        for job in ("j1", "j2"):
            await viewer.get(f"/console/deliveries/{job}")
            assert viewer.status == 200
            assert not re.search(r"\b(ann|bob)@", viewer.page)


class TestAbuse:
    @pytest.mark.parametrize(
        "query",
        [
            "after=nonsense",
            "after=" + "A" * 3000,
            "after=MjAyNi0xMS0yM1QwOTowMDowMw",
            "to=bm9ib2R5",
            "state=everything",
            "since=0",
            "tenant=" + "t" * 5000,
            "tenant=%00",
        ],
    )
    async def test_a_forged_address_is_answered_with_what_is_wrong(
        self, browser: Browser, recorded: None, query: str
    ) -> None:
        said = await browser.get(f"/console/deliveries?{query}")
        assert (browser.status, "That did not work" in said) == (400, True)

    async def test_a_filter_of_ten_kilobytes_is_refused_before_it_is_read(
        self, browser: Browser
    ) -> None:
        await browser.get("/console/deliveries?campaign=" + "c" * 10_000)
        assert browser.status == 400

    async def test_markup_in_what_others_named_is_text(
        self, browser: Browser, record: Record
    ) -> None:
        evil = "<script>alert(1)</script>"
        made = [enqueued(1, "j1", to=f'"{evil}"@people.example', campaign=evil)]
        await asyncio.to_thread(record, made)
        for path in ("/console/deliveries", "/console/deliveries/j1"):
            await browser.get(path)
            assert browser.status == 200
            assert evil not in browser.page

    async def test_nobody_else_is_let_in(self, browser: Browser, recorded: None) -> None:
        browser.secret = "somebody"
        for path in ("/console/deliveries", "/console/deliveries/j1"):
            await browser.get(path)
            assert browser.path.startswith("/console/sign-in")
