"""The assertion, judged by `openssl` and by another JOSE library.

They have nothing of ours but the certificate.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth.crypt import RSASigner
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

from certmail_config.crypto.certificates import KeyPair, new_key_pair
from certmail_config.google.oauth import assertion_form, identity_form
from certmail_config.tenants.models import METADATA_SCOPE, SEND_SCOPE
from support.processes.openssl import openssl, public_key

NOW = datetime.now(UTC).timestamp()
ISSUER = "certmail@acme-iga.iam.gserviceaccount.com"
MAILBOX = "reviews@acme.example"
KID = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return new_key_pair(datetime.now(UTC))


@pytest.fixture(scope="module")
def signer(pair: KeyPair) -> RSASigner:
    return RSASigner(load_pem_private_key(pair.private_key, password=None))


@pytest.fixture(params=[None, KID], ids=["without_kid", "with_kid"])
def key_id(request: pytest.FixtureRequest) -> str | None:
    found: str | None = request.param
    return found


@pytest.fixture
def assertion(signer: RSASigner, key_id: str | None) -> str:
    scopes = frozenset({SEND_SCOPE, METADATA_SCOPE})
    form = assertion_form(
        signer, key_id=key_id, issuer=ISSUER, subject=MAILBOX, scopes=scopes, now=NOW
    )
    return form["assertion"]


def decoded(segment: str) -> bytes:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", segment), "base64url without padding (RFC 7515 §2)"
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def verify(folder: Path, pair: KeyPair, assertion: str) -> str:
    """What `openssl` says of a signature over the first two parts as they stand."""
    signed, _, signature = assertion.rpartition(".")
    key_file, signature_file = folder / "key.pem", folder / "signature"
    key_file.write_text(public_key(pair.certificate))
    signature_file.write_bytes(decoded(signature))
    return openssl(
        "dgst", "-sha256", "-verify", key_file, "-signature", signature_file, given=signed
    )


def judged(pair: KeyPair, assertion: str) -> jwt.Token:
    return jwt.decode(
        assertion, RSAKey.import_key(public_key(pair.certificate)), algorithms=["RS256"]
    )


def test_openssl_verifies_the_signature_with_the_certificates_key(
    tmp_path: Path, pair: KeyPair, assertion: str
) -> None:
    assert verify(tmp_path, pair, assertion) == "Verified OK\n"


def test_openssl_refuses_it_with_another_certificates_key(tmp_path: Path, assertion: str) -> None:
    with pytest.raises(AssertionError):
        verify(tmp_path, new_key_pair(datetime.now(UTC)), assertion)


def test_openssl_refuses_it_with_one_character_changed(
    tmp_path: Path, pair: KeyPair, assertion: str
) -> None:
    header, payload, signature = assertion.split(".")
    changed = payload[:-1] + ("A" if payload[-1] != "A" else "B")
    with pytest.raises(AssertionError):
        verify(tmp_path, pair, f"{header}.{changed}.{signature}")


def test_another_library_verifies_signature_times_and_audience(
    pair: KeyPair, assertion: str
) -> None:
    token = judged(pair, assertion)
    registry = jwt.JWTClaimsRegistry(
        now=int(NOW),
        leeway=0,
        iss={"essential": True, "value": ISSUER},
        sub={"essential": True, "value": MAILBOX},
        aud={"essential": True, "value": "https://oauth2.googleapis.com/token"},
        scope={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )

    registry.validate(token.claims)


def test_another_library_refuses_it_with_another_certificates_key(assertion: str) -> None:
    with pytest.raises(BadSignatureError):
        judged(new_key_pair(datetime.now(UTC)), assertion)


def test_the_header_holds_algorithm_type_and_at_most_a_key_id(
    pair: KeyPair, assertion: str, key_id: str | None
) -> None:
    expected = {"alg": "RS256", "typ": "JWT"} | ({"kid": key_id} if key_id else {})
    assert json.loads(decoded(assertion.split(".", maxsplit=1)[0])) == expected
    assert judged(pair, assertion).header == expected


def test_the_claims_are_the_six_that_google_documents_and_no_others(
    pair: KeyPair, assertion: str
) -> None:
    issued = int(NOW) - 30
    expected = {
        "iss": ISSUER,
        "sub": MAILBOX,
        "scope": f"{METADATA_SCOPE} {SEND_SCOPE}",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": issued,
        "exp": issued + 3600,
    }

    raw = json.loads(decoded(assertion.split(".")[1]))
    assert raw == expected
    assert (type(raw["iat"]), type(raw["exp"])) == (int, int)
    assert judged(pair, assertion).claims == expected


def test_the_question_who_a_service_account_is_stands_the_same_judges(
    tmp_path: Path, pair: KeyPair, signer: RSASigner, key_id: str | None
) -> None:
    form = identity_form(
        signer, key_id=key_id, issuer=ISSUER, audience="https://certmail.example", now=NOW
    )
    assert verify(tmp_path, pair, form["assertion"]) == "Verified OK\n"
    token: Any = judged(pair, form["assertion"])
    assert token.header.keys() == {"alg", "typ"} | ({"kid"} if key_id else set())
    assert token.claims.keys() == {"iss", "target_audience", "aud", "iat", "exp"}
