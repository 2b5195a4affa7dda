"""The id_token of a person or of a service account, and what to check it with.

The key is made once per process.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import (
    CONSUMER,
    Account,
    OAuthClient,
    ServiceAccount,
    domain_of,
)
from certmail_sandbox.accounts.tokens import ACCESS_SECONDS, AccessToken

ISSUER = "https://accounts.google.com"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@cache
def _kid() -> str:
    der = _key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:40]


def person(account: Account, granted: frozenset[str]) -> dict[str, object]:
    """The OpenID claims about a person that the granted scopes open."""
    claims: dict[str, object] = {"sub": account.sub}
    domain = domain_of(account.email)
    if account.workspace and domain not in CONSUMER:
        claims["hd"] = domain
    if scopes.EMAIL in granted:
        claims |= {"email": account.email, "email_verified": account.verified}

    if scopes.PROFILE in granted:
        given, _, family = account.name.partition(" ")
        claims |= {"name": account.name, "given_name": given}
        if family:
            claims["family_name"] = family

    return claims


def issue(access: AccessToken, now: float, nonce: str | None = None) -> str:
    """The signed id_token of who consented, for the client that the access token belongs to."""
    assert access.account is not None
    assert isinstance(access.owner, OAuthClient)

    digest = hashlib.sha256(access.value.encode()).digest()
    claims = person(access.account, access.scopes) | {
        "iss": ISSUER,
        "azp": access.owner.client_id,
        "aud": access.owner.client_id,
        "at_hash": base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode(),
        "iat": int(now),
        "exp": int(now) + ACCESS_SECONDS + 1,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return _signed(claims)


def about(account: ServiceAccount, audience: str, now: float) -> str:
    """The signed id_token of a service account that has asked.

    In reported tokens of this grant `azp` is its address, `sub` its client ID.
    """
    claims: dict[str, object] = {
        "iss": ISSUER,
        "azp": account.email,
        "aud": audience,
        "sub": account.client_id,
        "email": account.email,
        "email_verified": True,
        "iat": int(now),
        "exp": int(now) + ACCESS_SECONDS + 1,
    }
    return _signed(claims)


def read(token: str, now: float) -> dict[str, object] | None:
    """Header and claims of an id_token of ours that has not expired; None for any other."""
    try:
        claims: dict[str, object] = jwt.decode(
            token,
            _key().public_key(),
            ["RS256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None

    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= now:
        return None

    return claims | jwt.get_unverified_header(token)


def _signed(claims: dict[str, object]) -> str:
    return jwt.encode(claims, _key(), "RS256", headers={"kid": _kid()})


def jwk() -> dict[str, object]:
    """The key to check id_tokens with, as a JSON Web Key."""
    return web_key(_key().public_key(), _kid())


def web_key(key: rsa.RSAPublicKey, kid: str) -> dict[str, object]:
    """A public key in the form in which Google shows them."""
    shown: dict[str, object] = RSAAlgorithm.to_jwk(key, as_dict=True)
    shown.pop("key_ops", None)
    return shown | {"kid": kid, "use": "sig", "alg": "RS256"}


def pem_key() -> dict[str, str]:
    """The key to check id_tokens with in PEM, by key id."""
    return {
        _kid(): _key()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    }
