"""The control API, `/_sandbox`: what a test or a demo may order and ask.

Errors are `{"error": {"message": sentence}}`.

| path | what for |
|---|---|
| `/reset`, `/messages`, `/requests`, `/limits`, `/recipients` | here: begin anew, what was sent, what was asked, what is allowed (limits.py), who does not exist |
| `/clock`, `/tokens` | clock.py: let time pass, and how long tokens live |
| `/accounts`, `/oauth-clients` | directory.py: people and applications |
| `/projects`, `/domains` | policies.py: what publishers and administrators decide |
| `/service-accounts` | service_accounts.py: their keys and delegation |
| `/faults` | faults.py: what goes wrong, as faults.py lists it |
"""

from __future__ import annotations

from dataclasses import asdict, replace

from aiohttp import web
from aiohttp.typedefs import Handler

from certmail_sandbox.control import clock, directory, faults, policies, service_accounts
from certmail_sandbox.control.body import json_body
from certmail_sandbox.mail.mailstore import Message
from certmail_sandbox.mail.message_view import encoded
from certmail_sandbox.quotas.limits import Limits
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.clock import rfc3339
from certmail_sandbox.wire.fields import Fields, Refused, only


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is refused under `/_sandbox` with a sentence."""
    if not request.path.startswith("/_sandbox"):
        return await handler(request)

    try:
        return await handler(request)
    except Refused as refused:
        return _sentence(refused.status, str(refused))
    except web.HTTPNotFound:
        return _sentence(404, f"There is no {request.path} in the control API.")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return _sentence(405, f"{request.path} takes {allowed}, not {request.method}.")


def _sentence(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": {"message": sentence}}, status=status)


async def reset(request: web.Request) -> web.Response:
    """`POST /reset`: forget everything, limits and faults included."""
    state_of(request).reset()
    return web.json_response({})


async def messages(request: web.Request) -> web.Response:
    """`GET /messages?mailbox=&to=`: what was sent, oldest first.

    `mailbox` is the one that sent it, `bounced` whom it did not reach.
    """
    only(request.query, ["mailbox", "to"])
    found = state_of(request).mail.newest_first(
        request.query.get("mailbox"), request.query.get("to")
    )
    rows = [
        _envelope(message) | {"raw": encoded(message.delivered)}
        for message in found
        if "SENT" in message.labels
    ]

    return web.json_response(rows[::-1])


async def take_messages(request: web.Request) -> web.Response:
    """`DELETE /messages`: empty all mailboxes; gives what was sent, as `GET` does, without content.

    For whoever sends more than memory holds. What was used of limits stays used.
    """
    state = state_of(request)
    rows = [_envelope(each) for each in state.mail.messages if "SENT" in each.labels]
    state.mail.forget_messages()
    return web.json_response(rows)


def _envelope(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "mailbox": message.mailbox,
        "to": ", ".join(message.recipients),
        "certmail_id": message.certmail_id,
        "at": rfc3339(message.accepted_at),
        "bounced": list(message.bounced),
    }


async def put_recipient(request: web.Request) -> web.Response:
    """`PUT /recipients/{address} {exists, after_seconds?}`: whether an address exists.

    Mail to one that does not is accepted, and bounces so many seconds later (google.md §2.2).
    """
    fields = Fields(await json_body(request))
    address, exists = request.match_info["address"].lower(), fields.flag("exists", default=True)
    seconds = fields.seconds("after_seconds") or 0.0
    fields.end()

    unknown = state_of(request).bounces.unknown
    unknown.pop(address, None)
    if not exists:
        unknown[address] = seconds
    return web.json_response({"address": address, "exists": exists, "after_seconds": seconds})


async def requests(request: web.Request) -> web.Response:
    """`GET /requests?mailbox=&path=`: what was asked of Google's side, oldest first."""
    only(request.query, ["mailbox", "path"])
    mailbox, path = request.query.get("mailbox"), request.query.get("path", "")
    return web.json_response(
        [
            entry.to_json()
            for entry in state_of(request).journal.entries
            if path in entry.path and mailbox in {None, entry.mailbox}
        ]
    )


async def get_limits(request: web.Request) -> web.Response:
    """`GET /limits`: Google's limits as they are enforced now."""
    return web.json_response(_limits_json(state_of(request).quotas.limits))


async def put_limits(request: web.Request) -> web.Response:
    """`PUT /limits`: change the limits that it names; what was used stays used."""
    quotas = state_of(request).quotas
    fields = Fields(await json_body(request))
    given = {name: fields.whole(name, minimum=0) for name in _limits_json(quotas.limits)}
    fields.end()
    quotas.limits = replace(
        quotas.limits, **{name: n for name, n in given.items() if n is not None}
    )
    return web.json_response(_limits_json(quotas.limits))


def _limits_json(limits: Limits) -> dict[str, int]:
    return asdict(limits)


def add_routes(app: web.Application) -> None:
    """Add the whole control API."""
    app.router.add_post("/_sandbox/reset", reset)
    app.router.add_get("/_sandbox/messages", messages)
    app.router.add_delete("/_sandbox/messages", take_messages)
    app.router.add_get("/_sandbox/requests", requests)
    app.router.add_put("/_sandbox/recipients/{address}", put_recipient)
    app.router.add_get("/_sandbox/limits", get_limits)
    app.router.add_put("/_sandbox/limits", put_limits)
    clock.add_routes(app)
    directory.add_routes(app)
    policies.add_routes(app)
    service_accounts.add_routes(app)
    faults.add_routes(app)
