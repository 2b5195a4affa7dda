"""The gateway's application: the console, the OAuth callback and its own health.

The API is built on this.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import aiohttp
from aiohttp import web

from certmail.gateway.access_log import access_log
from certmail.gateway.api.application import mount
from certmail.gateway.console.context import CONSOLE
from certmail.gateway.console.middleware import console_middleware
from certmail.gateway.console.pages.account_question import ASKED_AT, GOOGLE, add_question
from certmail.gateway.console.pages.google_sign_in import OPERATOR_CLIENT
from certmail.gateway.console.pages.oauth_return import returned
from certmail.gateway.console.routes import add_console
from certmail.gateway.console.sessions import cookies
from certmail.gateway.console.sessions.cookies import Cookie
from certmail.gateway.console.sessions.sessions import new_secret
from certmail.gateway.headers import protect
from certmail.gateway.listener import Bounds, Runner, allow_descriptors
from certmail.gateway.meters import METERS
from certmail.gateway.metrics_listener import metrics_told
from certmail.gateway.oauth.google_client import Google, new_session
from certmail.gateway.oauth.link_outcomes import LinkOutcome, Question
from certmail.gateway.oauth.linking import finish
from certmail.gateway.oauth.operator_client import check_whole, operator_client
from certmail.gateway.readiness import ReadinessChecker
from certmail.gateway.store_outage import for_clients
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import CertmailError, StoresUnreachable
from certmail_config.metrics.instruments import GatewayMeters
from certmail_config.process.notices import Notices
from certmail_config.process.release import Release, release
from certmail_config.process.service_manager import ServiceManager
from certmail_config.settings.forms import host_and_port
from certmail_config.settings.oauth_client import configured_client

ADMIN: web.AppKey[Admin] = web.AppKey("admin", Admin)
THREADS: Final = 32
"""Threads in which stores are asked.

What waits for one that does not answer must not keep the others from theirs.
"""
READINESS: web.AppKey[ReadinessChecker] = web.AppKey("readiness", ReadinessChecker)
RELEASE: web.AppKey[Release] = web.AppKey("release", Release)
SESSION: web.AppKey[aiohttp.ClientSession] = web.AppKey("session", aiohttp.ClientSession)


def build(admin: Admin) -> web.Application:
    """Make the application over open stores; raises SettingsError."""
    check_whole(admin.settings)
    app = web.Application(middlewares=[access_log, console_middleware])
    app[ADMIN] = admin
    protect(app, secure=admin.settings.base_url.startswith("https://"))
    app[READINESS] = ReadinessChecker(admin)
    app[METERS] = GatewayMeters()
    app[RELEASE] = release(admin.settings.revision)

    async def google(app: web.Application) -> AsyncIterator[None]:
        async with new_session(admin.settings) as session:
            app[SESSION] = session
            if (client := operator_client(session, admin.settings)) is not None:
                app[OPERATOR_CLIENT] = client
            app[GOOGLE] = lambda: Google(session, admin.settings, configured_client(admin.settings))
            yield

    async def end_readiness(app: web.Application) -> None:
        app[READINESS].close()

    app.cleanup_ctx.append(google)
    app.on_cleanup.append(end_readiness)

    app.router.add_get("/", home)
    app.router.add_get("/oauth/google/callback", callback, allow_head=False)
    add_question(app)
    add_console(app, admin)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    mount(app, admin, app[METERS])

    return app


async def callback(request: web.Request) -> web.StreamResponse:
    """Where Google sends an administrator's browser to.

    It goes on to the page that the consent was begun on.
    """
    admin, context = request.app[ADMIN], request.app[CONSOLE]
    # Who comes without our secret was sent by the command line: from here on it is this
    # browser's matter.
    browser = cookies.read(request, Cookie.CONSENT, secure=context.secure) or new_secret()
    ended: LinkOutcome | Question
    try:
        ended = await finish(admin, request.app[GOOGLE](), request.query, browser)
    except StoresUnreachable as error:
        away = for_clients(error)
        ended = LinkOutcome(ok=False, code=away.code, message=away.message, remedy=away.remedy)
    except CertmailError as error:
        ended = LinkOutcome(ok=False, code=error.code, message=error.message, remedy=error.remedy)

    if isinstance(ended, Question):
        response = web.Response(status=303, headers={"Location": f"{ASKED_AT}/{ended.offer}"})
        cookies.give(response, Cookie.CONSENT, browser, secure=context.secure)
        return response

    return await returned(request, ended)


async def home(_: web.Request) -> web.Response:
    """Lead to the console whoever types nothing but the address."""
    raise web.HTTPSeeOther("/console")


async def healthz(_: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"ok": True})


async def readyz(request: web.Request) -> web.Response:
    """Say whether reminders can be taken in, and what else is wrong; 503 if they cannot."""
    found, ours = await request.app[READINESS].look(), request.app[RELEASE]
    said = {"ready": found.ready, "version": ours.version, "revision": ours.revision}
    return web.json_response(said | {"checks": found.checks}, status=200 if found.ready else 503)


def serve(admin: Admin, *, announce: Callable[[str], None]) -> None:
    """Serve on LISTEN until SIGTERM or SIGINT; raises OSError when the address is taken."""
    asyncio.run(_serve(admin, announce))


def runner_of(admin: Admin, descriptors: int) -> Runner:
    """The runner of the application, in a process that may have so many descriptors."""
    settings = admin.settings
    return Runner(build(admin), Bounds.of(settings, descriptors), settings.base_url)


async def _serve(admin: Admin, announce: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "certmail-gateway"))

    runner = runner_of(admin, allow_descriptors())
    await runner.setup()

    # What has been loaded stays: looking through it again and again would hold everybody up.
    gc.collect()
    gc.freeze()

    host, port = host_and_port(admin.settings.listen)
    notices = Notices(ServiceManager.of_this_process(), runner.app[READINESS].why_not, _alive)
    try:
        async with metrics_told(runner, admin):
            await web.TCPSite(runner, host, port).start()
            announce(f"http://{admin.settings.listen}")
            notices.start()
            await ended.wait()
            notices.stops()
    finally:
        await runner.cleanup()
        await notices.end()


async def _alive() -> None:
    """Say nothing against it: a loop that does not turn cannot be asked."""
