"""The id token that a service account gets about itself, by `target_audience` for `scope`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

ROBOT = "certmail@acme-project.iam.gserviceaccount.com"
SEND = "https://www.googleapis.com/auth/gmail.send"
AUDIENCE = "https://certmail.example"


async def ask(google: Google, **claims: Any) -> Answer:
    """Asks as google-auth does: neither `scope` nor `sub`."""
    whole = {"scope": None, "sub": None, "target_audience": AUDIENCE} | claims
    return await google.exchange(google.assertion(**whole))


async def client_id(google: Google) -> str:
    made = await google.control(
        "POST", "/service-accounts", {"email": ROBOT, "project": "acme-project"}
    )
    return str(made["client_id"])


async def test_it_names_the_service_account_by_number_and_by_address(google: Google) -> None:
    await google.service_account()
    before = int(google.clock())
    answer = await ask(google)
    assert answer.status == 200
    assert answer.body.keys() == {"id_token"}

    claims = jwt.decode(answer.body["id_token"], options={"verify_signature": False})
    issued = claims.pop("iat")
    assert before <= issued <= google.clock()
    assert claims == {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "azp": ROBOT,
        "sub": await client_id(google),
        "email": ROBOT,
        "email_verified": True,
        "exp": issued + 3600,
    }


async def test_it_is_signed_with_a_key_that_google_publishes(google: Google) -> None:
    await google.service_account()
    token = (await ask(google)).body["id_token"]
    [key] = jwt.PyJWKSet.from_dict((await google.ask("GET", "/oauth2/v3/certs")).body).keys
    assert key.key_id == jwt.get_unverified_header(token)["kid"]
    assert jwt.decode(token, key, ["RS256"], audience=AUDIENCE)["email"] == ROBOT


async def test_a_key_is_enough_and_no_delegation_is_needed(google: Google) -> None:
    await google.control("POST", "/service-accounts", {"email": ROBOT, "project": "acme-project"})
    await google.upload(google.keys.certificate())
    assert (await ask(google)).status == 200


async def test_its_own_address_as_subject_changes_nothing(google: Google) -> None:
    await google.service_account()
    assert (await ask(google, sub=ROBOT)).status == 200


async def test_without_its_key_there_is_none(google: Google) -> None:
    await google.service_account()
    google.keys = type(google.keys)(rsa.generate_private_key(65_537, 2048))
    answer = await ask(google)
    assert (answer.status, answer.body) == (
        400,
        {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
    )


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "nobody@x.iam.gserviceaccount.com"}, "invalid_grant", "account not found"),
        ({"aud": AUDIENCE}, "invalid_grant", "audience check"),
        ({"exp": None}, "invalid_grant", "short-lived token"),
        ({"iat": 1, "exp": 3601}, "invalid_grant", "short-lived token"),
        ({"target_audience": ""}, "invalid_scope", "ID token audience"),
        ({"target_audience": [AUDIENCE]}, "invalid_scope", "ID token audience"),
        ({"scope": SEND}, "invalid_scope", "ID token audience"),
        ({"sub": "reminders@acme.example"}, "invalid_request", "impersonation"),
    ],
)
async def test_what_is_wrong_is_refused_as_for_access_tokens(
    google: Google, claims: dict[str, Any], error: str, description: str
) -> None:
    await google.service_account()
    answer = await ask(google, **claims)
    assert (answer.status, answer.body["error"]) == (400, error)
    assert description in answer.body["error_description"]
    assert "id_token" not in answer.body


async def test_a_disabled_service_account_gets_none(google: Google) -> None:
    await google.service_account()
    body = {"email": ROBOT, "project": "acme-project", "disabled": True}
    await google.control("POST", "/service-accounts", body)
    answer = await ask(google)
    assert (answer.status, answer.body["error"]) == (401, "disabled_client")
