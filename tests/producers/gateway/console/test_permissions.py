"""Each route with each role, and with each scope of an API key: allowed as the tables say.

The routes are those of the router: one that is in no table fails here.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from certmail.gateway.api.routes import ROUTES, Route
from certmail.gateway.app import build, runner_of
from certmail.gateway.console.sessions.sessions import Sessions, Visitor
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.operators.operator import Operator
from certmail_config.operators.permissions import OPEN, PAGES
from certmail_config.operators.roles import OperatorRole
from certmail_config.settings import Settings
from certmail_config.sql.operators.rows import add_operator
from certmail_config.stores.connect import connect
from certmail_config.tenants.api_keys import KeyScope

REFUSED = "Your role does not allow this"
VALUES = {
    "tenant": "acme",
    "locale": "en",
    "job": "none",
    "kind": "reminder",
    "name": "default",
    "id": "none",
    "token": "none",
    "version": "1",
    "webhook": "none",
    "campaign": "none",
}


@pytest.fixture(scope="module")
def admin(
    redis_url: str, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Admin]:
    folder = tmp_path_factory.mktemp("permissions")
    (folder / "certmail.sqlite").write_bytes(sqlite_template.read_bytes())
    keys = (("k1", os.urandom(32)),)
    settings = Settings(data_dir=folder, redis_url=redis_url, vault_keys=keys)
    with open_admin(settings) as made, connect(redis_url) as redis:
        redis.flushall()
        made.add_tenant("acme")
        with made.db() as db:
            for role in OperatorRole:
                # Nobody signs in here, so nobody needs a password.
                person = Operator(str(role), str(role), role, datetime.now(UTC), "$argon2id$none")
                add_operator(db, person, made.vault)
        yield made


@pytest.fixture
async def served(admin: Admin) -> AsyncIterator[str]:
    runner = runner_of(admin, 1024)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


def routes(app: web.Application) -> set[tuple[str, str]]:
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


async def ask(served: str, method: str, path: str, visitor: Visitor) -> tuple[int, str]:
    """The answer to whoever has this session, and sends the token of its pages."""
    cookies = {"certmail-console": visitor.secret}
    form = {"csrf": visitor.csrf} if method == "POST" else None
    async with (
        aiohttp.ClientSession(cookies=cookies) as session,
        session.request(
            method, served + path.format(**VALUES), data=form, allow_redirects=False
        ) as answer,
    ):
        # What is live does not end.
        live = answer.content_type == "text/event-stream"
        return answer.status, "" if live else await answer.text()


def test_every_route_is_in_a_table(admin: Admin) -> None:
    known = OPEN | {(method, f"/console{path}") for method, path in PAGES}
    of_links = {each for each in routes(build(admin)) if each[1].startswith("/connect")}
    of_api = {each for each in routes(build(admin)) if each[1].startswith("/v1")}
    of_consent = {each for each in routes(build(admin)) if each[1].startswith("/oauth/google/")}
    assert routes(build(admin)) - known - of_links - of_api - of_consent == set()
    assert known - routes(build(admin)) == set(), "and none is there that no route has"
    assert of_api == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("role", OperatorRole)
@pytest.mark.parametrize(("method", "path"), PAGES, ids=[" ".join(each) for each in PAGES])
async def test_a_page_is_for_whom_the_table_says(
    admin: Admin, served: str, method: str, path: str, role: OperatorRole
) -> None:
    visitor = Sessions(admin.strongbox).begin_as_account(str(role), 1)
    status, text = await ask(served, method, f"/console{path}", visitor)
    allowed = role.covers(PAGES[method, path])
    assert (status == 403 and REFUSED in text) is not allowed, text
    if allowed and path != "/account":
        assert status in {200, 303, 400, 404, 409}, text
    if not allowed:
        assert "Ask an admin" in text


@pytest.mark.parametrize(("method", "path"), PAGES, ids=[" ".join(each) for each in PAGES])
async def test_a_page_is_for_nobody_without_a_session(
    admin: Admin, served: str, method: str, path: str
) -> None:
    status, text = await ask(served, method, f"/console{path}", Visitor("none", "none", 0))
    assert (status, text) in {(303, "303: See Other"), (303, "")}


@pytest.mark.parametrize("scope", KeyScope)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_request_is_for_the_scope_that_its_route_names(
    admin: Admin, served: str, route: Route, scope: KeyScope
) -> None:
    _, token = create_key(admin, "test", tenants=["acme"], scopes=[scope])
    path = route.path.format(**VALUES)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.request(route.method, served + path, json={}) as answer,
    ):
        code = (await answer.json())["code"] if answer.status >= 400 else ""
    assert (code == "scope_missing") is (scope is not route.scope), code
