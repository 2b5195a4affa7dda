"""`/tokeninfo`: what Google knows of a token (google.md §3.5).

Numbers and flags are texts here.
"""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.gmail.access import header_token
from certmail_sandbox.oauth import id_token
from certmail_sandbox.oauth.token_endpoint import form_of
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire.errors import Json, TokenError


async def token_info(request: web.Request) -> web.Response:
    """`GET` or `POST /tokeninfo`: about an `access_token` or an `id_token`.

    It stands in the query or a form; an access token may also be the bearer, as Google's Node
    client has it (google.md §3.5).
    """
    state = state_of(request)
    form = dict(request.query) | form_of(request.content_type, await request.read())
    if "id_token" in form:
        return web.json_response(_identity(form["id_token"], state.now()))

    given = form.get("access_token") or header_token(request)
    if not given:
        raise TokenError("invalid_request", "either access_token or id_token required")
    return web.json_response(_access(state, given))


def _identity(given: str, now: float) -> Json:
    claims = id_token.read(given, now)
    if claims is None:
        raise TokenError("invalid_token", "Invalid Value")
    return {name: _text(value) for name, value in claims.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _access(state: State, given: str) -> Json:
    now = state.now()
    token = state.tokens.live(given, now)
    if token is None:
        raise TokenError("invalid_token", "Invalid Value")

    body: Json = {
        "azp": token.owner.client_id,
        "aud": token.owner.client_id,
        "scope": scopes.joined(token.scopes),
        "exp": str(int(token.expires_at)),
        "expires_in": str(int(token.expires_at - now)),
        "access_type": "offline" if token.refresh else "online",
    }

    if token.account is not None and token.scopes & scopes.IDENTITY:
        claims = id_token.person(token.account, token.scopes)
        body |= {name: claims[name] for name in ("sub", "email") if name in claims}
        if "email" in claims:
            body["email_verified"] = str(claims["email_verified"]).lower()

    return body
