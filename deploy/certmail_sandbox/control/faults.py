"""Control API: ordering faults, looking at them, calling them off."""

from __future__ import annotations

import json
import re

from aiohttp import web

from certmail_sandbox.control.body import json_body
from certmail_sandbox.faults import MEANS_DELAY, NAMES, Fault, Verbatim
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire.cutting import CUTS
from certmail_sandbox.wire.fields import Fields, Refused, is_object

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


async def order(request: web.Request) -> web.Response:
    """`POST /faults {match?, fault, times?, seconds?, retry_at?}`: order a fault."""
    state = state_of(request)
    fault = _read(state, Fields(await json_body(request)))
    state.faults.live.append(fault)
    return web.json_response(fault.to_json(state.now()))


async def show(request: web.Request) -> web.Response:
    """`GET /faults`: those on order, then those that are over."""
    state = state_of(request)
    now = state.now()
    state.faults.retire(now)
    return web.json_response(
        [fault.to_json(now) for fault in (*state.faults.live, *state.faults.spent)]
    )


async def call_off(request: web.Request) -> web.Response:
    """`DELETE /faults`: call all faults off, and forget those that are over."""
    faults = state_of(request).faults
    faults.retire(state_of(request).now())
    gone = len(faults.live)
    faults.live.clear()
    faults.spent.clear()
    return web.json_response({"deleted": gone})


async def call_off_one(request: web.Request) -> web.Response:
    """`DELETE /faults/{id}`: call one fault off."""
    faults = state_of(request).faults
    found = [fault for fault in faults.live if str(fault.id) == request.match_info["id"]]
    if not found:
        raise Refused(f"There is no fault {request.match_info['id']} on order.", 404)
    faults.live.remove(found[0])
    return web.json_response({"deleted": 1})


def _read(state: State, fields: Fields) -> Fault:
    now = state.now()
    match = Fields(fields.take("match") or {}, "match.")
    mailbox, path = match.optional_text("mailbox"), match.optional_text("path")
    match.end()
    kind, verbatim = _kind(fields.take("fault"))
    # Missing and null differ: null means every request.
    unlimited = "times" in fields
    times = fields.whole("times", minimum=1)
    seconds, retry_at = fields.seconds("seconds"), fields.time("retry_at")
    fields.end()

    if retry_at is not None and kind != "429_retry_at":
        raise Refused(f"retry_at means nothing for {kind}.")

    until: float | None = None
    if kind == "429_retry_at":
        if retry_at is None and seconds is None:
            raise Refused("429_retry_at needs retry_at, or seconds from now.")
        retry_at = until = now + (seconds or 0.0) if retry_at is None else retry_at
        times = None
    else:
        if seconds is not None and kind not in MEANS_DELAY:
            until, unlimited = now + seconds, True
        if times is None and not unlimited:
            times = 1

    state.faults.ordered += 1
    return Fault(
        id=state.faults.ordered,
        kind=kind,
        mailbox=mailbox.lower() if mailbox else None,
        path=path,
        times=times,
        until=until,
        seconds=seconds,
        retry_at=retry_at,
        verbatim=verbatim,
    )


def _kind(value: object) -> tuple[str, Verbatim | None]:
    if is_object(value):
        return "verbatim", _verbatim(Fields(value, "fault."))
    if not isinstance(value, str) or value not in NAMES:
        known = ", ".join(NAMES)
        raise Refused(
            f"fault must be one of {known}, or an answer {{status, headers, body}}; not {value!r}."
        )
    return value, None


def _verbatim(fields: Fields) -> Verbatim:
    status = fields.whole("status", minimum=200, maximum=599)
    headers, body = fields.take("headers"), fields.take("body")
    cut = fields.optional_text("cut")
    fields.end()

    if cut is not None and cut not in CUTS:
        raise Refused(f"fault.cut must be one of {', '.join(sorted(CUTS))}; not {cut!r}.")
    if status is None:
        raise Refused("fault.status is missing.")

    if headers is None:
        headers = {}
    if not is_object(headers):
        raise Refused("fault.headers must be an object of texts.")

    given: dict[str, str] = {}
    for name, text in headers.items():
        if not isinstance(text, str) or not _TOKEN.fullmatch(name) or "\r" in text or "\n" in text:
            raise Refused(f"fault.headers: {name} must be a header name with a text of one line.")
        if name.lower() in _FRAMING:
            raise Refused(f"fault.headers: {name} is not yours to set.")
        given[name] = text

    content = (
        b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    )
    if not any(name.lower() == "content-type" for name in given):
        given["Content-Type"] = (
            "text/plain; charset=utf-8"
            if isinstance(body, str)
            else "application/json; charset=utf-8"
        )

    return Verbatim(status, given, content, cut)


def add_routes(app: web.Application) -> None:
    """Add faults."""
    app.router.add_post("/_sandbox/faults", order)
    app.router.add_get("/_sandbox/faults", show)
    app.router.add_delete("/_sandbox/faults", call_off)
    app.router.add_delete("/_sandbox/faults/{id}", call_off_one)
