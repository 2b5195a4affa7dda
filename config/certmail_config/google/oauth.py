"""The token protocol, without I/O: what to post to the token endpoint, and what its answers mean.

Sources: google.md §3.3, §3.4, §4.1 and §4.4 (Google's OAuth 2.0 for service accounts).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

from google.auth import jwt
from google.auth.crypt import RSASigner

from certmail_config.base.addresses import NoAddress, written_address
from certmail_config.base.redaction import quote
from certmail_config.google.token_errors import Denied, GrantType, TokenError, denied

AUDIENCE: Final = "https://oauth2.googleapis.com/token"
"""What an assertion is addressed to, wherever the endpoint is reached."""
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header."""
_CLIENT_ID: Final = re.compile(r"[0-9]{1,40}")
_LIFE_SECONDS: Final = 3600
_SKEW_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token; `expires_in` in seconds from the answer.

    `sub` names who consented, where an id token came along.
    """

    access_token: str
    expires_in: float
    scopes: frozenset[str]
    refresh_token: str | None = None
    sub: str | None = None

    def __repr__(self) -> str:
        """Without the token: values end up in logs and tracebacks."""
        return f"Granted(expires_in={self.expires_in:g})"


@dataclass(frozen=True, slots=True)
class Account:
    """Who consented.

    `sub` never changes; the address may. Where mails cannot be sent from it, it is empty, and
    `unusable` says why.
    """

    sub: str
    email: str
    unusable: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class OAuthClient:
    """Our OAuth client, with its secret."""

    id: str
    secret: str


LINK_SCOPES: Final = (
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
    "https://www.googleapis.com/auth/gmail.send",
)
ISSUERS: Final = frozenset({"https://accounts.google.com", "accounts.google.com"})


def consent_url(
    page: str,
    client: OAuthClient,
    *,
    redirect_uri: str,
    state: str,
    verifier: str,
    choose: bool = False,
) -> str:
    """Where the administrator signs in and consents.

    Always asks anew: else Google gives no refresh token (google.md §3.1).

    With `choose` it asks first which account.
    """
    query = {
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(LINK_SCOPES),
        "access_type": "offline",
        "prompt": "select_account consent" if choose else "consent",
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }

    return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"


def code_form(
    client: OAuthClient, *, code: str, redirect_uri: str, verifier: str
) -> dict[str, str]:
    """The form that exchanges the callback's code; a code works once."""
    return {
        "grant_type": "authorization_code",
        "client_id": client.id,
        "client_secret": client.secret,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }


def refresh_form(client: OAuthClient, refresh_token: str) -> dict[str, str]:
    """The form that asks for another access token."""
    return {
        "grant_type": "refresh_token",
        "client_id": client.id,
        "client_secret": client.secret,
        "refresh_token": refresh_token,
    }


def read_account(body: bytes) -> Account | None:
    """Read the userinfo answer; None unless it names an account with a verified address."""
    try:
        value = json.loads(body)
        sub, email = value["sub"], value["email"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None

    if (
        not isinstance(sub, str)
        or not isinstance(email, str)
        or value.get("email_verified") not in (True, "true")
    ):
        return None

    try:
        return Account(sub, written_address(email))
    except NoAddress as error:
        return Account(sub, "", error.why)


def challenge(verifier: str) -> str:
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


def assertion_form(
    signer: RSASigner,
    *,
    key_id: str | None,
    issuer: str,
    subject: str,
    scopes: frozenset[str],
    now: float,
) -> dict[str, str]:
    """The form to post for a service account that impersonates `subject`.

    `now` is wall-clock seconds.
    """
    claims = {
        "iss": issuer,
        "sub": subject,
        "scope": " ".join(sorted(scopes)),
        "aud": AUDIENCE,
        "iat": int(now) - _SKEW_SECONDS,
        "exp": int(now) - _SKEW_SECONDS + _LIFE_SECONDS,
    }

    return _signed_form(signer, key_id, claims)


def identity_form(
    signer: RSASigner, *, key_id: str | None, issuer: str, audience: str, now: float
) -> dict[str, str]:
    """The form that asks who a service account is: it needs the key, and no delegation.

    `now` is wall-clock seconds.
    """
    claims = {
        "iss": issuer,
        "target_audience": audience,
        "aud": AUDIENCE,
        "iat": int(now) - _SKEW_SECONDS,
        "exp": int(now) - _SKEW_SECONDS + _LIFE_SECONDS,
    }

    return _signed_form(signer, key_id, claims)


def _signed_form(
    signer: RSASigner, key_id: str | None, claims: Mapping[str, object]
) -> dict[str, str]:
    # An unknown key id is left out, never invented: Google then tries all keys of the account
    # (google.md §4.1).
    header = {"typ": "JWT", "alg": "RS256"} | ({"kid": key_id} if key_id else {})
    # google-auth ships no types.
    assertion: bytes = cast("Any", jwt).encode(signer, claims, header=header)
    return {"grant_type": JWT_GRANT, "assertion": assertion.decode("ascii")}


def read_identity(body: bytes) -> str | None:
    """Read the service account's numeric client ID from the answer to `identity_form`.

    None unless an id token names one.

    The signature is not checked: the token comes straight from Google's token endpoint over TLS,
    and nobody else reads it.
    """
    try:
        claims = cast("Any", jwt).decode(json.loads(body)["id_token"], verify=False)
        client_id = claims["sub"]
    except (ValueError, KeyError, TypeError, RecursionError):
        # google-auth's MalformedError is a ValueError.
        return None

    return client_id if isinstance(client_id, str) and _CLIENT_ID.fullmatch(client_id) else None


def _consenter(id_token: object) -> str | None:
    """Who consented, as the id token of the same answer says.

    Not its signature but where it comes from vouches for it.
    """
    if not isinstance(id_token, str):
        return None

    try:
        claims = cast("Any", jwt).decode(id_token, verify=False)
        sub, issuer = claims["sub"], claims["iss"]
    except (ValueError, KeyError, TypeError, RecursionError):
        # google-auth's MalformedError is a ValueError.
        return None

    return sub if isinstance(sub, str) and sub and issuer in ISSUERS else None


def read_answer(
    status: int, body: bytes, grant: GrantType = GrantType.ASSERTION
) -> Granted | Denied:
    """Read the token endpoint's answer to what was presented."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None

    page = not isinstance(value, Mapping)
    if page:
        value = {}
    token, life = value.get("access_token"), value.get("expires_in")
    if (
        status == 200
        and isinstance(token, str)
        and _TOKEN.fullmatch(token)
        and isinstance(life, int | float)
        and 0 < life < 1e9
    ):
        again = value.get("refresh_token")
        scopes = frozenset(str(value.get("scope", "")).split())
        refresh_token = again if isinstance(again, str) and again else None
        return Granted(token, float(life), scopes, refresh_token, _consenter(value.get("id_token")))

    error = value.get("error")
    refusal = TokenError(
        status,
        quote(error, 100) if isinstance(error, str) else "",
        quote(str(value.get("error_description") or "")),
        quote(str(value.get("error_subtype") or ""), 100),
        page,
    )

    return denied(refusal, grant)
