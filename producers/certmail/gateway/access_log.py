"""The access log: a line for each request, with nothing secret or personal that was typed or sent.

It says what was asked, by which key, for which tenant and reminder, how it ended and how long it
took. The reminders of a batch have lines of their own, by the hundred.

The address stands there as its pattern, since secrets are parts of addresses. Who is not let in is
counted, and whoever asks for what cannot be, too: the first of each key and kind has a line, and
then one a minute.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from certmail.gateway.meters import METERS, note_request
from certmail.gateway.request_ids import request_id
from certmail_config.base.ids import NAME_PATTERN

log = logging.getLogger(__name__)

KEY: Final[web.RequestKey[str]] = web.RequestKey("api_key_id", str)
"""The id of the API key that a request is allowed by."""
UNHEARD: Final = frozenset({"/healthz", "/readyz"})
"""Addresses that are asked every few seconds; logged when they fail."""
TURNED_AWAY: Final = frozenset({401, 403, 404, 405, 429})
"""Counted whoever asked; what else is refused or fails is counted for each key."""
A_LINE: Final = 100
"""Reminders of a batch that are named in one line: collectors cut long ones."""


@dataclass(slots=True)
class _Known:
    """What was found out of a request: whose it is, and which reminder it is about."""

    tenants: set[str] = field(default_factory=set)
    job: str = ""


_KNOWN: Final[web.RequestKey[_Known]] = web.RequestKey("known", _Known)


def note(request: web.Request, *, tenant: str = "", job: str = "") -> None:
    """Note what the line is to say; for who was let in, of what exists or has the form of it."""
    known = request.get(_KNOWN)
    if known is None:
        known = request[_KNOWN] = _Known()
    if tenant and tenant not in known.tenants and re.fullmatch(NAME_PATTERN, tenant):
        known.tenants.add(tenant)
    known.job = job or known.job


def log_batch(request: web.Request, jobs: Sequence[str]) -> None:
    """Name the reminders of a batch that are in, so that each is found by its id."""
    for first in range(0, len(jobs), A_LINE):
        named = list(jobs[first : first + A_LINE])
        fields = {"request": request_id(request), "jobs": named, "key": request.get(KEY)}
        log.info("enqueued", extra={**fields, **dict(_whose(request))})


@web.middleware
async def access_log(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The middleware that answers, and writes the line."""
    began, status = time.monotonic(), 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as ended:
        status = ended.status
        raise
    else:
        return response
    finally:
        _note(request, status, time.monotonic() - began)


def _note(request: web.Request, status: int, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = "(none)" if resource is None else resource.canonical
    if (meters := request.config_dict.get(METERS)) is not None:
        note_request(meters, route, request.method, status, seconds)
    if route in UNHEARD and status < 500:
        return

    fields: dict[str, object] = {
        "method": request.method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000),
        "request": request_id(request),
    }
    if (key := request.get(KEY)) is not None:
        fields["key"] = key
    fields |= _whose(request)
    if status in TURNED_AWAY:
        fields["alike"] = f"{status} {route}"
    elif status >= 400:
        fields["alike"] = f"{status} {route} {key}"

    log.info("request", extra=fields)


def _whose(request: web.Request) -> Iterator[tuple[str, object]]:
    if (known := request.get(_KNOWN)) is None:
        return
    if len(known.tenants) == 1:
        yield "tenant", next(iter(known.tenants))
    elif known.tenants:
        yield "tenants", len(known.tenants)
    if known.job:
        yield "job", known.job
