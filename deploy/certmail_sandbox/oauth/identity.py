"""Who is behind a token, and how a token is revoked (google.md §3.5)."""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import OAuthClient
from certmail_sandbox.gmail.access import token_of
from certmail_sandbox.oauth.id_token import person
from certmail_sandbox.oauth.token_endpoint import form_of
from certmail_sandbox.state import state_of
from certmail_sandbox.wire import gmail_errors
from certmail_sandbox.wire.errors import TokenError


async def userinfo(request: web.Request) -> web.Response:
    """`GET /v1/userinfo`: OpenID's claims."""
    return web.json_response(_claims(request))


async def userinfo_v2(request: web.Request) -> web.Response:
    """`GET /oauth2/v2/userinfo`: the same under older names."""
    claims = _claims(request)
    claims["id"] = claims.pop("sub")
    if "email_verified" in claims:
        claims["verified_email"] = claims.pop("email_verified")
    return web.json_response(claims)


def _claims(request: web.Request) -> dict[str, object]:
    token = token_of(request)
    if token.account is None or not token.scopes & scopes.IDENTITY:
        raise gmail_errors.invalid_credentials()
    return person(token.account, token.scopes)


async def revoke(request: web.Request) -> web.Response:
    """`POST /revoke`: end a grant by one of its tokens.

    Either sort of token ends all that its person granted the client (google.md §3.5).
    """
    tokens = state_of(request).tokens
    given = request.query.get("token") or form_of(request.content_type, await request.read()).get(
        "token", ""
    )
    access, refresh = tokens.access.pop(given, None), tokens.refresh.get(given)
    if refresh is not None:
        tokens.forget_grant(refresh.client, refresh.account)
    elif access is None:
        raise TokenError("invalid_token", "Token expired or revoked")
    elif isinstance(access.owner, OAuthClient) and access.account is not None:
        tokens.forget_grant(access.owner, access.account)

    return web.json_response({})
