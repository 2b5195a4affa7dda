"""`POST /token`: three grants behind one door, and the OAuth client's own credentials.

Parameters come as a form or as JSON, by Content-Type, and each stands once (RFC 6749 §3.2; the
words are those of Google's page for a repeated parameter of the consent).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import web

from certmail_sandbox.accounts.directory import OAuthClient
from certmail_sandbox.oauth import expiry, grant_code, grant_jwt, grant_refresh
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire.errors import Json, TokenError

Form = dict[str, str]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def form_of(content_type: str, body: bytes) -> Form:
    """The parameters of a token request; Google takes JSON as well.

    What cannot be read is empty.
    """
    if "json" in content_type.lower():
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        return {_text(k): _text(v) for k, v in data.items()} if isinstance(data, dict) else {}

    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _text(value: object) -> str:
    """A value as text that can be encoded: JSON may hold halves of characters."""
    return str(value).encode("utf-8", "replace").decode()


def _strictly(content_type: str, body: bytes) -> Form:
    """The parameters of a token request that Google would read.

    Raises TokenError for any other.
    """
    if content_type not in {"application/x-www-form-urlencoded", "application/json"}:
        raise TokenError("invalid_request", "Bad Request")

    if content_type == "application/x-www-form-urlencoded":
        names = Counter(name for name, _ in parse_qsl(body.decode("utf-8", "replace")))
        for name in (name for name, count in names.items() if count > 1):
            raise TokenError(
                "invalid_request", f"OAuth 2 parameters can only have a single value: {name}"
            )

    return form_of(content_type, body)


async def token(request: web.Request) -> web.Response:
    """`POST /token`: answer one of the three grants (google.md §3.3, §4.1).

    Raises TokenError.
    """
    state = state_of(request)
    form = _strictly(request.content_type, await request.read())
    grant_type = form.get("grant_type")
    if not grant_type:
        raise TokenError("invalid_request", "Missing required parameter: grant_type")

    if grant_type == JWT_BEARER:
        answer = grant_jwt.exchange(state, form)
    elif grant_type in _CLIENT_GRANTS:
        client = _client(state, form, request.headers.get("Authorization", ""))
        answer = _CLIENT_GRANTS[grant_type](state, client, form)
    else:
        raise TokenError("unsupported_grant_type", f"Invalid grant_type: {grant_type}")

    return web.json_response(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


_CLIENT_GRANTS: dict[str, Callable[[State, OAuthClient, Form], Json]] = {
    "authorization_code": grant_code.exchange,
    "refresh_token": grant_refresh.exchange,
}


def _client(state: State, form: Form, authorization: str) -> OAuthClient:
    """The client, by the parameters of the form or by HTTP Basic."""
    client_id, secret = form.get("client_id"), form.get("client_secret")

    if authorization.lower().startswith("basic "):
        try:
            user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise TokenError("invalid_client", "Unauthorized") from None
        client_id, secret = unquote_plus(user), unquote_plus(password)

    if not client_id:
        raise TokenError("invalid_request", "Could not determine client ID from request.")

    client = state.directory.clients.get(client_id)
    if client is None:
        raise TokenError("invalid_client", "The OAuth client was not found.")
    if client.deleted:
        raise TokenError("deleted_client", "The OAuth client was deleted.")
    if not secret:
        raise TokenError("invalid_request", "client_secret is missing.")
    if secret != client.client_secret:
        raise TokenError("invalid_client", "The provided client secret is invalid.")

    expiry.check_client(client, state.now())
    return client
