"""Whose mailbox a request is about, before anything in it has been checked.

Faults and the list of requests go by it.
"""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.gmail.access import bearer
from certmail_sandbox.oauth import grant_jwt
from certmail_sandbox.oauth.token_endpoint import form_of
from certmail_sandbox.state import State

TOKEN_PATHS = frozenset(
    {"/token", "/oauth2/v4/token", "/revoke", "/tokeninfo", "/oauth2/v3/tokeninfo"}
)


def mailbox_of(state: State, request: web.Request, body: bytes) -> str | None:
    """The mailbox of the token, or at the token endpoint the one that a token is asked for."""
    if request.path not in TOKEN_PATHS:
        value = bearer(request)
        return _of_access(state, value) if value else None

    form = dict(request.query) | form_of(request.content_type, body)
    if "assertion" in form:
        return grant_jwt.peek_subject(form["assertion"])
    if (code := state.tokens.codes.get(form.get("code", ""))) is not None:
        return code.account.email

    given = form.get("refresh_token") or form.get("token") or form.get("access_token") or ""
    if (refresh := state.tokens.refresh.get(given)) is not None:
        return refresh.account.email

    return _of_access(state, given or bearer(request) or "")


def _of_access(state: State, value: str) -> str | None:
    token = state.tokens.access.get(value)
    return token.account.email if token and token.account else None
