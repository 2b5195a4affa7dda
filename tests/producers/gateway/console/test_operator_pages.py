"""Operators in the console: an admin adds, changes, shuts out and removes them, on record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis import Redis

from certmail.gateway.console.sessions.sessions import Sessions
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.operators.accounts import add_operator, list_operators
from certmail_config.base import redis_keys
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import fits
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from support.deployment.console_browser import Browser

ADMIN, OPERATOR, VIEWER = OperatorRole.ADMIN, OperatorRole.OPERATOR, OperatorRole.VIEWER
PASSWORD = "correct horse battery"
PAGE = "/console/operators"


@pytest.fixture
def settings(redis_url: str, data_dir: Path) -> Settings:
    """A deployment without a common password: all sign in as themselves."""
    return Settings(data_dir=data_dir, redis_url=redis_url)


@pytest.fixture
def admin(redis: Redis, settings: Settings) -> Iterator[Admin]:
    with open_admin(settings, actor="root on the command line") as made:
        add_operator(made, "ann", ADMIN, password=PASSWORD)
        yield made


@pytest.fixture
async def browser(admin: Admin, served: str) -> AsyncIterator[Browser]:
    """Ann's, who is the only admin."""
    [ann] = await asyncio.to_thread(list_operators, admin)
    begin = Sessions(admin.strongbox).begin_as_account
    visitor = await asyncio.to_thread(begin, ann.id, ann.generation)
    async with aiohttp.ClientSession() as session:
        yield Browser(session, served, visitor.secret)


async def known(admin: Admin) -> dict[str, Operator]:
    return {each.name: each for each in await asyncio.to_thread(list_operators, admin)}


async def add(browser: Browser, name: str = "bob", role: str = "viewer", **more: str) -> str:
    """Add an operator by the form; gives the password that the page shows."""
    await browser.get(PAGE)
    await browser.post(PAGE, name=name, role=role, **more)
    found = re.search(r'<code id="password">([^<]+)</code>', browser.page)
    return found[1] if found else ""


def acts(redis: Redis) -> list[tuple[str, str, str]]:
    entries: Any = redis.xrange(redis_keys.EVENTS)
    return [
        (fields[b"type"].decode(), fields[b"reason"].decode(), fields[b"by"].decode())
        for _, fields in entries
        if b"by" in fields
    ]


class TestAdding:
    async def test_the_password_is_made_up_and_shown_this_once(
        self, admin: Admin, redis: Redis, browser: Browser
    ) -> None:
        password = await add(browser, "Bob")
        bob = (await known(admin))["bob"]
        assert (bob.role, fits(password, bob.password)) == (VIEWER, True)
        assert password not in await browser.get(PAGE)
        assert "bob" in browser.page
        assert ("operator_added", "bob, viewer", "ann in the console") in acts(redis)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"name": "ann"}, "There is an operator of this name already."),
            ({"name": "Ann Smith"}, "A name has letters, digits"),
            ({"role": "owner"}, "Choose a role."),
            ({"address": "bob"}, "This is not an email address."),
        ],
    )
    async def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays(
        self, admin: Admin, browser: Browser, given: dict[str, str], said: str
    ) -> None:
        await add(browser, **{"name": "bob", "role": "operator", **given})
        assert browser.status == 400
        assert said in browser.page
        assert set(await known(admin)) == {"ann"}

    async def test_an_address_is_one_operators_alone(self, admin: Admin, browser: Browser) -> None:
        await add(browser, address="Bob@acme.example")
        await add(browser, "eve", address="bob@ACME.example")
        assert "This is the address of another operator." in browser.page
        assert set(await known(admin)) == {"ann", "bob"}


