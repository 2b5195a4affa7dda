"""Webhooks in the console, over HTTP: the list, one endpoint's page, its forms and its actions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from redis import Redis
from sqlalchemy import update

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks.endpoints import add_webhook, get_webhook, list_webhooks
from certmail_config.admin.webhooks.running import pause_webhook
from certmail_config.admin.webhooks.secrets import signing_secrets
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.sql.webhooks.messages import add_message, kept_of
from certmail_config.webhooks.catalogue import WebhookType
from certmail_config.webhooks.health import EndpointState
from support.deployment.console_browser import Browser, SignIn
from support.network.receivers import receiver, status

T = TypeVar("T")
PATH = "/console/webhooks"
URL = "https://hooks.example.com/in?key=theirs"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def settings(redis: Redis, redis_url: str, ready_database: str, data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        redis_url=redis_url,
        database_url=ready_database,
        operator_password=PASSWORD,
        webhook_allow="http://127.0.0.1",
    )


async def done(do: Callable[..., T], *given: Any, **named: Any) -> T:
    return await asyncio.to_thread(do, *given, **named)


async def added(admin: Admin, *tenants: str, url: str = URL, **how: Any) -> Endpoint:
    return (await done(add_webhook, admin, url, tenants=tenants or ["acme"], **how))[0]


def happen(admin: Admin, id_: str, times: int = 1) -> None:
    with admin.db() as db:
        for n in range(times):
            at = datetime.now(UTC) - timedelta(minutes=n)
            add_message(
                db, [id_], WebhookType.WEBHOOK_DISABLED, at, {"webhook": "w", "code": "gone"}
            )


def set_to(admin: Admin, id_: str, **values: Any) -> None:
    table = tables.webhook_endpoints
    with admin.db() as db:
        db.execute(update(table).where(table.c.id == id_).values(**values))


def messages_set_to(admin: Admin, **values: Any) -> None:
    with admin.db() as db:
        db.execute(update(tables.webhook_messages).values(**values))


def kept(admin: Admin, id_: str) -> tuple[int, int, int]:
    with admin.db() as db:
        found = kept_of(db, id_)
    return found.waiting, found.delivered, found.failed


def acts(admin: Admin) -> list[tuple[str, str]]:
    entries: Any = admin.redis.xrange(redis_keys.EVENTS)
    found = [(each[b"type"].decode(), each[b"by"].decode()) for _, each in entries]
    return [(kind, by) for kind, by in found if kind.startswith("webhook_")]


class TestTheList:
    async def test_where_there_is_none_it_says_so(self, browser: Browser) -> None:
        assert "There is no webhook yet" in await browser.get(PATH)

    async def test_each_with_its_state_what_it_is_told_of_and_what_waits(
        self, browser: Browser, admin: Admin
    ) -> None:
        ours = await added(admin, types=["reminder.failed"], name="The portal")
        await added(admin, "*", url="https://all.example.com/in")
        await done(happen, admin, ours.id, 3)
        await done(set_to, admin, ours.id, state="backing_off", error="it answered HTTP 500")
        said = await browser.get(PATH)
        assert "The portal https://hooks.example.com/in?key=theirs reminder.failed acme" in said
        assert "3 messages wait no success yet Backing off it answered HTTP 500" in said
        assert "all.example.com https://all.example.com/in everything every tenant" in said

    async def test_those_of_a_tenant_are_its_own_and_those_of_all(
        self, browser: Browser, admin: Admin
    ) -> None:
        for tenant in ("acme", "globex", "*"):
            await added(admin, tenant, name=f"of {tenant}")
        said = await browser.get(f"{PATH}?tenant=acme")
        assert ("of acme" in said, "of globex" in said, "of *" in said) == (True, False, True)
        assert "No webhook is told of nobody" not in await browser.get(f"{PATH}?tenant=nobody")
        assert "of *" in browser.text, "one of all is told of whoever comes, too"

    async def test_it_goes_on_where_the_page_before_ended(
        self, browser: Browser, admin: Admin
    ) -> None:
        for n in range(60):
            await done(admin.add_tenant, f"t{n}")
            await added(admin, f"t{n}", name=f"number {n}.")
        said = await browser.get(PATH)
        assert ("number 49." in said, "number 50." in said) == (True, False)
        [following] = re.findall(r'rel="next" href="([^"]+)"', browser.page)
        said = await browser.get(following)
        assert ("number 49." in said, "number 50." in said, "The first" in said) == (
            False,
            True,
            True,
        )

    async def test_whoever_is_no_admin_sees_hosts_and_is_offered_nothing(
        self, sign_in: SignIn, admin: Admin
    ) -> None:
        made = await added(admin)
        viewer = await done(sign_in, sees_addresses=False)
        for path in (PATH, f"{PATH}/{made.id}"):
            await viewer.get(path)
            assert "hooks.example.com" in viewer.page
            assert "key=theirs" not in viewer.page
            assert f'action="{PATH}/' not in viewer.page
            assert "/new" not in viewer.page
            assert "/change" not in viewer.page


class TestOnePage:
    async def test_it_says_how_it_is_since_when_and_why(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        since = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
        ill = {"error": "it answered HTTP 500", "since": since, "failing_since": since}
        words = {
            "backing_off": ("Backing off: it takes nothing", "If it takes none, it is disabled: 25 Nov 2026"),
            "disabled": ("Disabled: it took nothing for five days", "send a trial; then resume it"),
            "paused": ("Paused by a person", "Nothing is sent until it is resumed"),
        }  # fmt: skip
        for state, (title, more) in words.items():
            await done(set_to, admin, made.id, state=state, code="failing", **ill)
            said = await browser.get(f"{PATH}/{made.id}")
            assert title in said
            assert more in said
            assert "Since 20 Nov 2026, 09:30 UTC" in said
        await done(set_to, admin, made.id, state="disabled", code="gone")
        assert "nobody wants messages there any more (410)" in await browser.get(
            f"{PATH}/{made.id}"
        )

    async def test_its_newest_messages_with_status_time_and_why(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await done(happen, admin, made.id)
        ended = datetime(2026, 11, 25, 15, 20, 7, tzinfo=UTC)
        values = {"state": "failed", "attempts": 8, "status": 503, "error": "it answered HTTP 503"}
        await done(messages_set_to, admin, ended_at=ended, **values)
        said = await browser.get(f"{PATH}/{made.id}")
        assert "webhook.disabled Failed 25 Nov 2026, 15:20:07 UTC · 8 attempts · HTTP 503" in said
        assert "it answered HTTP 503" in said
        assert "Waiting 0" in said
        assert "Failed 1" in said

    @pytest.mark.parametrize("id_", ["none", "x%00", "%C3%A9", "x" * 300])
    async def test_there_is_none_of_a_webhook_that_is_not_there(
        self, browser: Browser, id_: str
    ) -> None:
        said = await browser.get(f"{PATH}/{id_}")
        assert (browser.status, "There is no webhook" in said) == (404, True)
        assert "Go back to the list of webhooks." in said


class TestOneIsAdded:
    async def test_its_secret_is_shown_once_and_signs(self, browser: Browser, admin: Admin) -> None:
        await browser.get(f"{PATH}/new?tenant=acme")
        assert 'value="acme"' in browser.page
        said = await browser.post(
            f"{PATH}/new", url=URL, tenants="acme, globex acme", type=["reminder.failed"], name="ours"
        )  # fmt: skip
        assert (browser.status, "It is shown only once" in said) == (200, True)
        assert browser.headers["Cache-Control"] == "no-store"
        [secret] = re.findall(r"whsec_[^<\s]+", browser.page)
        [made] = await done(list_webhooks, admin)
        assert made.tenants == {"acme", "globex"}
        assert (made.types, made.name) == (frozenset({"reminder.failed"}), "ours")
        assert signing_secrets(admin.vault, made, datetime.now(UTC)) == [secret]
        await browser.get(f"{PATH}/{made.id}")
        assert secret not in browser.page
        assert await done(acts, admin) == [("webhook_added", "console password in the console")]

    async def test_without_a_tick_it_is_told_of_everything_and_may_be_of_every_tenant(
        self, browser: Browser, admin: Admin
    ) -> None:
        await browser.get(f"{PATH}/new")
        await browser.post(f"{PATH}/new", url=URL, tenants="", every="1")
        [made] = await done(list_webhooks, admin)
        assert made.tenants == made.types == {"*"}

    @pytest.mark.parametrize(
        ("changed", "field", "words"),
        [
            ({"url": "https://10.0.0.1/"}, "url", "No webhook can be sent there: of 10.0.0.1, it is"),
            ({"url": "https://hooks.example.com:6379/"}, "url", "port 6379 is none of a web server’s"),
            ({"url": "https://user@hooks.example.com/"}, "url", "No webhook can be sent there"),
            ({"url": ""}, "url", "No webhook can be sent there"),
            ({"tenants": "nobody"}, "tenants", "There is no tenant 'nobody'"),
            ({"tenants": ""}, "tenants", "Name a tenant"),
            ({"tenants": "ACME"}, "tenants", "This cannot be used as a name"),
            ({"tenants": "a\0b"}, "tenants", "This cannot be used as a name"),
            ({"type": "reminder.sent"}, "types", "There is no type of event 'reminder.sent'"),
            ({"name": "a\0b"}, "name", "a character that nobody sees"),
        ],
    )  # fmt: skip
    async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
        self, browser: Browser, admin: Admin, changed: dict[str, str], field: str, words: str
    ) -> None:
        await browser.get(f"{PATH}/new")
        typed = {"url": URL, "tenants": "acme", "name": "ours", "type": "reminder.failed"} | changed
        said = await browser.post(f"{PATH}/new", **typed)
        assert (browser.status, words in said) == (400, True)
        assert f'id="{field}-wrong"' in browser.page
        if field != "url":
            assert f'value="{URL}"' in browser.page
        assert await done(list_webhooks, admin) == []


class TestOneIsChanged:
    async def test_address_types_and_name(self, browser: Browser, admin: Admin) -> None:
        made = await added(admin, types=["reminder.failed"], name="ours")
        await browser.get(f"{PATH}/{made.id}/change")
        assert f'value="{URL}"' in browser.page
        assert browser.page.count(" checked") == 1
        moved = "https://new.example.com/in"
        said = await browser.post(f"{PATH}/{made.id}/change", url=moved, name="theirs")
        assert (browser.path, "What waits goes to the new address" in said) == (
            f"{PATH}/{made.id}",
            True,
        )
        found = await done(get_webhook, admin, made.id)
        assert (found.url, found.types, found.name) == (moved, frozenset("*"), "theirs")
        assert found.tenants == {"acme"}
        same = {"url": moved, "name": "theirs"}
        assert "Nothing was different" in await browser.post(f"{PATH}/{made.id}/change", **same)
        by = "console password in the console"
        assert (await done(acts, admin))[1:] == [("webhook_changed", by)]

    async def test_an_address_that_may_not_be_is_said_at_its_field(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await browser.get(f"{PATH}/{made.id}/change")
        said = await browser.post(f"{PATH}/{made.id}/change", url="https://169.254.169.254/")
        assert (browser.status, "No webhook can be sent there" in said) == (400, True)
        assert (await done(get_webhook, admin, made.id)).url == URL


class TestActions:
    async def test_a_trial_says_what_came_back(self, browser: Browser, admin: Admin) -> None:
        async with receiver() as there:
            made, secret = await done(add_webhook, admin, there.url, tenants=["acme"])
            there.secrets = (secret,)
            await browser.get(f"{PATH}/{made.id}")
            said = await browser.post(f"{PATH}/{made.id}/test")
            assert "The trial was taken after" in said
            assert len(there.taken) == 1
            there.habit = status(500)
            said = await browser.post(f"{PATH}/{made.id}/test")
            assert re.search(
                r"The trial was not taken, after [0-9.]+ seconds: it answered HTTP 500", said
            )

    async def test_pause_and_resume(self, browser: Browser, admin: Admin) -> None:
        made = await added(admin)
        await browser.get(f"{PATH}/{made.id}")
        assert "what happens is kept" in await browser.post(f"{PATH}/{made.id}/pause")
        assert (await done(get_webhook, admin, made.id)).health.state is EndpointState.PAUSED
        assert "Resumed" in await browser.post(f"{PATH}/{made.id}/resume")
        assert (await done(get_webhook, admin, made.id)).health.state is EndpointState.ACTIVE
        by = "console password in the console"
        assert (await done(acts, admin))[1:] == [("webhook_paused", by), ("webhook_resumed", by)]

    async def test_another_secret_is_shown_once_and_the_one_before_signs_for_as_long_as_is_said(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await browser.get(f"{PATH}/{made.id}")
        words = {2: "The one before signs as well until", 1: "The one before signs no more"}
        for hours, signing in (("168", 2), ("0", 1)):
            said = await browser.post(f"{PATH}/{made.id}/rotate", hours=hours)
            assert "It is shown only once" in said
            assert words[signing] in said
            [secret] = re.findall(r"whsec_[^<\s]+", browser.page)
            found = await done(get_webhook, admin, made.id)
            signs = signing_secrets(admin.vault, found, datetime.now(UTC))
            assert (signs[0], len(signs)) == (secret, signing)

    async def test_messages_are_sent_again_one_all_that_failed_or_all_since(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await done(happen, admin, made.id, 3)
        await done(messages_set_to, admin, state="failed", attempts=8)
        path = f"{PATH}/{made.id}/replay"
        await browser.get(f"{PATH}/{made.id}")
        [message, *_] = re.findall(r'name="message" value="([^"]+)"', browser.page)
        assert "1 message is sent again." in await browser.post(path, message=message)
        assert await done(kept, admin, made.id) == (1, 0, 2)
        assert "2 messages are sent again." in await browser.post(path, failed="1")
        assert await done(kept, admin, made.id) == (3, 0, 0)
        assert "There was none" in await browser.post(path, since="2099-01-01T00:00")
        await done(pause_webhook, admin, made.id)
        said = await browser.post(path, since="2020-01-01T00:00")
        assert "3 messages are sent again once it is resumed." in said

    @pytest.mark.parametrize("since", ["", "yesterday", "2026-13-01T00:00"])
    async def test_what_is_no_time_is_said_at_its_field(
        self, browser: Browser, admin: Admin, since: str
    ) -> None:
        made = await added(admin)
        await browser.get(f"{PATH}/{made.id}")
        said = await browser.post(f"{PATH}/{made.id}/replay", since=since)
        assert (browser.status, "This is not a time" in said) == (400, True)

    async def test_a_message_that_is_not_kept_is_not_there(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await browser.get(f"{PATH}/{made.id}")
        assert "data-listen" in browser.page
        said = await browser.post(f"{PATH}/{made.id}/replay", message="msg_1_1")
        assert (browser.status, "it lists the newest that are kept" in said) == (404, True)
        assert "data-listen" not in browser.page, "a form's address cannot be asked for again"

    async def test_it_is_removed_by_whoever_types_its_host(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await done(happen, admin, made.id, 2)
        path = f"{PATH}/{made.id}/removal"
        assert "2 messages that wait for it are erased" in await browser.get(path)
        assert "nothing was removed" in await browser.post(path, confirm="hooks")
        said = await browser.post(path, confirm="hooks.example.com")
        assert (browser.path, "The webhook is removed" in said) == (PATH, True)
        with pytest.raises(Refused):
            await done(get_webhook, admin, made.id)


class TestAttention:
    async def test_those_that_back_off_or_are_disabled_stand_there_with_a_link(
        self, browser: Browser, admin: Admin
    ) -> None:
        ill = await added(admin, name="ill")
        await added(admin, name="well")
        paused = await added(admin, name="paused")
        await done(pause_webhook, admin, paused.id)
        assert "Webhooks that take nothing" not in await browser.get("/console/attention")
        for state in ("backing_off", "disabled"):
            await done(set_to, admin, ill.id, state=state, error="it answered HTTP 500")
            said = await browser.get("/console/attention")
            assert "Webhooks that take nothing" in said
            assert "it answered HTTP 500" in said
            assert f'href="{PATH}/{ill.id}"' in browser.page
            assert (
                "well" not in said.split("Webhooks that take nothing")[1].split("certmail sends")[0]
            )
        assert "take nothing" not in await browser.get("/console/attention?tenant=globex")
        assert "ill" in await browser.get("/console/attention?tenant=acme")


class TestAbuse:
    async def test_a_form_of_another_site_changes_nothing(
        self, browser: Browser, admin: Admin
    ) -> None:
        made = await added(admin)
        await browser.get(f"{PATH}/{made.id}")
        await browser.post(f"{PATH}/{made.id}/pause", origin="https://evil.example")
        assert browser.status == 403
        assert (await done(get_webhook, admin, made.id)).health.state is EndpointState.ACTIVE

    async def test_what_a_receiver_answers_is_text(self, browser: Browser, admin: Admin) -> None:
        async with receiver() as there:  # it does not know the secret, so it answers 401
            made = await added(admin, url=there.url, name="<b>bold</b>")
            await browser.get(f"{PATH}/{made.id}")
            await browser.post(f"{PATH}/{made.id}/test")
            assert "<b>" not in browser.page
