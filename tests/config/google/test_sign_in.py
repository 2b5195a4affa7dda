"""Signing in with Google: a token is believed only whole. Another JOSE library makes the tokens."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.jwk import RSAKey

from certmail_config.google.oauth import OAuthClient
from certmail_config.google.sign_in import (
    NotBelieved,
    Question,
    SignedIn,
    key_of,
    read_certificates,
    sign_in_url,
    signed_in,
    token_of,
)

CLIENT: Final = OAuthClient("ours.apps.googleusercontent.com", "secret")
DOMAINS: Final = ("acme.example", "acme.com")
NONCE: Final = "the question's own"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


GOOGLES, ANOTHERS = new_key(), new_key()
CERTIFICATES: Final = {
    "k1": GOOGLES.public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
}


def token(
    key: rsa.RSAPrivateKey = GOOGLES, header: dict[str, Any] | None = None, **changes: Any
) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": CLIENT.id,
        "azp": CLIENT.id,
        "sub": "108",
        "email": "Ann@Acme.Example",
        "email_verified": True,
        "hd": "acme.example",
        "nonce": NONCE,
        "iat": now,
        "exp": now + 3600,
    } | changes
    given = {name: value for name, value in claims.items() if value is not None}
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return jwt.encode({"alg": "RS256", "kid": "k1"} | (header or {}), given, RSAKey.import_key(pem))


def believed(made: str) -> SignedIn:
    return signed_in(made, CERTIFICATES, CLIENT, nonce=NONCE, domains=DOMAINS)


def test_googles_word_is_believed() -> None:
    assert believed(token()) == SignedIn("108", "ann@acme.example")
    assert believed(token(iss="accounts.google.com", hd="ACME.com")).sub == "108"
    assert believed(token(iat=int(time.time()) + 20)), "clocks differ"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://accounts.evil.example"},
        {"iss": None},
        {"aud": "another.apps.googleusercontent.com"},
        {"aud": [CLIENT.id]},
        {"aud": [CLIENT.id, "another"]},
        {"aud": None},
        {"azp": "another.apps.googleusercontent.com"},
        {"nonce": "another question's"},
        {"nonce": None},
        {"nonce": 7},
        {"email": None},
        {"email": ["ann@acme.example"]},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"hd": None},
        {"hd": "evil.example"},
        {"hd": ""},
        {"hd": "*"},
        {"hd": ["acme.example"]},
        {"hd": "acme.example.evil.example"},
        {"sub": None},
        {"sub": ""},
        {"sub": 108},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": 4_102_444_800},
        {"iat": None},
    ],
)
def test_what_does_not_fit_is_not_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(NotBelieved):
        believed(token(**changes))


def test_who_is_no_google_signs_nothing() -> None:
    with pytest.raises(NotBelieved):
        believed(token(ANOTHERS))
    with pytest.raises(NotBelieved):
        believed(token(ANOTHERS, {"kid": "k2"}))
    with pytest.raises(NotBelieved):
        believed(token(header={"kid": ""}))


def test_a_signature_of_another_kind_counts_for_nothing() -> None:
    head, claims, signature = token().split(".")
    # Our public key is no secret: taken for a shared one, anybody could sign with it.
    hs256 = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').decode().rstrip("=")
    shared = f"{hs256}.{claims}"
    mac = hmac.digest(CERTIFICATES["k1"].encode(), shared.encode(), "sha256")
    with_public = f"{shared}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ"
    for bad in (
        with_public,
        f"{none}.{claims}.",
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-8]}AAAAAAAA",
        f"{head}.{token(sub='109').split('.')[1]}.{signature}",
        "",
        "a.b.c",
        "...",
        f"{head}.{claims}",
    ):
        with pytest.raises(NotBelieved):
            believed(bad)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"id_token": "x"}),
        (200, {}),
        (200, {"id_token": 7}),
        (200, {"id_token": "é"}),
        (200, []),
        (200, None),
    ],
)
def test_an_answer_without_a_token_names_nobody(status: int, body: Any) -> None:
    with pytest.raises(NotBelieved):
        token_of(status, json.dumps(body, ensure_ascii=False).encode())
    with pytest.raises(NotBelieved):
        token_of(200, b"<html>")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"k1": 7}', b'{"k1": "no key"}', b"<html>"])
def test_what_are_no_certificates_is_not_taken_for_them(body: bytes) -> None:
    with pytest.raises(NotBelieved):
        read_certificates(body)


def test_certificates_are_read_and_the_token_names_its_own() -> None:
    assert read_certificates(json.dumps(CERTIFICATES).encode()) == CERTIFICATES
    assert key_of(token()) == "k1"
    with pytest.raises(NotBelieved):
        key_of("no token")


def test_the_browser_takes_its_question_along_and_no_secret() -> None:
    question = Question("st4te", "n0nce", "v" * 43)
    url = sign_in_url(
        "https://accounts.google.com/o/oauth2/v2/auth",
        CLIENT,
        redirect_uri="https://certmail.example/console/sign-in/google/callback",
        question=question,
        domains=("acme.example",),
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (query["state"], query["nonce"], query["hd"]) == ("st4te", "n0nce", "acme.example")
    assert (query["scope"], query["code_challenge_method"]) == ("openid email", "S256")
    assert question.verifier not in url
    assert CLIENT.secret not in url
