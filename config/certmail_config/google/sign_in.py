"""Signing in with Google (OpenID Connect), without I/O: where to send a browser, and who came back.

Sources: Google's OpenID Connect pages. A token is believed only whole: signed with one of Google's
keys, for our client, for this very browser's question, still good, of a Workspace domain that was
named (`hd`), and with an address that Google vouches for. An address alone says nothing: Google
accounts of strangers may have one in any domain.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

from google.auth import exceptions, jwt

from certmail_config.base.addresses import recorded_address
from certmail_config.google.oauth import ISSUERS, OAuthClient, challenge

SCOPES: Final = "openid email"
_SKEW_SECONDS: Final = 30
_MAX_CERTIFICATES: Final = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What a browser takes along to Google; the answer must fit each of it."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in: `sub` never changes, and the address is as it is kept."""

    sub: str
    address: str


class NotBelieved(Exception):
    """Why a token says nothing about who signed in; it quotes nothing of it."""


def sign_in_url(
    page: str,
    client: OAuthClient,
    *,
    redirect_uri: str,
    question: Question,
    domains: Collection[str],
) -> str:
    """Where an operator signs in. Google's own page then offers accounts of the domain first."""
    query = {
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": SCOPES,
        "prompt": "select_account",
        "state": question.state,
        "nonce": question.nonce,
        "code_challenge": challenge(question.verifier),
        "code_challenge_method": "S256",
        "hd": next(iter(domains)) if len(domains) == 1 else "*",
    }
    return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"


def read_certificates(body: bytes) -> Mapping[str, str]:
    """Google's public keys by key id; raises NotBelieved for what is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not 0 < len(value) <= _MAX_CERTIFICATES:
        raise NotBelieved("no certificates")
    if not all(isinstance(pem, str) and "-----BEGIN" in pem for pem in value.values()):
        raise NotBelieved("no certificates")
    return value


def token_of(status: int, body: bytes) -> str:
    """The id token of the token endpoint's answer; raises NotBelieved where there is none."""
    try:
        token = json.loads(body)["id_token"] if status == 200 else None
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token.isascii():
        raise NotBelieved("no id token")
    return token


def key_of(token: str) -> str:
    """The id of the key that a token says it is signed with; raises NotBelieved."""
    try:
        header = cast("Any", jwt).decode_header(token)
    except (ValueError, TypeError, RecursionError, exceptions.GoogleAuthError):
        raise NotBelieved("no id token") from None
    return str(header.get("kid", ""))


def signed_in(
    token: str,
    certificates: Mapping[str, str],
    client: OAuthClient,
    *,
    nonce: str,
    domains: Collection[str],
) -> SignedIn:
    """Who signed in; raises NotBelieved."""
    claims = _verified(token, certificates, client)

    if claims.get("iss") not in ISSUERS:
        raise NotBelieved("another issuer")
    if claims.get("azp", client.id) != client.id:
        raise NotBelieved("another party")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise NotBelieved("another question")

    address, domain = claims.get("email"), claims.get("hd")
    if not isinstance(address, str) or claims.get("email_verified") is not True:
        raise NotBelieved("no address that Google vouches for")
    if not isinstance(domain, str) or domain.lower() not in domains:
        raise NotBelieved("another domain")
    sub = claims.get("sub")
    if not isinstance(sub, str) or not sub:
        raise NotBelieved("nobody")
    return SignedIn(sub, recorded_address(address))


def _verified(token: str, certificates: Mapping[str, str], client: OAuthClient) -> dict[str, Any]:
    """The claims, once signature, audience and times are seen to be right; raises NotBelieved."""
    decoder = cast("Any", jwt)  # google-auth ships no types
    try:
        header = decoder.decode_header(token)
        if header.get("alg") != "RS256" or header.get("kid") not in certificates:
            raise NotBelieved("another key")
        claims = decoder.decode(
            token, certificates, audience=client.id, clock_skew_in_seconds=_SKEW_SECONDS
        )
    except (ValueError, KeyError, TypeError, RecursionError, exceptions.GoogleAuthError):
        raise NotBelieved("not signed by Google for us, or expired") from None

    # The library takes a list of audiences, too; Google gives one.
    if not isinstance(claims, dict) or claims.get("aud") != client.id:
        raise NotBelieved("another audience")
    return claims
