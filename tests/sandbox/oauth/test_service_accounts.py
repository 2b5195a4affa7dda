"""The JWT grant and the public certificates, google.md §4."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

AUDIENCE = "https://oauth2.googleapis.com/token"
ROBOT = "certmail@acme-project.iam.gserviceaccount.com"
SEND = "https://www.googleapis.com/auth/gmail.send"
METADATA = "https://www.googleapis.com/auth/gmail.metadata"
SHORT_LIVED = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    " Check your iat and exp values in the JWT claim."
)
NOT_AUTHORIZED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the"
    " scopes requested."
)


def refused(answer: Answer, status: int, error: str, description: str) -> bool:
    return (answer.status, answer.body) == (
        status,
        {"error": error, "error_description": description},
    )


async def test_an_assertion_signed_with_an_uploaded_key_buys_a_token(google: Google) -> None:
    kid = await google.service_account()
    answer = await google.exchange(google.assertion(header={"kid": kid}))
    assert answer.status == 200
    assert answer.body["expires_in"] == 3599
    assert answer.body["token_type"] == "Bearer"
    assert answer.body["scope"] == SEND
    assert "refresh_token" not in answer.body


@pytest.mark.parametrize("header", [None, {"kid": "0" * 40}])
async def test_a_missing_or_wrong_kid_is_only_a_bad_hint(
    google: Google, header: dict[str, str] | None
) -> None:
    await google.service_account()
    assert (await google.exchange(google.assertion(header=header))).status == 200


async def test_any_of_several_uploaded_keys_will_do(google: Google) -> None:
    await google.service_account()
    other = type(google.keys)(rsa.generate_private_key(65_537, 2048))
    await google.upload(other.certificate())
    google.keys = other
    assert (await google.exchange(google.assertion())).status == 200


async def test_a_deleted_key_no_longer_authenticates(google: Google) -> None:
    kid = await google.service_account()
    await google.control("DELETE", f"/service-accounts/{ROBOT}/keys/{kid}")
    answer = await google.exchange(google.assertion(header={"kid": kid}))
    assert refused(answer, 400, "invalid_grant", "Invalid JWT Signature.")


async def test_a_key_that_was_never_uploaded_is_an_invalid_signature(google: Google) -> None:
    await google.service_account()
    google.keys = type(google.keys)(rsa.generate_private_key(65_537, 2048))
    assert refused(
        await google.exchange(google.assertion()), 400, "invalid_grant", "Invalid JWT Signature."
    )


async def test_a_certificate_authenticates_between_its_two_dates_only(google: Google) -> None:
    await google.service_account(
        certificate=google.keys.certificate(starts_in_days=0.5, ends_in_days=2)
    )
    early = await google.exchange(google.assertion())
    google.clock.ahead = 86_400
    during = await google.exchange(google.assertion())
    google.clock.ahead = 2.5 * 86_400
    late = await google.exchange(google.assertion())

    assert refused(early, 400, "invalid_grant", "Invalid JWT Signature.")
    assert during.status == 200
    assert refused(late, 400, "invalid_grant", "Invalid JWT Signature.")

    listed = await google.ask("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}")
    assert len(listed.body) == 1


async def test_another_algorithm_than_rs256_is_refused(google: Google) -> None:
    await google.service_account()
    forged = jwt.encode({"iss": ROBOT, "scope": SEND}, "x" * 32, "HS256")
    assert refused(await google.exchange(forged), 400, "invalid_grant", "Invalid JWT Signature.")


@pytest.mark.parametrize("assertion", ["", "garbage", "a.b.c"])
async def test_an_assertion_that_is_no_jwt_is_refused(google: Google, assertion: str) -> None:
    answer = await google.exchange(assertion)
    assert answer.status == 400
    assert answer.body["error"] in {"invalid_grant", "invalid_request"}


async def test_the_audience_must_be_googles_own_token_endpoint(google: Google) -> None:
    await google.service_account()
    answer = await google.exchange(google.assertion(aud=google.url + "/token"))
    assert answer.status == 400
    assert answer.body["error"] == "invalid_grant"
    assert "audience" in answer.body["error_description"]


@pytest.mark.parametrize(
    ("iat", "exp", "good"),
    [
        (0, 3600, True),
        (0, 65 * 60, True),
        (0, 65 * 60 + 1, False),
        (-3700, -100, False),
        (-100, 0, False),
        (540, 540 + 3600, True),
        (660, 660 + 3600, False),
        (100, 50, False),
    ],
)
async def test_the_life_of_an_assertion_is_an_hour_give_or_take(
    google: Google, iat: int, exp: int, good: bool
) -> None:
    await google.service_account()
    now = int(google.clock())
    answer = await google.exchange(google.assertion(iat=now + iat, exp=now + exp))
    assert answer.status == 200 if good else refused(answer, 400, "invalid_grant", SHORT_LIVED)


@pytest.mark.parametrize(
    ("claims", "status", "error", "description"),
    [
        (
            {"iss": "nobody@x.iam.gserviceaccount.com"},
            400,
            "invalid_grant",
            "Invalid grant: account not found",
        ),
        ({"sub": "gone@acme.example"}, 400, "invalid_grant", "Invalid email or User ID"),
        ({"sub": "not an address"}, 400, "invalid_request", 'Invalid impersonation "sub" field.'),
        (
            {"sub": "x@elsewhere.example"},
            400,
            "invalid_request",
            'Invalid impersonation "sub" field.',
        ),
        ({"scope": METADATA}, 401, "unauthorized_client", NOT_AUTHORIZED),
        ({"scope": f"{SEND} {METADATA}"}, 400, "access_denied", "Requested client not authorized."),
        (
            {"scope": None},
            400,
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        ),
        (
            {"scope": f"{SEND},{METADATA}"},
            400,
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        ),
        ({"exp": None}, 400, "invalid_grant", SHORT_LIVED),
    ],
)
async def test_each_refusal_has_the_documented_words(
    google: Google, claims: dict[str, Any], status: int, error: str, description: str
) -> None:
    await google.service_account()
    assert refused(await google.exchange(google.assertion(**claims)), status, error, description)


async def test_without_delegation_no_mailbox_can_be_impersonated(google: Google) -> None:
    await google.service_account()
    await google.control("PUT", f"/service-accounts/{ROBOT}/delegation", {"scopes": []})
    assert refused(
        await google.exchange(google.assertion()), 401, "unauthorized_client", NOT_AUTHORIZED
    )


async def test_delegation_can_be_limited_to_domains(google: Google) -> None:
    await google.service_account()
    body = {"scopes": [SEND], "domains": ["other.example"]}
    await google.control("PUT", f"/service-accounts/{ROBOT}/delegation", body)
    answer = await google.exchange(google.assertion())
    assert refused(answer, 401, "unauthorized_client", "Unauthorized client or scope in request.")


async def test_a_deleted_account_cannot_be_impersonated_and_its_tokens_end(google: Google) -> None:
    token = await google.token()
    await google.control("POST", "/accounts", {"email": "reminders@acme.example", "deleted": True})
    answer = await google.exchange(google.assertion())
    assert refused(answer, 400, "invalid_grant", "The account has been deleted")
    assert (await google.send(token)).status == 401


async def test_a_disabled_or_deleted_service_account_is_told_apart(google: Google) -> None:
    await google.service_account()
    body = {"email": ROBOT, "project": "acme-project", "disabled": True}
    await google.control("POST", "/service-accounts", body)
    disabled = await google.exchange(google.assertion())
    await google.control("DELETE", f"/service-accounts/{ROBOT}")
    deleted = await google.exchange(google.assertion())

    assert refused(disabled, 401, "disabled_client", "The OAuth client was disabled.")
    assert refused(deleted, 400, "invalid_grant", "Invalid grant: account not found")


async def test_without_sub_the_token_is_the_service_accounts_own_and_opens_no_mailbox(
    google: Google,
) -> None:
    await google.service_account()
    token = (await google.exchange(google.assertion(sub=None))).body["access_token"]
    answer = await google.send(token)
    assert (answer.status, answer.reason) == (400, "failedPrecondition")


@pytest.mark.parametrize("kind", ["service_accounts", "robot"])
async def test_the_metadata_is_public_and_holds_the_very_certificate(
    google: Google, kind: str
) -> None:
    certificate = google.keys.certificate()
    kid = await google.service_account(certificate=certificate)
    answer = await google.ask("GET", f"/{kind}/v1/metadata/x509/{ROBOT}")
    assert answer.body == {kid: certificate}
    assert len(kid) == 40
    assert set(kid) <= set("0123456789abcdef")


async def test_the_metadata_of_an_unknown_service_account_is_not_found(google: Google) -> None:
    answer = await google.ask(
        "GET", "/service_accounts/v1/metadata/x509/nobody@x.iam.gserviceaccount.com"
    )
    assert answer.status == 404


async def test_a_tampered_payload_is_an_invalid_signature(google: Google) -> None:
    await google.service_account()
    header, payload, signature = google.assertion().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["sub"] = "boss@acme.example"
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    answer = await google.exchange(f"{header}.{changed}.{signature}")

    assert refused(answer, 400, "invalid_grant", "Invalid JWT Signature.")


@pytest.mark.parametrize(
    "kind", ["service_accounts/v1/jwk", "robot/v1/jwk", "service_accounts/v1/metadata/jwk"]
)
async def test_the_keys_are_public_as_json_web_keys_too(google: Google, kind: str) -> None:
    kid = await google.service_account()
    [shown] = (await google.ask("GET", f"/{kind}/{ROBOT}")).body["keys"]
    assert shown["kid"] == kid
    assert (
        jwt.decode(google.assertion(), jwt.PyJWK(shown), ["RS256"], audience=AUDIENCE)["iss"]
        == ROBOT
    )
    assert (await google.ask("GET", f"/{kind}/nobody@x.iam.gserviceaccount.com")).status == 404


async def test_a_disabled_key_is_listed_and_authenticates_again_once_it_is_enabled(
    google: Google,
) -> None:
    kid = await google.service_account()
    key = f"/service-accounts/{ROBOT}/keys/{kid}"
    await google.control("PUT", key, {"disabled": True})
    answer = await google.exchange(google.assertion(header={"kid": kid}))

    assert refused(answer, 400, "invalid_grant", "Invalid JWT Signature.")
    assert kid in (await google.ask("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}")).body

    await google.control("PUT", key, {"disabled": False})
    assert (await google.exchange(google.assertion())).status == 200


async def test_of_two_keys_the_one_that_is_enabled_will_do(google: Google) -> None:
    first = await google.service_account()
    await google.upload(google.keys.certificate(ends_in_days=300))
    await google.control("PUT", f"/service-accounts/{ROBOT}/keys/{first}", {"disabled": True})
    assert (await google.exchange(google.assertion(header={"kid": first}))).status == 200


async def test_no_delegation_reaches_a_consumer_account(google: Google) -> None:
    await google.service_account()
    await google.control("POST", "/accounts", {"email": "ada@gmail.com"})
    answer = await google.exchange(google.assertion(sub="ada@gmail.com"))
    assert (answer.status, answer.body["error"]) == (401, "unauthorized_client")
