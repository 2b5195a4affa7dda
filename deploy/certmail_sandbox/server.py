"""The sandbox as one aiohttp application, and a way to run it until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

from certmail_sandbox import consoles, persistence
from certmail_sandbox.control import api
from certmail_sandbox.gmail import read, send
from certmail_sandbox.google_side import google_side
from certmail_sandbox.oauth import consent, identity, public_keys, token_endpoint, token_info
from certmail_sandbox.pages import mailbox
from certmail_sandbox.state import STATE, State

# Above every limit of Google's, so that its refusals are what one sees.
MAX_BYTES = 64 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
USER = "/gmail/v1/users/{user}"


def build(state: State | None = None) -> web.Application:
    """Make the application; whoever gives the state can hold time and memory from outside."""
    app = web.Application(middlewares=[api.refusals, google_side], client_max_size=MAX_BYTES)
    app[STATE] = state or State()
    app.cleanup_ctx.append(_late_mail)

    _add_sign_in(app)
    _add_gmail(app)
    api.add_routes(app)
    mailbox.add_routes(app)
    consoles.add_routes(app)

    return app


def make_runner(app: web.Application, *, shutdown_timeout: float) -> web.AppRunner:
    """A runner that takes longer heads than Google does.

    So Google's refusal is what one sees.
    """
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=shutdown_timeout,
        max_line_size=MAX_HEAD_BYTES,
        max_field_size=MAX_HEAD_BYTES,
    )


def _add_sign_in(app: web.Application) -> None:
    app.router.add_get("/o/oauth2/v2/auth", consent.screen)
    app.router.add_post("/o/oauth2/v2/auth", consent.decision)
    for path in ("/token", "/oauth2/v4/token"):
        app.router.add_post(path, token_endpoint.token)
    for path in ("/v1/userinfo", "/oauth2/v3/userinfo"):
        app.router.add_get(path, identity.userinfo)
    app.router.add_get("/oauth2/v2/userinfo", identity.userinfo_v2)

    for path in ("/tokeninfo", "/oauth2/v3/tokeninfo"):
        app.router.add_get(path, token_info.token_info)
        app.router.add_post(path, token_info.token_info)

    app.router.add_post("/revoke", identity.revoke)
    public_keys.add_routes(app)


def _add_gmail(app: web.Application) -> None:
    app.router.add_post(USER + "/messages/send", send.send)
    for prefix in ("/upload", "/resumable/upload"):
        app.router.add_post(prefix + USER + "/messages/send", send.upload)
        app.router.add_put(prefix + USER + "/messages/send", send.fill_session)
    app.router.add_get(USER + "/messages", read.list_messages)
    app.router.add_get(USER + "/messages/{id}", read.get_message)
    app.router.add_get(USER + "/profile", read.profile)


async def _late_mail(app: web.Application) -> AsyncIterator[None]:
    yield
    late = list(app[STATE].late)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


def serve(
    host: str,
    port: int,
    *,
    announce: Callable[[str], None],
    ssl_context: ssl.SSLContext | None = None,
    state: State | None = None,
    kept_in: Path | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, on any free port if `port` is 0.

    `announce` is called with the base URL, without a slash at its end, once connections are
    accepted. `state` is what the sandbox knows at the start; `kept_in` a file that is taken up at
    the start, and keeps what is to outlive the process.

    Raises persistence.Unreadable if that file cannot be read, and OSError if the address cannot be
    listened on: its `strerror` says why, its `filename` is the address.
    """
    known = state or State()
    if kept_in is not None:
        persistence.load(kept_in, known)

    app = build(known)
    if kept_in is not None:
        persistence.keep(app, kept_in)

    asyncio.run(_run(app, host, port, announce, ssl_context))


async def _run(
    app: web.Application,
    host: str,
    port: int,
    announce: Callable[[str], None],
    ssl_context: ssl.SSLContext | None,
) -> None:
    runner = make_runner(app, shutdown_timeout=1.0)
    await runner.setup()

    try:
        site = web.TCPSite(runner, host, port, ssl_context=ssl_context, backlog=1_024)

        try:
            await site.start()
        except OSError as error:
            # The text of asyncio repeats the address; of the plain reason one can make a sentence.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise OSError(error.errno, reason, f"{host}:{port}") from error

        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        announce(_base_url(host, runner.addresses[0][1], secure=ssl_context is not None))
        await stop.wait()
    finally:
        await runner.cleanup()


def _base_url(host: str, port: int, *, secure: bool) -> str:
    """An address that a client on this machine can use.

    That holds also where every interface is listened on.
    """
    # All interfaces are compared here, not bound.
    shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"{'https' if secure else 'http'}://{shown}:{port}"
