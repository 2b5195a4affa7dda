"""The way of every request to Google's side: read, noted, spoiled by a fault or answered.

A fault decides here, in one place, so that it hits token, metadata, userinfo and Gmail alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from email.utils import formatdate

from aiohttp import web
from aiohttp.typedefs import Handler

from certmail_sandbox import consoles, fault_answers
from certmail_sandbox.caller import mailbox_of
from certmail_sandbox.consoles.frame import refusals
from certmail_sandbox.faults import LATE_SECONDS, Fault
from certmail_sandbox.gmail import send
from certmail_sandbox.gmail.access import ENTRY, bearer
from certmail_sandbox.request_log import Entry
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire import front_end, gmail_errors
from certmail_sandbox.wire.cutting import cut
from certmail_sandbox.wire.errors import GoogleError
from certmail_sandbox.wire.reply import refuse

OWN_PATHS = ("/_sandbox", "/mail", "/static/", "/favicon.ico", *consoles.PATHS)
GMAIL_PATHS = ("/gmail/", "/upload/gmail/", "/resumable/upload/gmail/")
POLL_SECONDS = 0.05
LONGEST_HEAD_BYTES = 16 * 1024  # of an address, and of all header fields; reported, not documented


@web.middleware
async def google_side(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take every request to Google's APIs; others go on to the control API and the pages."""
    if request.path.startswith("/_sandbox"):
        return await handler(request)
    if request.path == "/" or request.path.startswith(OWN_PATHS):
        return await refusals(request, handler)

    state = state_of(request)
    entry = Entry(state.now(), request.method, request.path)
    if (page := _too_long(request)) is not None:
        return _noted(state, state.journal.open(entry), page)

    request[ENTRY] = entry
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        refusal = gmail_errors.too_large("Request Entity Too Large")
        return _noted(state, state.journal.open(entry), refusal.response())

    entry.at = state.now()
    entry.size = len(body)
    entry.mailbox = mailbox_of(state, request, body)
    state.journal.open(entry)

    fault = state.faults.take(request.path, entry.mailbox, state.now())
    if fault is not None and fault.kind == "accept_late":
        return _accept_late(state, request, handler, fault)

    return await _counted(state, request, handler, fault)


async def _counted(
    state: State, request: web.Request, handler: Handler, fault: Fault | None
) -> web.StreamResponse:
    """Hold one of the mailbox's places in flight while the request lasts, a hang included."""
    entry = request[ENTRY]
    mailbox = (entry.mailbox or "").lower()
    if not mailbox or not request.path.startswith(GMAIL_PATHS):
        return await _answer_or_fault(state, request, handler, fault)

    quotas = state.quotas  # a reset meanwhile replaces it
    try:
        quotas.enter(mailbox)
    except GoogleError as refusal:
        if fault is not None:
            state.faults.give_back(fault)
        return _noted(state, entry, refusal.response())

    try:
        return await _answer_or_fault(state, request, handler, fault)
    finally:
        quotas.leave(mailbox)


async def _answer_or_fault(
    state: State, request: web.Request, handler: Handler, fault: Fault | None
) -> web.StreamResponse:
    entry = request[ENTRY]
    if fault is None:
        return _noted(state, entry, _packed(request, await _answer(request, handler)))

    entry.fault = fault.kind
    if fault.kind == "slow":
        answer = await _answer(request, handler)
        await asyncio.sleep(LATE_SECONDS if fault.seconds is None else fault.seconds)
        return _noted(state, entry, answer)

    if fault.kind in {"reset_after", "hang_after", "cut_after"}:
        answer = await _answer(request, handler)
        if answer.status >= 400:
            # Nothing was accepted whose answer could be lost.
            entry.fault = None
            state.faults.give_back(fault)
            return _noted(state, entry, answer)
        if fault.kind == "hang_after":
            return await _hang(request, answer, fault.seconds)
        if fault.kind == "cut_after":
            return _noted(state, entry, await cut(request, answer, "length"))
        return _reset(request, answer)

    await _note_message(request)
    if fault.kind == "reset_before":
        return _reset(request, web.Response())
    if fault.kind == "drop_token":
        state.tokens.access.pop(bearer(request) or "", None)
    spoiled: web.StreamResponse = fault_answers.answer(fault, request.path)
    if fault.verbatim is not None and fault.verbatim.cut is not None:
        spoiled = await cut(request, spoiled, fault.verbatim.cut)
    return _noted(state, entry, spoiled)


def _too_long(request: web.Request) -> web.Response | None:
    """The front end's refusal of a head that is larger than any of Google's."""
    if len(request.raw_path) > LONGEST_HEAD_BYTES:
        return front_end.too_long_address(request.path)
    if sum(len(name) + len(value) for name, value in request.raw_headers) > LONGEST_HEAD_BYTES:
        return front_end.too_large_head()
    return None


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What Google says of its own accord."""
    try:
        return await handler(request)
    except GoogleError as refusal:
        return refuse(request, refusal)
    except web.HTTPNotFound:
        return front_end.unknown_address(request.path)
    except web.HTTPMethodNotAllowed:
        return front_end.wrong_method(request.method, request.path)


def _accept_late(
    state: State, request: web.Request, handler: Handler, fault: Fault
) -> web.StreamResponse:
    """Cut the connection, and do what was asked a while later."""

    async def later() -> None:
        await asyncio.sleep(LATE_SECONDS if fault.seconds is None else fault.seconds)
        await _answer(request, handler)

    request[ENTRY].fault = fault.kind
    task = asyncio.get_running_loop().create_task(later())
    state.late.add(task)
    task.add_done_callback(state.late.discard)
    return _reset(request, web.Response())


async def _hang(
    request: web.Request, answer: web.StreamResponse, seconds: float | None
) -> web.StreamResponse:
    """Say nothing until the client goes away, or until the time is up and the connection ends."""
    request[ENTRY].status = "hang"
    loop = asyncio.get_running_loop()
    ends = None if seconds is None else loop.time() + seconds

    while request.transport is not None and not request.transport.is_closing():
        if ends is not None and loop.time() >= ends:
            request.transport.close()
            break
        await asyncio.sleep(POLL_SECONDS)

    return answer


def _reset(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """End the connection with a TCP RST: the answer is written to nobody."""
    request[ENTRY].status = "reset"
    transport = request.transport
    if transport is not None:
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return answer


async def _note_message(request: web.Request) -> None:
    """Note which message a request carried whose handler will never see it."""
    if request.path.endswith("/messages/send"):
        request[ENTRY].certmail_id = send.peek_certmail_id(request, await request.read())


def _packed(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """The answer, packed where the client asks for gzip and says so in User-Agent as well.

    Google wants both (google.md §2.6).
    """
    if (
        answer.content_type == "application/json"
        and "gzip" in request.headers.get("User-Agent", "").lower()
    ):
        answer.enable_compression()  # only if Accept-Encoding agrees
    return answer


def _noted(state: State, entry: Entry, answer: web.StreamResponse) -> web.StreamResponse:
    entry.status = answer.status
    answer.headers.setdefault("Date", formatdate(state.now(), usegmt=True))
    return answer
