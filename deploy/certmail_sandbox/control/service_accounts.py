"""Control API: service accounts, their keys and their row in the delegation table.

At Google a new key or row is not known everywhere at once (google.md §4.2). Here that is ordered by
number of requests instead of by time, so that a test sees the same each time:

| order | of the token requests that need it |
|---|---|
| `keys?settling=n` | the first n signed with the key are refused (`Invalid JWT Signature.`), though it is listed at once |
| `delegation {…, spreading: n}` | n are refused as if the row were not there, by turns: refused, granted, refused … then all are granted |

A request that the row would not grant anyway does not count. A new order replaces what is left of
the last.

An organisation's policies on keys stand with the project: see policies.py.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import ServiceAccount, new_service_account
from certmail_sandbox.accounts.spreading import Spreading
from certmail_sandbox.control.body import json_body
from certmail_sandbox.key_upload import upload
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Fields, Refused, only


async def put_service_account(request: web.Request) -> web.Response:
    """`POST /service-accounts {email, project, disabled?}`: make or change one; its keys stay."""
    directory = state_of(request).directory
    fields = Fields(await json_body(request))
    email, project = fields.email("email"), fields.text("project")
    disabled = fields.flag("disabled")
    fields.end()

    account = directory.service_accounts.setdefault(
        email.lower(), new_service_account(email, project)
    )
    account.project, account.disabled = project, disabled
    return web.json_response(
        {"email": account.email, "project": account.project, "client_id": account.client_id}
    )


def _service_account(request: web.Request) -> ServiceAccount:
    account = state_of(request).directory.service_account(request.match_info["email"])
    if account is None:
        raise Refused(f"There is no service account {request.match_info['email']}.", 404)
    return account


async def delete_service_account(request: web.Request) -> web.Response:
    """`DELETE /service-accounts/{email}`: Google then knows no such issuer."""
    account = _service_account(request)
    del state_of(request).directory.service_accounts[account.email.lower()]
    return web.json_response({})


async def upload_key(request: web.Request) -> web.Response:
    """`POST /service-accounts/{email}/keys?settling=`: upload a PEM certificate, the body.

    The same one again keeps its id.
    """
    only(request.query, ["settling"])
    settling = _count(request.query.get("settling", "0"))
    account = _service_account(request)
    key = upload(state_of(request), account, await request.read())
    account.keys[key.kid] = replace(key, settling=Spreading(settling))
    return web.json_response({"kid": key.kid})


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise Refused("settling must be a whole number, 0 or more.")
    return int(text)


async def delete_key(request: web.Request) -> web.Response:
    """`DELETE /service-accounts/{email}/keys/{kid}`: delete a key."""
    account, kid = _service_account(request), request.match_info["kid"]
    if account.keys.pop(kid, None) is None:
        raise Refused(f"{account.email} has no key {kid}.", 404)
    return web.json_response({})


async def put_key(request: web.Request) -> web.Response:
    """`PUT …/keys/{kid} {disabled}`: disable or enable a key, which stays listed."""
    account, kid = _service_account(request), request.match_info["kid"]
    fields = Fields(await json_body(request))
    disabled = fields.flag("disabled")
    fields.end()
    if kid not in account.keys:
        raise Refused(f"{account.email} has no key {kid}.", 404)
    account.keys[kid] = replace(account.keys[kid], disabled=disabled)
    return web.json_response({"kid": kid, "disabled": disabled})


async def put_delegation(request: web.Request) -> web.Response:
    """`PUT /service-accounts/{email}/delegation {scopes, domains?, spreading?}`: write its row.

    The row stands in the delegation table. No scopes take it away, at once; without `domains` it
    counts in every domain.
    """
    account = _service_account(request)
    fields = Fields(await json_body(request))
    granted, domains = fields.texts("scopes"), fields.texts("domains")
    spreading = fields.whole("spreading", minimum=0) or 0
    fields.end()

    if granted is None:
        raise Refused("scopes is missing.")
    if unknown := scopes.unknown(tuple(granted)):
        raise Refused(f"Unknown scope {unknown[0]!r}.")
    if spreading and not granted:
        raise Refused("spreading means nothing without scopes: a row is taken away at once.")

    account.delegate(frozenset(granted), since=0.0)
    account.domains = None if domains is None else frozenset(domain.lower() for domain in domains)
    account.spreading = Spreading(spreading, by_turns=True)

    return web.json_response(
        {"client_id": account.client_id, "scopes": granted, "domains": domains}
    )


def add_routes(app: web.Application) -> None:
    """Add service accounts, their keys and their delegation."""
    one = "/_sandbox/service-accounts/{email}"
    app.router.add_post("/_sandbox/service-accounts", put_service_account)
    app.router.add_delete(one, delete_service_account)
    app.router.add_post(one + "/keys", upload_key)
    app.router.add_delete(one + "/keys/{kid}", delete_key)
    app.router.add_put(one + "/keys/{kid}", put_key)
    app.router.add_put(one + "/delegation", put_delegation)
