"""What anybody may look up: OpenID's discovery document, and public keys.

The keys are Google's own and those of a service account (google.md §3.5, §4.1).
"""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import ServiceAccount
from certmail_sandbox.oauth import id_token
from certmail_sandbox.oauth.authorization import METHODS
from certmail_sandbox.state import state_of
from certmail_sandbox.wire import gmail_errors

_CACHED = {"Cache-Control": "public, max-age=900"}


async def discovery(request: web.Request) -> web.Response:
    """`GET /.well-known/openid-configuration`: OpenID's discovery document.

    It is as accounts.google.com has it, with this server's addresses.
    """
    base = str(request.url.origin())
    return web.json_response(
        {
            "issuer": id_token.ISSUER,
            "authorization_endpoint": base + "/o/oauth2/v2/auth",
            "token_endpoint": base + "/token",
            "userinfo_endpoint": base + "/v1/userinfo",
            "revocation_endpoint": base + "/revoke",
            "jwks_uri": base + "/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": [scopes.OPENID, "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": [
                *("aud", "email", "email_verified", "exp", "family_name", "given_name"),
                *("iat", "iss", "name", "sub"),
            ],
            "code_challenge_methods_supported": sorted(METHODS, key=str.lower),
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
            "authorization_response_iss_parameter_supported": True,
        },
        headers=_CACHED,
    )


async def jwks(_request: web.Request) -> web.Response:
    """`GET /oauth2/v3/certs`: Google's own public keys as JSON Web Keys (google.md §3.5)."""
    return web.json_response({"keys": [id_token.jwk()]}, headers=_CACHED)


async def pem_keys(_request: web.Request) -> web.Response:
    """`GET /oauth2/v1/certs`: Google's own public keys in PEM.

    Google's Python library takes them like certificates.
    """
    return web.json_response(id_token.pem_key(), headers=_CACHED)


async def x509(request: web.Request) -> web.Response:
    """`GET /service_accounts/v1/metadata/x509/{email}`: a service account's certificates by key id.

    They are public, and the very certificates that were uploaded (google.md §4.1).
    """
    keys = {key.kid: key.pem for key in _service_account(request).keys.values()}
    return web.json_response(keys, headers=_CACHED)


async def web_keys(request: web.Request) -> web.Response:
    """`GET /service_accounts/v1/jwk/{email}`: the same keys as JSON Web Keys."""
    keys = [
        id_token.web_key(key.public_key, key.kid) for key in _service_account(request).keys.values()
    ]
    return web.json_response({"keys": keys}, headers=_CACHED)


def _service_account(request: web.Request) -> ServiceAccount:
    account = state_of(request).directory.service_account(request.match_info["email"])
    if account is None:
        raise gmail_errors.not_found(f"Service account {request.match_info['email']} not found.")
    return account


def add_routes(app: web.Application) -> None:
    """Add the discovery document and the public keys, at every address that Google has for them."""
    app.router.add_get("/.well-known/openid-configuration", discovery)
    app.router.add_get("/oauth2/v3/certs", jwks)
    app.router.add_get("/oauth2/v1/certs", pem_keys)
    for kind in ("service_accounts", "robot"):
        app.router.add_get(f"/{kind}/v1/metadata/x509/{{email}}", x509)
        app.router.add_get(f"/{kind}/v1/jwk/{{email}}", web_keys)
        app.router.add_get(f"/{kind}/v1/metadata/jwk/{{email}}", web_keys)
