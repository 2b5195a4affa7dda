"""A service account's keys: the table, *Add key*, *Upload existing key*."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from certmail_sandbox.accounts.directory import ServiceAccount
from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.consoles.service_accounts import ONE, address_of, of_account
from certmail_sandbox.key_upload import upload
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Refused


@of_account
async def keys(request: web.Request, account: ServiceAccount) -> web.Response:
    """`GET …/keys`: the keys of a service account."""
    return _keys(request, account, uploading=False)


@of_account
async def upload_page(request: web.Request, account: ServiceAccount) -> web.Response:
    """`GET …/keys/upload`: the same, with the dialogue for a certificate open."""
    return _keys(request, account, uploading=True)


@of_account
async def upload_key(request: web.Request, account: ServiceAccount) -> web.Response:
    """Take a file or a text, as Google's dialogue does; refuse what Google refuses."""
    state = state_of(request)
    form = await form_of(request)
    pem = form.get("file") or form.get("text") or ""
    if not pem:
        return _keys(
            request, account, uploading=True, error="Choose a file, or paste the certificate."
        )

    known = frozenset(account.keys)

    try:
        key = upload(state, account, pem.encode())
    except Refused as refused:
        return _keys(request, account, uploading=True, error=str(refused))

    if key.kid not in known:
        account.keys[key.kid] = replace(key, accepted_from=state.now() + state.spread_seconds)
    raise then(_path(account), project=account.project, done="uploaded")


@of_account
async def change_key(request: web.Request, account: ServiceAccount) -> web.Response:
    """Disable a key, enable it again, or delete it."""
    kid = request.match_info["kid"]
    if kid not in account.keys:
        raise Refused("The service account has no such key.", 404)

    match (await form_of(request)).get("do"):
        case "disable":
            account.keys[kid] = replace(account.keys[kid], disabled=True)
        case "enable":
            account.keys[kid] = replace(account.keys[kid], disabled=False)
        case "delete":
            del account.keys[kid]
            raise then(_path(account), project=account.project, done="deleted")

    raise then(_path(account), project=account.project, done="key")


def _path(account: ServiceAccount) -> str:
    return address_of(account, "/keys").partition("?")[0]


def _keys(
    request: web.Request, account: ServiceAccount, *, uploading: bool, error: str | None = None
) -> web.Response:
    return show(
        request,
        "keys.html",
        status=400 if error else 200,
        error=error,
        account=account,
        project=account.project,
        section="accounts",
        uploading=uploading,
        at=address_of,
    )


def add_routes(app: web.Application) -> None:
    """Add the pages of keys."""
    app.router.add_get(ONE + "/keys", keys)
    app.router.add_get(ONE + "/keys/upload", upload_page)
    app.router.add_post(ONE + "/keys/upload", upload_key)
    app.router.add_post(ONE + "/keys/{kid}", change_key)