class TestWithGoogle:
    @pytest.fixture
    def settings(self, redis_url: str, data_dir: Path) -> Settings:
        return Settings(
            data_dir=data_dir,
            redis_url=redis_url,
            operator_oauth_client_id="operators.apps.example.com",
            operator_oauth_client_secret="the secret of operators",
            operator_domains=("acme.example",),
        )

    async def test_nobody_needs_a_password(self, admin: Admin, browser: Browser) -> None:
        assert await add(browser, address="bob@acme.example") == ""
        assert "They sign in with Google, as bob@acme.example." in browser.text
        assert (await known(admin))["bob"].password is None

        await browser.get(f"{PAGE}/bob")
        await browser.post(f"{PAGE}/bob/role", role="viewer", address="robert@acme.example")
        assert (await known(admin))["bob"].address == "robert@acme.example"
        await add(browser, "eve")
        assert "Without a password, an address is needed" in browser.page


class TestChanging:
    async def test_a_role_counts_from_the_next_page_on(
        self, admin: Admin, redis: Redis, browser: Browser
    ) -> None:
        await add(browser)
        await browser.get(f"{PAGE}/bob")
        said = await browser.post(f"{PAGE}/bob/role", role="operator")
        assert "Changed." in said
        assert (await known(admin))["bob"].role is OPERATOR
        assert ("operator_changed", "bob, operator", "ann in the console") in acts(redis)

        await browser.post(f"{PAGE}/bob/role", role="operator")
        assert "Nothing was different." in browser.page
        assert [kind for kind, _, _ in acts(redis)].count("operator_changed") == 1

    async def test_another_password_ends_the_sessions(self, admin: Admin, browser: Browser) -> None:
        first = await add(browser)
        await browser.get(f"{PAGE}/bob")
        await browser.post(f"{PAGE}/bob/password")
        found = re.search(r'<code id="password">([^<]+)</code>', browser.page)
        assert found is not None
        bob = (await known(admin))["bob"]
        assert (fits(found[1], bob.password), fits(first, bob.password)) == (True, False)
        assert bob.generation == 2

    async def test_one_is_shut_out_and_let_in_again(self, admin: Admin, browser: Browser) -> None:
        await add(browser)
        await browser.get(f"{PAGE}/bob")
        assert "Disabled" in await browser.post(f"{PAGE}/bob/disable")
        assert (await known(admin))["bob"].disabled
        assert "Enabled" in await browser.post(f"{PAGE}/bob/enable")
        assert not (await known(admin))["bob"].disabled

    async def test_one_is_removed(self, admin: Admin, redis: Redis, browser: Browser) -> None:
        await add(browser)
        await browser.get(f"{PAGE}/bob")
        assert "The operator is removed." in await browser.post(f"{PAGE}/bob/removal")
        assert set(await known(admin)) == {"ann"}
        assert ("operator_removed", "bob", "ann in the console") in acts(redis)

    @pytest.mark.parametrize("what", ["disable", "password", "removal"])
    async def test_nobody_shuts_out_themselves(
        self, admin: Admin, browser: Browser, what: str
    ) -> None:
        await add(browser, role="admin")
        await browser.get(f"{PAGE}/ann")
        assert f"/ann/{what}" not in browser.page
        assert "This is your own account" in await browser.post(f"{PAGE}/ann/{what}")
        assert not (await known(admin))["ann"].disabled

    async def test_the_last_admin_stays_one(self, admin: Admin, browser: Browser) -> None:
        await browser.get(f"{PAGE}/ann")
        said = await browser.post(f"{PAGE}/ann/role", role="viewer")
        assert "ann is the last admin" in said
        assert (await known(admin))["ann"].role is ADMIN

        await add(browser, role="admin")
        await browser.get(f"{PAGE}/ann")
        await browser.post(f"{PAGE}/ann/role", role="viewer")
        assert (await known(admin))["ann"].role is VIEWER

    async def test_who_is_not_there_is_said(self, browser: Browser) -> None:
        await browser.get(f"{PAGE}/nobody")
        assert "There is no operator" in browser.page


async def test_only_admins_are_led_there(admin: Admin, served: str) -> None:
    operator = await asyncio.to_thread(add_operator, admin, "bob", OPERATOR, password=PASSWORD)
    begin = Sessions(admin.strongbox).begin_as_account
    visitor = await asyncio.to_thread(begin, operator.id, 1)
    async with aiohttp.ClientSession() as session:
        browser = Browser(session, served, visitor.secret)
        assert PAGE not in await browser.get("/console")
