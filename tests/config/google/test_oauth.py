"""The token protocol: what is posted, and what each of Google's answers means for whom.

google.md §3.4 and §4.4.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.crypt import RSASigner
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.google.oauth import (
    AUDIENCE,
    JWT_GRANT,
    Account,
    Granted,
    OAuthClient,
    assertion_form,
    code_form,
    consent_url,
    identity_form,
    read_account,
    read_answer,
    read_identity,
    refresh_form,
)
from certmail_config.google.token_error_table import MEANINGS, TABLE
from certmail_config.google.token_errors import Blame, Denied, GrantType, TokenError, find_row
from certmail_config.tenants.models import SEND_SCOPE

NOW = 1_800_000_000.75
ISSUER = "sender@acme-iga.iam.gserviceaccount.com"
MAILBOX = "reviews@acme.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOKEN = "ya29.a0AfB_secret"


def assertion(key_id: str | None = None, **more: Any) -> str:
    given: dict[str, Any] = {
        "issuer": ISSUER,
        "subject": MAILBOX,
        "scopes": frozenset({SEND_SCOPE}),
        "now": NOW,
    }
    form = assertion_form(RSASigner(KEY), key_id=key_id, **(given | more))
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == JWT_GRANT == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return form["assertion"]


def claims(text: str) -> dict[str, Any]:
    when: Any = {"verify_exp": False, "verify_iat": False}
    decoded: dict[str, Any] = jwt.decode(
        text, KEY.public_key(), algorithms=["RS256"], audience=AUDIENCE, options=when
    )
    return decoded


class TestAssertions:
    def test_an_assertion_says_who_asks_for_whom_and_what_and_another_library_verifies_it(
        self,
    ) -> None:
        assert claims(assertion()) == {
            "iss": ISSUER,
            "sub": MAILBOX,
            "scope": "https://www.googleapis.com/auth/gmail.send",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_800_000_000 - 30,
            "exp": 1_800_000_000 - 30 + 3600,
        }

    def test_several_scopes_are_one_text_always_in_the_same_order(self) -> None:
        assert claims(assertion(scopes=frozenset({"b", "c", "a"})))["scope"] == "a b c"

    def test_without_a_key_id_there_is_no_kid_since_none_is_invented(self) -> None:
        assert jwt.get_unverified_header(assertion()) == {"alg": "RS256", "typ": "JWT"}

    def test_a_known_key_id_is_named(self) -> None:
        assert jwt.get_unverified_header(assertion("0123abcd")) == {
            "alg": "RS256",
            "typ": "JWT",
            "kid": "0123abcd",
        }

    def test_it_is_a_compact_jws_in_ascii_that_holds_no_key(self) -> None:
        text = assertion("0123abcd")
        assert text.isascii()
        assert text.count(".") == 2
        header, payload, _ = text.split(".")
        assert {"jwk", "x5c", "x5u", "jku"}.isdisjoint(jwt.get_unverified_header(text))
        assert len(header) + len(payload) < 600


def id_token(**claims: Any) -> str:
    """Signed by somebody: whose signature it is does not count."""
    return jwt.encode(claims, KEY, "RS256")


class TestIdentity:
    def test_the_question_names_an_audience_instead_of_scope_and_subject(self) -> None:
        form = identity_form(
            RSASigner(KEY), key_id=None, issuer=ISSUER, audience="https://certmail.example", now=NOW
        )

        assert form.keys() == {"grant_type", "assertion"}
        assert form["grant_type"] == JWT_GRANT
        assert claims(form["assertion"]) == {
            "iss": ISSUER,
            "target_audience": "https://certmail.example",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_800_000_000 - 30,
            "exp": 1_800_000_000 - 30 + 3600,
        }

    @pytest.mark.parametrize(("key_id", "more"), [(None, {}), ("0123abcd", {"kid": "0123abcd"})])
    def test_its_key_id_is_named_once_it_is_known(
        self, key_id: str | None, more: dict[str, str]
    ) -> None:
        form = identity_form(RSASigner(KEY), key_id=key_id, issuer=ISSUER, audience="a", now=NOW)
        assert jwt.get_unverified_header(form["assertion"]) == {"alg": "RS256", "typ": "JWT"} | more

    def test_the_client_id_is_the_id_tokens_subject(self) -> None:
        token = id_token(sub="104857600000000000001", azp=ISSUER, email=ISSUER, aud="a")
        assert read_identity(json.dumps({"id_token": token}).encode()) == "104857600000000000001"

    @pytest.mark.parametrize(
        "sub",
        [
            None,
            5,
            "",
            "abc",
            ISSUER,
            "12a",
            "1 2",
            "12\n",
            "\u0663\u0664",
            "1" * 41,
            ["12"],
            {"a": 1},
        ],
    )
    def test_a_subject_that_is_no_client_id_is_none(self, sub: object) -> None:
        token = jwt.api_jws.encode(json.dumps({"sub": sub}).encode(), KEY, "RS256")
        assert read_identity(json.dumps({"id_token": token}).encode()) is None

    @pytest.mark.parametrize(
        "token",
        [None, 5, "", "x", "a.b.c", "..", "a.b.c.d", "\ud800", "ümlaut.b.c", ["a.b.c"], {"a": 1}, "e30.W10.", "e30.bnVsbA.", "W10.e30.", "e30.e30."],
    )  # fmt: skip
    def test_an_id_token_that_cannot_be_read_is_none(self, token: object) -> None:
        assert read_identity(json.dumps({"id_token": token}).encode()) is None

    @pytest.mark.parametrize(
        "answer",
        [b"", b"<!DOCTYPE html>", b"\xff\xfe\x00", b"{", b"null", b"5", b'"id_token"', b"[]", b"{}",
         b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}', pytest.param(b"[" * 100_000, id="deep")],
    )  # fmt: skip
    def test_an_answer_without_an_id_token_is_none(self, answer: bytes) -> None:
        assert read_identity(answer) is None

    def test_a_deep_id_token_is_none(self) -> None:
        deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
        assert read_identity(json.dumps({"id_token": f"e30.{deep}."}).encode()) is None

    @settings(deadline=None)
    @given(st.binary() | st.text().map(lambda text: json.dumps({"id_token": text}).encode()))
    def test_whatever_comes_it_is_a_number_or_none(self, answer: bytes) -> None:
        read = read_identity(answer)
        assert read is None or read.isdecimal()


class TestGranted:
    def test_a_token_comes_with_its_life_and_scopes(self) -> None:
        body = {
            "access_token": TOKEN,
            "expires_in": 3599,
            "token_type": "Bearer",
            "scope": f"openid {SEND_SCOPE}",
        }
        assert read_answer(200, json.dumps(body).encode()) == Granted(
            TOKEN, 3599.0, frozenset({"openid", SEND_SCOPE})
        )

    def test_a_service_accounts_answer_need_not_repeat_the_scope(self) -> None:
        answer = read_answer(200, json.dumps({"access_token": TOKEN, "expires_in": 3599}).encode())
        assert answer == Granted(TOKEN, 3599.0, frozenset())

    @pytest.mark.parametrize(
        ("claims", "sub"),
        [
            ({"iss": "https://accounts.google.com", "sub": "108"}, "108"),
            ({"iss": "accounts.google.com", "sub": "108"}, "108"),
            ({"iss": "https://accounts.evil.example", "sub": "108"}, None),
            ({"iss": "accounts.google.com"}, None),
            ({"iss": "accounts.google.com", "sub": 108}, None),
            ("no token", None),
            (None, None),
        ],
    )  # fmt: skip
    def test_the_id_token_that_comes_along_says_who_consented(
        self, claims: Any, sub: str | None
    ) -> None:
        token = (
            jwt.encode(claims, KEY, "RS256")
            if isinstance(claims, dict) and claims.get("sub") != 108
            else claims
        )
        answer = read_answer(
            200, json.dumps({"access_token": TOKEN, "expires_in": 3599, "id_token": token}).encode()
        )

        assert isinstance(answer, Granted)
        assert answer.sub == sub

    def test_a_token_is_shown_nowhere(self) -> None:
        granted = Granted(TOKEN, 3599.0, frozenset({SEND_SCOPE}))
        assert TOKEN not in f"{granted} {granted!r} {[granted]} {(granted,)}"
        assert "3599" in repr(granted)

    @pytest.mark.parametrize(
        "body",
        [
            {"access_token": TOKEN}, {"access_token": TOKEN, "expires_in": None}, {"access_token": TOKEN, "expires_in": "soon"},
            {"access_token": TOKEN, "expires_in": 0}, {"access_token": TOKEN, "expires_in": -5},
            {"access_token": TOKEN, "expires_in": float("nan")}, {"access_token": TOKEN, "expires_in": float("inf")},
            {"access_token": TOKEN, "expires_in": 1e300},
            {"expires_in": 3599}, {"access_token": "", "expires_in": 3599}, {"access_token": 5, "expires_in": 3599}, {},
        ],
    )  # fmt: skip
    def test_half_an_answer_is_no_token_and_asked_for_again(self, body: object) -> None:
        denied = read_answer(200, json.dumps(body).encode())
        assert isinstance(denied, Denied)
        assert (denied.blame, denied.code) == (Blame.NOBODY, "token_unavailable")
        assert TOKEN not in denied.message

    def test_a_token_with_another_status_is_not_believed(self) -> None:
        body = json.dumps({"access_token": TOKEN, "expires_in": 3599}).encode()
        assert isinstance(read_answer(400, body), Denied)


ASSERTION, OURS = [GrantType.ASSERTION], [GrantType.OUR_CLIENT]
BOTH = ASSERTION + OURS
SIGN_IN, SEEN = [GrantType.SIGN_IN], [GrantType.SEEN_KEY]
CUSTOMER, OPERATOR, NOBODY = Blame.CUSTOMER, Blame.OPERATOR, Blame.NOBODY
BY_EMAIL = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
SHORT_LIVED = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
ROWS = [
    # google.md §4.4, from top to bottom: a service account of the customer's
    (ASSERTION, 401, "unauthorized_client", "Unauthorized client or scope in request.", CUSTOMER, "delegation_missing", True),
    (ASSERTION, 401, "unauthorized_client", BY_EMAIL, CUSTOMER, "delegation_missing", True),
    (ASSERTION, 403, "access_denied", "Requested client not authorized", CUSTOMER, "delegation_missing", True),
    (ASSERTION, 403, "access_denied", "Account restricted", CUSTOMER, "delegation_missing", True),
    (ASSERTION, 400, "access_denied", "", CUSTOMER, "delegation_missing", True),
    (BOTH, 400, "admin_policy_enforced", "", CUSTOMER, "admin_policy", False),
    (ASSERTION, 400, "org_internal", "", CUSTOMER, "client_internal", False),
    (OURS, 400, "org_internal", "", OPERATOR, "client_internal", False),
    (ASSERTION, 400, "invalid_grant", "Invalid JWT Signature.", CUSTOMER, "key_unknown", True),
    (ASSERTION, 400, "invalid_grant", SHORT_LIVED, OPERATOR, "clock_wrong", False),
    (ASSERTION, 400, "invalid_grant", "Not a valid email or user ID.", CUSTOMER, "mailbox_unknown", False),
    (ASSERTION, 400, "invalid_grant", "Invalid email or User ID", CUSTOMER, "mailbox_unknown", False),
    (ASSERTION, 400, "invalid_grant", "The account has been deleted", CUSTOMER, "mailbox_unknown", False),
    (ASSERTION, 400, "invalid_grant", "Invalid grant: account not found", CUSTOMER, "service_account_unknown", False),
    (ASSERTION, 400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer", CUSTOMER, "service_account_unknown", True),
    (ASSERTION, 400, "invalid_request", 'Invalid impersonation "sub" field.', CUSTOMER, "mailbox_unknown", False),
    (ASSERTION, 400, "invalid_request", "Invalid impersonation prn email address.", CUSTOMER, "mailbox_unknown", False),
    (ASSERTION, 401, "invalid_client", "The OAuth client was not found.", CUSTOMER, "client_invalid", False),
    (ASSERTION, 401, "deleted_client", "The OAuth client was deleted.", CUSTOMER, "client_deleted", False),
    (ASSERTION, 401, "disabled_client", "The OAuth client was disabled.", CUSTOMER, "client_disabled", False),
    (BOTH, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.", OPERATOR, "request_wrong", False),
    (BOTH, 400, "internal_failure", "Backend Error", NOBODY, "token_unavailable", False),
    # google.md §3.4: our own client's refresh token or code
    (BOTH, 400, "invalid_grant", "Token has been expired or revoked.", CUSTOMER, "grant_revoked", False),
    (BOTH, 400, "invalid_grant", "Bad Request", CUSTOMER, "grant_revoked", False),
    (BOTH, 400, "invalid_grant", "", CUSTOMER, "grant_revoked", False),
    (OURS, 401, "invalid_client", "The OAuth client was not found.", OPERATOR, "client_refused", False),
    (OURS, 401, "deleted_client", "The OAuth client was deleted.", OPERATOR, "client_refused", False),
    (OURS, 401, "disabled_client", "The OAuth client was disabled.", OPERATOR, "client_refused", False),
    (OURS, 401, "unauthorized_client", "Unauthorized", OPERATOR, "client_refused", False),
    (OURS, 403, "access_denied", "", CUSTOMER, "admin_policy", False),
    (BOTH, 400, "invalid_request", "Missing required parameter: grant_type", OPERATOR, "request_wrong", False),
    (BOTH, 400, "unsupported_grant_type", "Invalid grant_type: password", OPERATOR, "request_wrong", False),
    (BOTH, 400, "server_error", "", NOBODY, "token_unavailable", False),
    (BOTH, 400, "temporarily_unavailable", "", NOBODY, "token_unavailable", False),
    (BOTH, 408, "invalid_grant", "", NOBODY, "token_unavailable", False),
    (BOTH, 429, "rate_limit_exceeded", "Too many requests", NOBODY, "token_unavailable", False),
    (BOTH, 500, "invalid_grant", "Backend Error", NOBODY, "token_unavailable", False),
    (BOTH, 503, "internal_failure", "", NOBODY, "token_unavailable", False),
    # a code, just now: nothing was withdrawn
    (SIGN_IN, 400, "invalid_grant", "Malformed auth code.", CUSTOMER, "sign_in_refused", False),
    (SIGN_IN, 400, "invalid_grant", "Bad Request", CUSTOMER, "sign_in_refused", False),
    (SIGN_IN, 400, "redirect_uri_mismatch", "Bad Request", OPERATOR, "callback_wrong", False),
    (SIGN_IN, 401, "invalid_client", "The OAuth client was not found.", OPERATOR, "client_refused", False),
    (SIGN_IN, 400, "admin_policy_enforced", "", CUSTOMER, "admin_policy", False),
    (SIGN_IN, 503, "internal_failure", "", NOBODY, "token_unavailable", False),
    # a key that Google lists: whatever is wrong with it, it was uploaded
    (SEEN, 400, "invalid_grant", "Invalid JWT Signature.", CUSTOMER, "key_unknown", True),
    (SEEN, 400, "invalid_grant", "Not a valid email or user ID.", CUSTOMER, "mailbox_unknown", False),
    (SEEN, 401, "unauthorized_client", BY_EMAIL, CUSTOMER, "delegation_missing", True),
    # what nobody has documented
    (BOTH, 400, "error_of_the_future", "Something new.", OPERATOR, "token_refused", False),
]  # fmt: skip


def body(error: object, description: object = "", **more: object) -> bytes:
    return json.dumps({"error": error, "error_description": description} | more).encode()


def test_a_key_that_google_lists_is_not_to_be_uploaded_again() -> None:
    refusal = body("invalid_grant", "Invalid JWT Signature.")
    seen = read_answer(400, refusal, GrantType.SEEN_KEY)
    assert isinstance(seen, Denied)
    assert "upload" not in f"{seen.message} {seen.remedy}".lower()
    assert "Google lists the certificate" in seen.message


CLIENT = OAuthClient("123.apps.googleusercontent.com", "GOCSPX-secret")


class TestOurOwnClient:
    def test_the_consent_page_is_asked_for_a_refresh_token_with_state_and_pkce(self) -> None:
        url = consent_url(
            "https://accounts.google.com/auth",
            CLIENT,
            redirect_uri="https://iga.example/cb?x=1",
            state="s&1",
            verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        )

        page, _, query = url.partition("?")
        scopes = "https://www.googleapis.com/auth/"
        assert page == "https://accounts.google.com/auth"
        assert parse_qs(query, strict_parsing=True) == {
            "client_id": [CLIENT.id],
            "redirect_uri": ["https://iga.example/cb?x=1"],
            "response_type": ["code"],
            "scope": [f"{scopes}userinfo.email {scopes}userinfo.profile {scopes}gmail.send"],
            "access_type": ["offline"],
            "prompt": ["consent"],
            "state": ["s&1"],
            # The example of RFC 7636, appendix B.
            "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
            "code_challenge_method": ["S256"],
        }

        assert CLIENT.secret not in url

    def test_a_code_is_exchanged_with_its_verifier(self) -> None:
        assert code_form(
            CLIENT, code="4/0Ab", redirect_uri="https://iga.example/cb", verifier="v"
        ) == {
            "grant_type": "authorization_code",
            "client_id": CLIENT.id,
            "client_secret": CLIENT.secret,
            "code": "4/0Ab",
            "redirect_uri": "https://iga.example/cb",
            "code_verifier": "v",
        }

    def test_a_refresh_token_is_presented_with_the_client_it_was_given_to(self) -> None:
        assert refresh_form(CLIENT, "1//0g") == {
            "grant_type": "refresh_token",
            "client_id": CLIENT.id,
            "client_secret": CLIENT.secret,
            "refresh_token": "1//0g",
        }

    def test_the_clients_secret_is_shown_nowhere(self) -> None:
        assert CLIENT.secret not in f"{CLIENT} {CLIENT!r}"

    def test_a_refresh_token_is_read_where_there_is_one_and_shown_nowhere(self) -> None:
        value = {"access_token": TOKEN, "expires_in": 3599, "refresh_token": "1//0g-secret"}
        granted = read_answer(200, json.dumps(value).encode(), GrantType.OUR_CLIENT)
        assert isinstance(granted, Granted)
        assert granted.refresh_token == "1//0g-secret"
        assert "1//0g" not in repr(granted)

    def test_an_account_is_known_by_its_sub_and_a_verified_address(self) -> None:
        value = {"sub": "1100", "email": MAILBOX, "email_verified": True, "name": "Reviews"}
        assert read_account(json.dumps(value).encode()) == Account("1100", MAILBOX)

    @pytest.mark.parametrize(
        ("email", "kept"),
        [
            ("Reviews@BÜCHER.example", "Reviews@xn--bcher-kva.example"), ("müller@acme.example", ""), ("a@b.example\r\nBcc: x@y.example", ""),
            ("<b>@acme.example", ""), ("", ""), ("a" * 400 + "@acme.example", ""), ("\ud800@acme.example", ""),
        ],
    )  # fmt: skip
    def test_an_address_is_kept_as_it_travels_or_not_at_all(self, email: str, kept: str) -> None:
        account = read_account(
            json.dumps({"sub": "1", "email": email, "email_verified": True}).encode()
        )
        assert account is not None
        assert account.email == kept
        assert bool(account.unusable) == (not kept)
        assert "\n" not in account.unusable

    @pytest.mark.parametrize(
        "answer",
        [
            {"sub": "1100", "email": MAILBOX}, {"sub": "1100", "email": MAILBOX, "email_verified": False},
            {"sub": 1100, "email": MAILBOX, "email_verified": True}, {"email": MAILBOX, "email_verified": True},
            {"sub": "1100", "email_verified": True}, {"sub": "1100", "email": None, "email_verified": True}, [], None, "x", {},
            {"sub": "1100", "email": MAILBOX, "email_verified": ["true"]},
        ],
    )  # fmt: skip
    def test_any_other_userinfo_is_no_account(self, answer: object) -> None:
        assert read_account(json.dumps(answer).encode()) is None

    @pytest.mark.parametrize(
        "answer", [b"", b"<html>", b"\xff", pytest.param(b"[" * 100_000, id="deep")]
    )
    def test_nor_is_what_is_not_json(self, answer: bytes) -> None:
        assert read_account(answer) is None


class TestDenied:
    @pytest.mark.parametrize(
        ("grants", "status", "error", "description", "blame", "code", "settling"), ROWS
    )
    def test_each_error_is_put_to_whoever_can_do_something_about_it(
        self,
        grants: list[GrantType],
        status: int,
        error: str,
        description: str,
        blame: Blame,
        code: str,
        settling: bool,
    ) -> None:
        for grant in grants:
            denied = read_answer(status, body(error, description), grant)
            assert isinstance(denied, Denied)
            assert (denied.blame, denied.code, denied.settling) == (blame, code, settling)
            assert error in denied.message or blame is NOBODY, (
                "Google's own words are what will be searched for"
            )
            assert description in denied.message
            assert denied.remedy

    def test_every_row_of_the_table_decides_for_each_grant_that_it_names(self) -> None:
        decided = {
            (find_row(TokenError(400, row.error, row.words, ""), grant), grant)
            for row in TABLE
            for grant in row.grants
        }
        assert decided == {(row, grant) for row in TABLE for grant in row.grants}

    def test_every_row_has_a_meaning_and_every_meaning_a_row(self) -> None:
        assert {row.meaning for row in TABLE} == set(MEANINGS)

    def test_every_error_is_told_apart_by_whose_client_it_was(self) -> None:
        documented = {error for grants, _, error, *_ in ROWS if not {*grants}.isdisjoint(BOTH)}
        for grant in BOTH:
            assert documented == {error for grants, _, error, *_ in ROWS if grant in grants}

    def test_addresses_in_googles_words_are_left_out_since_messages_end_up_in_redis_and_logs(
        self,
    ) -> None:
        denied = read_answer(400, body("invalid_grant", f"Not a valid email: {MAILBOX}"))
        assert isinstance(denied, Denied)
        assert MAILBOX not in denied.message
        assert denied.code == "mailbox_unknown"

    @pytest.mark.parametrize("subtype", ["invalid_rapt", "rapt_required"])
    @pytest.mark.parametrize(
        "description", ["", "Bad Request", "reauth related error (invalid_rapt)"]
    )
    def test_an_ended_session_is_told_apart_with_what_the_domains_administrator_does_for_good(
        self, subtype: str, description: str
    ) -> None:
        refusal = body("invalid_grant", description, error_subtype=subtype)
        denied = read_answer(400, refusal, GrantType.OUR_CLIENT)
        assert isinstance(denied, Denied)
        assert (denied.blame, denied.code) == (CUSTOMER, "session_ended")
        assert denied.message.endswith(subtype)
        assert "session control" in denied.remedy

    def test_a_grant_that_ended_says_what_ends_one_every_seven_days(self) -> None:
        refusal = body("invalid_grant", "Token has been expired or revoked.")
        denied = read_answer(400, refusal, GrantType.OUR_CLIENT)
        assert isinstance(denied, Denied)
        assert "In production" in denied.remedy

    def test_a_missing_delegation_is_explained_with_the_scope_and_the_numeric_id(self) -> None:
        denied = read_answer(401, body("unauthorized_client", BY_EMAIL))
        assert isinstance(denied, Denied)
        assert SEND_SCOPE in denied.remedy
        assert "numeric client ID" in denied.remedy

    @pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504])
    @pytest.mark.parametrize(
        "answer",
        [b"", b"<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>", b"upstream connect error", b"\xff\xfe\x00", b"{", b"null",
         b'{"error": {"code": 403, "message": "of another dialect"}}', b'{"error_description": "alone"}', pytest.param(b"[" * 100_000, id="deep")],
    )  # fmt: skip
    def test_an_answer_without_a_reason_is_googles_trouble_or_somebody_elses_answer(
        self, status: int, answer: bytes
    ) -> None:
        denied = read_answer(status, answer)
        assert isinstance(denied, Denied)
        trouble = status in {408, 429} or status >= 500 or answer.startswith(b'{"')
        expected = (NOBODY, "token_unavailable") if trouble else (OPERATOR, "not_google")

        assert (denied.blame, denied.code, denied.settling) == (*expected, False)
        assert f"HTTP {status}" in denied.message
        assert trouble or (
            "a proxy or firewall?" in denied.message
            and "CERTMAIL_GOOGLE_TOKEN_URL" in denied.remedy
        )

    @pytest.mark.parametrize("answer", [b"[]", b"null", b'"x"', b"5", b"<html>Welcome</html>"])
    def test_a_200_that_is_no_document_is_not_googles(self, answer: bytes) -> None:
        denied = read_answer(200, answer)
        assert isinstance(denied, Denied)
        assert (denied.blame, denied.code) == (OPERATOR, "not_google")

    @pytest.mark.parametrize("status", [400, 403, 429])
    def test_too_many_requests_hold_whoever_asks_for_the_same_project(self, status: int) -> None:
        denied = read_answer(status, body("rate_limit_exceeded", "Rate limit exceeded"))
        assert isinstance(denied, Denied)
        assert (denied.blame, denied.code, denied.limited) == (NOBODY, "token_unavailable", True)
        assert "too many requests" in denied.message

    @pytest.mark.parametrize("description", [None, 5, ["x"], {"a": 1}])
    def test_a_description_of_another_type_does_no_harm(self, description: object) -> None:
        denied = read_answer(400, body("invalid_grant", description))
        assert isinstance(denied, Denied)
        assert denied.code == "grant_revoked"

    @settings(deadline=None)
    @given(
        st.integers(100, 599),
        st.dictionaries(
            st.sampled_from(["error", "error_description", "error_subtype", "access_token", "expires_in", "scope"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
        ).map(lambda value: json.dumps(value).encode())
        | st.binary(),
    )  # fmt: skip
    def test_every_answer_is_a_token_or_somebodys_turn(self, status: int, answer: bytes) -> None:
        read = read_answer(status, answer)
        if isinstance(read, Granted):
            assert status == 200
            assert read.access_token
            assert 0 < read.expires_in < 1e9
        else:
            assert read.code
            assert read.message
            assert read.remedy
