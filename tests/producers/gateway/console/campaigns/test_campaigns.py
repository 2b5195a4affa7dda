"""Campaigns in the console, over HTTP: the list, one campaign's page, and its actions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import pause_campaign, put_campaign, stop_campaign
from certmail_config.base import redis_keys
from certmail_config.campaigns.applying.identity import BY_HAND
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.sql.campaigns.campaigns import get_campaign
from certmail_config.sql.campaigns.moments import moments_of_reviewers
from support.deployment.console_browser import Browser, SignIn

T = TypeVar("T")
PATH = "/console/campaigns"
Q4 = f"{PATH}/acme/q4"
NOW = datetime.now(UTC)
ANN = Reviewer(id="ann", to="ann@people.example", name="Ann Example", pending=3)
BEN = Reviewer(id="ben", to="ben@people.example", pending=0, completed=4)


async def done(do: Callable[..., T], *given: Any, **named: Any) -> T:
    return await asyncio.to_thread(do, *given, **named)


def put(admin: Admin, *reviewers: Reviewer, id_: str = "q4", **fields: Any) -> None:
    given: dict[str, Any] = {
        "tenant": "acme",
        "id": id_,
        "name": f"Review {id_}",
        "preset": "gentle",
    }
    given |= {"start": NOW, "due": NOW + timedelta(days=30)}
    put_campaign(admin, Campaign.model_validate(given | fields))
    put_reviewers(admin, str((given | fields)["tenant"]), id_, reviewers)


def state_of(admin: Admin) -> CampaignState:
    with admin.db() as db:
        return get_campaign(db, "acme", "q4").state


def reminded(admin: Admin) -> list[str]:
    with admin.db() as db:
        found = moments_of_reviewers(db, "acme", "q4", ["ann", "ben", "cleo"])
    return sorted(each.id.reviewer for each in found if each.id.rule == BY_HAND)


def acts(admin: Admin) -> list[tuple[str, str]]:
    entries: Any = admin.redis.xrange(redis_keys.EVENTS)
    found = [(each[b"type"].decode(), each[b"by"].decode()) for _, each in entries]
    return [(kind, by) for kind, by in found if kind.startswith("campaign_")]


class TestTheList:
    async def test_where_there_is_none_it_offers_to_run_one(self, browser: Browser) -> None:
        assert "No campaign runs yet" in await browser.get(PATH)
        assert f'href="{PATH}/new"' in browser.page

    async def test_each_with_its_state_and_who_is_done(
        self, browser: Browser, admin: Admin
    ) -> None:
        await done(put, admin, ANN, BEN)
        await done(put, admin, id_="2026/q1 ü%")
        await done(pause_campaign, admin, "acme", "2026/q1 ü%")
        said = await browser.get(PATH)
        assert "Review q4 acme · q4 1 of 2 done due:" in said
        assert "0 of 0 done" in said
        assert "nothing leaves Paused" in said
        [other] = re.findall(rf'href="({PATH}/acme/2026[^"]+)"', browser.page)
        assert "Review 2026/q1 ü%" in await browser.get(other)

    async def test_those_of_a_tenant(self, browser: Browser, admin: Admin) -> None:
        await done(put, admin)
        await done(put, admin, tenant="globex", id_="q5")
        said = await browser.get(f"{PATH}?tenant=globex")
        assert ("Review q4" in said, "Review q5" in said) == (False, True)
        assert "nobody has no campaign" in await browser.get(f"{PATH}?tenant=nobody")

    async def test_it_goes_on_where_the_page_before_ended(
        self, browser: Browser, admin: Admin
    ) -> None:
        for n in range(10, 62):
            await done(put, admin, id_=f"c{n}")
        said = await browser.get(PATH)
        assert ("Review c59" in said, "Review c60" in said) == (True, False)
        [following] = re.findall(r'rel="next" href="([^"]+)"', browser.page)
        said = await browser.get(following.replace("&amp;", "&"))
        assert ("Review c59" in said, "Review c60" in said, "The first" in said) == (
            False,
            True,
            True,
        )


class TestOnePage:
    async def test_it_says_who_is_done_and_what_comes(self, browser: Browser, admin: Admin) -> None:
        await done(put, admin, ANN, BEN)
        said = await browser.get(Q4)
        assert "1 done of 2 reviewers" in said
        assert "1 not done" in said
        assert "Ann Example ann · ann@people.example no mail yet next: Notice" in said
        assert "ben@people.example ben no mail yet no next one: the review is complete" in said
        assert "3 left" in said
        assert "The next mail leaves:" in said
        assert "due" in browser.page.partition('class="strip"')[2]
        assert "/console/deliveries?tenant=acme&amp;campaign=q4" in browser.page

    async def test_those_who_are_done_or_not_are_listed_apart(
        self, browser: Browser, admin: Admin
    ) -> None:
        await done(put, admin, ANN, BEN)
        said = await browser.get(f"{Q4}?part=open")
        assert ("ann@people" in said, "ben@people" in said) == (True, False)
        said = await browser.get(f"{Q4}?part=done")
        assert ("ann@people" in said, "ben@people" in said) == (False, True)

    async def test_reviewers_are_listed_page_by_page(self, browser: Browser, admin: Admin) -> None:
        people = [Reviewer(id=f"r{n}", to=f"r{n}@people.example") for n in range(10, 62)]
        await done(put, admin, *people)
        said = await browser.get(Q4)
        assert ("r59@people" in said, "r60@people" in said) == (True, False)
        [following] = re.findall(r'rel="next" href="([^"]+)"', browser.page)
        said = await browser.get(following.replace("&amp;", "&"))
        assert ("r59@people" in said, "r60@people" in said) == (False, True)

    async def test_what_the_mailbox_cannot_send_in_time_is_said(
        self, browser: Browser, admin: Admin
    ) -> None:
        people = [Reviewer(id=f"r{n}", to=f"r{n}@people.example") for n in range(30)]
        await done(put, admin, *people)
        connection = await done(admin.connection, "acme/default")
        await done(admin.change_limits, connection.id, {"per_day": 5})
        said = await browser.get(Q4)
        assert re.search(r"\d+ mails (will leave after the due date|leave on a later day)", said)
        assert "The mailbox sends only so many" in said

    async def test_a_viewer_sees_no_address_and_is_offered_nothing(
        self, sign_in: SignIn, admin: Admin
    ) -> None:
        await done(put, admin, ANN, BEN, owner="boss@people.example")
        viewer = await done(sign_in, sees_addresses=False)
        for path in (PATH, Q4):
            await viewer.get(path)
            assert "ann@" not in viewer.page
            assert "boss@" not in viewer.page
            assert "Ann Example" not in viewer.page
            assert f'action="{Q4}' not in viewer.page
            assert "/stop" not in viewer.page
            assert f"{PATH}/new" not in viewer.page

    async def test_there_is_none_of_one_that_is_not_there(self, browser: Browser) -> None:
        for id_ in ("none", "x%00", "%C3%A9", "x" * 300):
            said = await browser.get(f"{PATH}/acme/{id_}")
            assert (browser.status, "There is no campaign" in said) == (404, True)
            assert "Go back to the list of campaigns." in said

    async def test_a_stopped_one_has_nothing_to_come_and_no_way_on(
        self, browser: Browser, admin: Admin
    ) -> None:
        await done(put, admin, ANN)
        await done(stop_campaign, admin, "acme", "q4")
        said = await browser.get(Q4)
        assert "Stopped for good" in said
        assert "no next one: the campaign is stopped" in said
        assert f"{Q4}/stop" not in browser.page


class TestItsActions:
    async def test_it_is_paused_and_resumed_on_record(self, browser: Browser, admin: Admin) -> None:
        await done(put, admin, ANN)
        await browser.get(Q4)
        assert "Paused: nothing leaves until it is resumed." in await browser.post(f"{Q4}/pause")
        assert await done(state_of, admin) is CampaignState.PAUSED
        assert "Resumed: what was missed" in await browser.post(f"{Q4}/resume")
        assert await done(state_of, admin) is CampaignState.RUNNING
        by = "console password in the console"
        assert (await done(acts, admin))[-2:] == [("campaign_paused", by), ("campaign_resumed", by)]

    async def test_those_who_are_ticked_are_reminded(self, browser: Browser, admin: Admin) -> None:
        cleo = Reviewer(id="cleo", to="cleo@people.example", pending=1)
        await done(put, admin, ANN, BEN, cleo)
        await browser.get(Q4)
        said = await browser.post(f"{Q4}/remind", reviewer=["ann", "ben"])
        assert "1 reviewer gets a mail now. 1 have nothing left to decide." in said
        assert said.count("one that was asked for is on its way") == 1
        assert "the first leaves now" in await browser.get(PATH)
        assert await done(reminded, admin) == ["ann"]

    async def test_all_are_reminded_only_by_whoever_ticks_that_they_are_sure(
        self, browser: Browser, admin: Admin
    ) -> None:
        cleo = Reviewer(id="cleo", to="cleo@people.example", pending=1)
        await done(put, admin, ANN, BEN, cleo)
        await browser.get(Q4)
        said = await browser.post(f"{Q4}/remind", whom="all")
        assert (browser.status, "Tick that all of them are to get a mail" in said) == (400, True)
        assert await done(reminded, admin) == []
        assert "2 reviewers get a mail now." in await browser.post(
            f"{Q4}/remind", whom="all", sure="1"
        )
        assert await done(reminded, admin) == ["ann", "cleo"]

    async def test_for_whom_it_is_outside_their_hours_is_said_and_they_can_be_waited_for(
        self, browser: Browser, admin: Admin
    ) -> None:
        another_day = (NOW + timedelta(days=3)).strftime("%a").lower()
        calendar = {"days": [another_day], "window": "09:00-17:00"}
        await done(put, admin, ANN, BEN, calendar=calendar)
        assert "For 1 of 1 it is outside their hours now." in await browser.get(Q4)
        said = await browser.post(f"{Q4}/remind", whom="all", sure="1", hours="1")
        assert "0 reviewers get a mail now. 1 get it when their hours begin." in said
        assert await done(reminded, admin) == ["ann"]

    async def test_nobody_is_reminded_without_a_tick_or_while_it_is_paused(
        self, browser: Browser, admin: Admin
    ) -> None:
        await done(put, admin, ANN)
        await browser.get(Q4)
        assert "Tick at least one reviewer." in await browser.post(f"{Q4}/remind")
        await done(pause_campaign, admin, "acme", "q4")
        assert "nobody is reminded" in await browser.post(f"{Q4}/remind", reviewer="ann")
        assert browser.status == 409

    async def test_it_is_stopped_by_whoever_types_its_id(
        self, browser: Browser, admin: Admin
    ) -> None:
        await done(put, admin, ANN)
        assert "Stop Review q4 for good?" in await browser.get(f"{Q4}/stop")
        said = await browser.post(f"{Q4}/stop", confirm="q")
        assert "That is not its id, so nothing was stopped." in said
        assert await done(state_of, admin) is CampaignState.RUNNING
        assert "Stopped: nothing leaves any more." in await browser.post(f"{Q4}/stop", confirm="q4")
        assert await done(state_of, admin) is CampaignState.STOPPED

    async def test_a_form_from_elsewhere_changes_nothing(
        self, browser: Browser, admin: Admin
    ) -> None:
        await done(put, admin, ANN)
        await browser.get(Q4)
        await browser.post(f"{Q4}/pause", origin="https://evil.example")
        assert browser.status == 403
        assert await done(state_of, admin) is CampaignState.RUNNING
