"""Control API: accounts and OAuth clients."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from aiohttp import web

from certmail_sandbox.accounts.directory import OAuthClient, new_account, numeric_id, project_number
from certmail_sandbox.control.body import json_body
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Fields, Refused

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


async def put_account(request: web.Request) -> web.Response:
    """`POST /accounts {email, …}`: make or change a person.

    Optional are `sub`, `name`, `gmail_enabled`, `deleted`, `workspace`, `verified` and `send_as`.
    Another `sub` for the same address is another person: the tokens of the first end.
    """
    state = state_of(request)
    fields = Fields(await json_body(request))
    email = fields.email("email")
    known = state.directory.account(email)
    default_sub = (
        known.sub if known and not known.deleted else numeric_id("account:" + email.lower(), 21)
    )
    sub = fields.optional_text("sub") or default_sub
    name = fields.optional_text("name")
    gmail_enabled = fields.flag("gmail_enabled", default=known.gmail_enabled if known else True)
    deleted = fields.flag("deleted", default=False)
    workspace = fields.flag("workspace", default=known.workspace if known else True)
    verified = fields.flag("verified", default=known.verified if known else True)
    send_as = fields.texts("send_as")
    fields.end()

    if known is None or known.sub != sub or (known.deleted and not deleted):
        if known is not None:
            state.tokens.forget_account(known)
        known = new_account(email, sub=sub, name=name)
        state.directory.accounts[email.lower()] = known

    known.name = name or known.name
    known.gmail_enabled = gmail_enabled
    known.deleted = deleted
    known.workspace, known.verified = workspace, verified
    if send_as is not None:
        known.send_as = frozenset(address.lower() for address in send_as)

    return web.json_response(
        {
            "email": known.email,
            "sub": known.sub,
            "name": known.name,
            "gmail_enabled": known.gmail_enabled,
            "deleted": known.deleted,
            "workspace": known.workspace,
            "verified": known.verified,
            "send_as": sorted(known.send_as),
        }
    )


async def withdraw(request: web.Request) -> web.Response:
    """`DELETE /accounts/{email}/tokens`: the person withdraws access, or changes the password.

    Either ends refresh tokens (google.md §3.4), here all of the person's.
    """
    state = state_of(request)
    account = state.directory.account(request.match_info["email"])
    if account is None:
        raise Refused(f"There is no account {request.match_info['email']}.", 404)
    state.tokens.forget_account(account)
    return web.json_response({})


async def put_client(request: web.Request) -> web.Response:
    """`POST /oauth-clients {redirect_uris, …}`: register or change an OAuth client.

    Optional are `client_id`, `client_secret`, `project` and `name`.
    """
    state = state_of(request)
    directory = state.directory
    fields = Fields(await json_body(request))
    project = fields.optional_text("project") or "service-provider"
    made_up = f"{project_number(project)}-{secrets.token_hex(16)}.apps.googleusercontent.com"
    client = OAuthClient(
        client_id=fields.optional_text("client_id") or made_up,
        client_secret=fields.optional_text("client_secret")
        or "GOCSPX-" + secrets.token_urlsafe(21),
        redirect_uris=tuple(fields.texts("redirect_uris") or ()),
        project=project,
        name=fields.optional_text("name") or "Access reviews",
    )
    fields.end()

    if not client.redirect_uris:
        raise Refused("redirect_uris is missing: at least one is needed.")

    for uri in client.redirect_uris:
        _check_redirect_uri(uri)

    known = directory.clients.setdefault(client.client_id, client)
    # The object stays the same, because its tokens point at it.
    known.client_secret, known.redirect_uris, known.deleted = (
        client.client_secret,
        client.redirect_uris,
        False,
    )
    known.project, known.name, known.used_at = client.project, client.name, state.now()

    return web.json_response(
        {
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "redirect_uris": list(known.redirect_uris),
            "project": known.project,
            "name": known.name,
        }
    )


def _check_redirect_uri(uri: str) -> None:
    """Check a redirect URI by Google's rules (google.md §3.1).

    It is https except on this machine, without fragment, wildcard or raw address. Raises Refused.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise Refused(f"redirect_uris: {uri!r} is no address.") from None

    host = parts.hostname or ""
    raw_address = ":" in host or host.replace(".", "").isdecimal()
    if (
        (parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK))
        or (raw_address and host not in LOOPBACK)
        or not host
        or "*" in uri
        or "#" in uri
    ):
        raise Refused(
            f"redirect_uris: {uri!r} is refused. Google takes https, or http on this machine, without fragment,"
            " wildcard or raw IP address."
        )


async def delete_client(request: web.Request) -> web.Response:
    """`DELETE /oauth-clients/{client_id}`: from now on `deleted_client` (google.md §3.4)."""
    client = state_of(request).directory.clients.get(request.match_info["client_id"])
    if client is None:
        raise Refused(f"There is no OAuth client {request.match_info['client_id']}.", 404)
    client.deleted = True
    return web.json_response({})


def add_routes(app: web.Application) -> None:
    """Add people and OAuth clients."""
    app.router.add_post("/_sandbox/accounts", put_account)
    app.router.add_delete("/_sandbox/accounts/{email}/tokens", withdraw)
    app.router.add_post("/_sandbox/oauth-clients", put_client)
    app.router.add_delete("/_sandbox/oauth-clients/{client_id}", delete_client)
