"""Operators at the console over HTTP: signing in, what ends a session, and what is on record."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis import Redis

from certmail.gateway.app import runner_of
from certmail.gateway.console.sessions.password_check import AT_ONCE, WAITING, PasswordChecker
from certmail.gateway.console.sessions.throttle import PER_ACCOUNT, PER_ADDRESS
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.operators.accounts import (
    add_operator,
    change_operator,
    rehash,
    remove_operator,
    reset_operator,
    switch_operator,
)
from certmail_config.base import redis_keys
from certmail_config.operators.operator import Operator
from certmail_config.operators.passwords import hash_password, is_of_todays_cost
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_config.sql.operators.rows import find_operator

PASSWORD = "correct horse battery"
OF_SETTINGS = "the password of settings"
ADMIN, OPERATOR, VIEWER = OperatorRole.ADMIN, OperatorRole.OPERATOR, OperatorRole.VIEWER


@dataclass
class Browser:
    """One browser; `text` is its last page, `address` where proxies say that it is."""

    session: aiohttp.ClientSession
    base: str
    address: str = "192.0.2.1"
    text: str = ""
    status: int = 0
    path: str = ""
    headers: Any = field(default=None)

    async def ask(self, method: str, path: str, **form: str) -> Browser:
        data = {"csrf": self.token, **form} if method == "POST" else None
        headers = {"X-Forwarded-For": self.address}
        async with self.session.request(
            method, self.base + path, data=data, headers=headers
        ) as answer:
            self.status, self.text, self.path = answer.status, await answer.text(), answer.url.path
            self.headers = answer.headers
        return self

    async def get(self, path: str) -> Browser:
        return await self.ask("GET", path)

    async def sign_in(self, name: str, password: str = PASSWORD) -> Browser:
        await self.get("/console/sign-in")
        return await self.ask("POST", "/console/sign-in", name=name, password=password)

    @property
    def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        return found[1] if found else ""

    @property
    def is_in(self) -> bool:
        return self.status == 200 and self.path.startswith("/console") and "Sign out" in self.text


@pytest.fixture
def settings(redis_url: str, data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        redis_url=redis_url,
        trusted_proxies=("127.0.0.1",),
        operator_password=OF_SETTINGS,
    )


@pytest.fixture
def admin(redis: Redis, settings: Settings) -> Iterator[Admin]:
    with open_admin(settings, actor="root on the command line") as made:
        made.add_tenant("acme")
        yield made


@pytest.fixture
async def served(admin: Admin) -> AsyncIterator[str]:
    runner = runner_of(admin, 1024)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
async def browser(served: str) -> AsyncIterator[Browser]:
    async with new_session() as session:
        yield Browser(session, served)


def new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def make(admin: Admin, name: str, role: OperatorRole = ADMIN, **more: str) -> Operator:
    return await asyncio.to_thread(add_operator, admin, name, role, password=PASSWORD, **more)


def record(redis: Redis) -> list[tuple[str, str]]:
    entries: Any = redis.xrange(redis_keys.EVENTS)
    return [
        (fields[b"type"].decode(), fields[b"by"].decode())
        for _, fields in entries
        if b"by" in fields
    ]


class TestSigningIn:
    async def test_name_and_password_let_one_in_and_the_page_says_who_one_is(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "ann")
        assert (await browser.sign_in(" Ann ")).is_in
        assert ">ann</span>" in browser.text
        assert "admin" in (await browser.get("/console/account")).text

    @pytest.mark.parametrize("name", ["ann", "nobody", "gone", "", "ann\x00", "x" * 500])
    async def test_a_wrong_one_is_refused_in_the_same_words_whoever_is_named(
        self, admin: Admin, browser: Browser, name: str
    ) -> None:
        await make(admin, "ann")
        await make(admin, "gone")
        await asyncio.to_thread(switch_operator, admin, "gone", disabled=True)
        await browser.sign_in(name, PASSWORD if name == "gone" else "another password")
        assert browser.status == 403
        assert "Name and password do not fit together." in browser.text

    async def test_who_there_is_cannot_be_told_by_the_time(self, admin: Admin, served: str) -> None:
        await make(admin, "ann")
        taken: dict[str, list[float]] = {"ann": [], "nobody": []}
        async with new_session() as session:
            for number in range(8):
                for name, times in taken.items():
                    one = Browser(session, served, f"198.51.100.{number * 2 + len(times)}")
                    await one.get("/console/sign-in")
                    begun = time.perf_counter()
                    await one.ask("POST", "/console/sign-in", name=name, password="another one")
                    times.append(time.perf_counter() - begun)
                    assert one.status == 403
        # A look into the database alone would take a tenth of it.
        assert 0.4 < median(taken["ann"]) / median(taken["nobody"]) < 2.5, taken

    async def test_without_an_account_the_password_of_the_settings_is_asked_for_alone(
        self, browser: Browser
    ) -> None:
        await browser.get("/console/sign-in")
        assert "Operator password" in browser.text
        assert 'name="name"' not in browser.text
        assert (await browser.sign_in("", OF_SETTINGS)).is_in
        assert ">console password</span>" in browser.text

    async def test_with_accounts_it_goes_on_without_a_name(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "ann")
        assert (await browser.sign_in("", OF_SETTINGS)).is_in
        await browser.ask("POST", "/console/sign-out")
        assert (await browser.sign_in("ann", OF_SETTINGS)).status == 403

    async def test_a_hash_of_another_cost_is_made_anew(
        self, admin: Admin, browser: Browser
    ) -> None:
        made = await make(admin, "ann")
        older = hash_password(PASSWORD, iterations=1)
        await asyncio.to_thread(rehash, admin, made, older)
        assert (await browser.sign_in("ann")).is_in

        with admin.db() as db:
            kept = find_operator(db, admin.vault, name="ann")
        assert kept is not None
        assert is_of_todays_cost(kept.password or "")
        assert (await browser.get("/console")).is_in, "and the session goes on"

    async def test_who_may_not_write_nul_into_a_database_is_nobody(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "ann")
        assert (await browser.sign_in("a\x00nn")).status == 403


class TestTheThrottle:
    async def test_tries_at_an_account_count_from_wherever_they_come(
        self, admin: Admin, served: str, redis: Redis
    ) -> None:
        await make(admin, "ann")
        for name in ("ann", "nobody"):
            statuses = []
            for number in range(PER_ACCOUNT + 1):
                async with new_session() as session:
                    one = Browser(session, served, f"203.0.{len(name)}.{number}")
                    statuses.append((await one.sign_in(name, "another one")).status)
            assert statuses == [403] * PER_ACCOUNT + [429], name
            assert "Too many tries" in one.text

    async def test_who_has_signed_in_before_is_not_kept_out_by_others(
        self, admin: Admin, browser: Browser, served: str
    ) -> None:
        await make(admin, "ann")
        assert (await browser.sign_in("ann")).is_in
        await browser.ask("POST", "/console/sign-out")
        for number in range(PER_ACCOUNT + 1):
            async with new_session() as session:
                await Browser(session, served, f"203.0.113.{number}").sign_in("ann", "wrong one")
        assert (await browser.sign_in("ann")).is_in

    async def test_a_browser_that_knows_one_account_is_a_strangers_to_another(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "eve", VIEWER)
        await make(admin, "ann")
        for _ in range(PER_ADDRESS):
            await browser.sign_in("eve")
            await browser.ask("POST", "/console/sign-out")
            await browser.sign_in("ann", "a guess of eve's")
        for number in range(PER_ACCOUNT):
            browser.address = f"203.0.113.{number}"
            await browser.sign_in("ann", "a guess of eve's")
        assert browser.status == 429, "her own signing in has not made others' counters begin anew"

    async def test_few_passwords_are_checked_at_once_and_few_wait(self) -> None:
        checker, hashed = PasswordChecker(), hash_password(PASSWORD)
        tries = [checker.fits(PASSWORD, hashed) for _ in range(AT_ONCE + WAITING + 5)]
        ended = await asyncio.gather(*tries, return_exceptions=True)
        checker.close()
        refused = [each for each in ended if isinstance(each, web.HTTPTooManyRequests)]
        assert (len(refused), ended.count(True)) == (5, AT_ONCE + WAITING)
        assert AT_ONCE * 20 < 100, "megabytes"


class TestASession:
    @pytest.mark.parametrize("how", ["disabled", "removed", "reset", "address"])
    async def test_it_ends_at_once(self, admin: Admin, browser: Browser, how: str) -> None:
        await make(admin, "ann")
        assert (await browser.sign_in("ann")).is_in
        match how:
            case "disabled":
                switch_operator(admin, "ann", disabled=True)
            case "removed":
                remove_operator(admin, "ann")
            case "reset":
                reset_operator(admin, "ann", PASSWORD)
            case _:
                change_operator(admin, "ann", address="ann@acme.example")
        await browser.get("/console")
        assert browser.path == "/console/sign-in"

    async def test_a_role_changes_at_once(self, admin: Admin, browser: Browser) -> None:
        await make(admin, "ann", VIEWER)
        await browser.sign_in("ann")
        assert (await browser.get("/console/new")).status == 403
        change_operator(admin, "ann", role=OPERATOR)
        assert (await browser.get("/console/new")).status == 200
        change_operator(admin, "ann", role=VIEWER)
        assert (await browser.get("/console/new")).status == 403

    async def test_disabling_and_enabling_does_not_bring_it_back(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "ann")
        await browser.sign_in("ann")
        for disabled in (True, False):
            switch_operator(admin, "ann", disabled=disabled)
        assert (await browser.get("/console")).path == "/console/sign-in"


class TestWhatAViewerSees:
    async def test_no_button_that_the_role_would_refuse(
        self, admin: Admin, browser: Browser
    ) -> None:
        connection = admin.connection("acme/default")
        await make(admin, "ann", VIEWER)
        await browser.sign_in("ann")
        assert "Connect a mailbox" not in browser.text
        await browser.get(f"/console/connections/{connection.id}")
        assert re.findall(r'action="([^"]+)"', browser.text) == ["/console/sign-out"]

    async def test_a_refusal_says_who_may_and_the_way_back(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "ann", VIEWER)
        await browser.sign_in("ann")
        await browser.get("/console/new")
        assert browser.status == 403
        for said in (
            "Your role does not allow this",
            "Operators and admins may do this",
            "Ask an admin",
        ):
            assert said in browser.text
        assert "Sign out" in browser.text

    async def test_an_operator_makes_no_tenant_but_an_admin_does(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "bob", OPERATOR)
        await browser.sign_in("bob")
        await browser.get("/console/new")
        await browser.ask("POST", "/console/new", tenant="newco", organisation="New")
        assert (browser.status, "only admins may add one" in browser.text) == (400, True)
        await browser.ask("POST", "/console/new", tenant="acme", organisation="")
        assert browser.path == "/console/set-up/acme/default"
        change_operator(admin, "bob", role=ADMIN)
        await browser.get("/console/new")
        await browser.ask("POST", "/console/new", tenant="newco", organisation="New")
        assert browser.path == "/console/set-up/newco/default"


class TestOnesOwnPassword:
    async def test_it_is_changed_by_whoever_knows_it_and_other_sessions_end(
        self, admin: Admin, browser: Browser, served: str
    ) -> None:
        await make(admin, "ann", VIEWER)
        await browser.sign_in("ann")
        async with new_session() as session:
            other = Browser(session, served)
            assert (await other.sign_in("ann")).is_in

            await browser.get("/console/account")
            await browser.ask("POST", "/console/account", present=PASSWORD, new="another password")
            assert "Your password is changed" in browser.text
            assert (await browser.get("/console")).is_in
            assert (await other.get("/console")).path == "/console/sign-in"
            assert (await other.sign_in("ann", "another password")).is_in

    @pytest.mark.parametrize(
        ("present", "new", "said"),
        [
            ("a wrong password", "another password", "not your present password"),
            (PASSWORD, "short", "12 to 1024"),
        ],
    )
    async def test_what_is_wrong_is_said_at_the_field(
        self, admin: Admin, browser: Browser, present: str, new: str, said: str
    ) -> None:
        await make(admin, "ann")
        await browser.sign_in("ann")
        await browser.get("/console/account")
        await browser.ask("POST", "/console/account", present=present, new=new)
        assert (browser.status, said in browser.text) == (400, True)

    async def test_whoever_has_the_session_only_cannot_try_for_ever(
        self, admin: Admin, browser: Browser
    ) -> None:
        await make(admin, "ann")
        await browser.sign_in("ann")
        await browser.get("/console/account")
        statuses = []
        for _ in range(PER_ADDRESS + 1):
            await browser.ask("POST", "/console/account", present="guess", new="another password")
            statuses.append(browser.status)
        assert statuses == [400] * PER_ADDRESS + [429]

    async def test_whoever_has_none_changes_none(self, admin: Admin, browser: Browser) -> None:
        await browser.sign_in("", OF_SETTINGS)
        await browser.get("/console/account")
        await browser.ask("POST", "/console/account", present=OF_SETTINGS, new="another password")
        assert browser.status == 403


async def test_what_is_done_in_the_console_is_on_record_with_the_operators_name(
    admin: Admin, browser: Browser, redis: Redis
) -> None:
    await make(admin, "ann")
    redis.delete(redis_keys.EVENTS)
    await browser.sign_in("ann")
    await browser.get("/console/new")
    await browser.ask("POST", "/console/new", tenant="newco", organisation="")
    await browser.ask("POST", "/console/set-up/newco/default/linked-account")
    page = browser.path
    await browser.ask("POST", f"{page}/invitation")
    await browser.get(page)
    await browser.ask("POST", f"{page}/suspend")
    assert record(redis) == [
        ("signed_in", "ann in the console"),
        ("tenant_added", "ann in the console"),
        ("connection_set_up", "ann in the console"),
        ("setup_link_made", "ann in the console"),
        ("connection_suspended", "ann in the console"),
    ]
