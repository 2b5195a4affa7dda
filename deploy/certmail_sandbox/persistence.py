"""What outlives the process: who exists, what was granted, and the newest mail.

It is for those who build against the sandbox.

It is Python's own form, which is as good as code to whoever may write the file; so it is for its
owner only, and nobody else's is to be read. Faults, limits and the list of requests are a test's
own, and are not kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from certmail_sandbox.mail.mailstore import MailStore
from certmail_sandbox.state import STATE, State

FORM = 1
MAX_MESSAGES = 500
MIN_PAUSE_SECONDS = 1.0
CHANGED = web.AppKey("changed", asyncio.Event)


class Unreadable(Exception):
    """What was kept cannot be read: it is damaged, or from another version."""


def load(path: Path, state: State) -> None:
    """Take up what was kept; nothing, where there is no file.

    Raises Unreadable if there is one that cannot be read.
    """
    try:
        # Whose file it may be stands with the module.
        form, kept = pickle.loads(path.read_bytes())  # noqa: S301
    except FileNotFoundError:
        return
    # Whatever a damaged file, or another version's, makes of it.
    except Exception as error:
        raise Unreadable(f"{path} cannot be read ({type(error).__name__})") from error

    if form != FORM:
        raise Unreadable(f"{path} is from another version")

    state.directory, state.tokens, state.ahead, state.spread_seconds, messages, state.bounces = kept

    store = MailStore()
    for message in messages:
        store.add(message)
    state.replace_mail(store)


def save(path: Path, state: State) -> None:
    """Write the state to a file, whole or not at all."""
    kept = (
        state.directory,
        state.tokens,
        state.ahead,
        state.spread_seconds,
        state.mail.messages[-MAX_MESSAGES:],
        state.bounces,
    )

    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pickle.dumps((FORM, kept)))
    part.replace(path)


@web.middleware
async def note_changes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note that something may have changed, whatever came of the request."""
    try:
        return await handler(request)
    finally:
        if request.method != "GET" or request.path == "/o/oauth2/v2/auth":
            request.app[CHANGED].set()


def keep(app: web.Application, path: Path) -> None:
    """Let an application write to the file what changes, soon after it does, and at its end."""
    app[CHANGED] = asyncio.Event()
    app.middlewares.insert(0, note_changes)

    async def writing(app: web.Application) -> AsyncIterator[None]:
        """Write after changes while the application runs, and once more at its end."""
        task = asyncio.create_task(_keep(app, path))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        save(path, app[STATE])

    app.cleanup_ctx.append(writing)


async def _keep(app: web.Application, path: Path) -> None:
    """Write after changes; the longer it takes, the less often."""
    while True:
        await app[CHANGED].wait()
        app[CHANGED].clear()
        began = time.monotonic()
        save(path, app[STATE])
        await asyncio.sleep(max(MIN_PAUSE_SECONDS, 20 * (time.monotonic() - began)))
