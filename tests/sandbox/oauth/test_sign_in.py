"""Consent, code, tokens, userinfo and revocation, google.md §3."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

AUTH = "https://www.googleapis.com/auth/"
SEND = AUTH + "gmail.send"
ALL = f"{AUTH}userinfo.email {AUTH}userinfo.profile {SEND}"
REDIRECT = "http://localhost:9000/oauth/google/callback"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
MAILBOX = "reminders@acme.example"


def request_for(client: Any, **changes: str | None) -> dict[str, str]:
    """The query of an authorization request as certmail would send it."""
    query = {
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": ALL,
        "state": "st4te",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "access_type": "offline",
        "prompt": "consent",
    } | changes

    return {name: value for name, value in query.items() if value is not None}


async def decide(google: Google, query: dict[str, str], **form: Any) -> Answer:
    form = {"account": MAILBOX, "scope": query["scope"].split(), "decision": "allow"} | form
    pairs = [
        (k, v)
        for k, values in form.items()
        for v in (values if isinstance(values, list) else [values])
    ]
    return await google.ask("POST", "/o/oauth2/v2/auth", params=query, data=pairs)


def returned(answer: Answer) -> dict[str, str]:
    """What the application gets to see at its redirect URI."""
    assert answer.status == 302, answer.body
    assert answer.headers["Location"].startswith(REDIRECT + "?")
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def exchange(google: Google, client: Any, given: str, **changes: str | None) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "code": given,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    } | changes
    return await google.ask("POST", "/token", data={k: v for k, v in form.items() if v is not None})


async def refresh(google: Google, client: Any, token: str, **changes: str) -> Answer:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    }
    return await google.ask("POST", "/token", data=form | changes)


async def linked(google: Google, client: Any, **changes: str | None) -> Any:
    """The token answer of a whole flow."""
    code = returned(await decide(google, request_for(client, **changes)))["code"]
    answer = await exchange(google, client, code)
    assert answer.status == 200, answer.body
    return answer.body


def error_of(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.body["error"], answer.body["error_description"]


class Form(HTMLParser):
    """The consent form as a program would read it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.inputs: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self.action = dict(attrs)["action"] or ""
        if tag == "input":
            self.inputs.append(dict(attrs))

    def values(self, name: str) -> list[str | None]:
        return [field["value"] for field in self.inputs if field["name"] == name]


async def test_the_screen_is_a_form_that_a_program_can_submit(google: Google) -> None:
    client = await google.client(name="Reviews <b>now</b>")
    answer = await google.ask("GET", "/o/oauth2/v2/auth", params=request_for(client))
    assert "Reviews &lt;b&gt;now&lt;/b&gt;" in answer.body

    form = Form(answer.body)
    assert form.values("account") == [MAILBOX]
    assert form.values("scope") == [SEND]

    allowed = {"account": MAILBOX, "scope": SEND, "decision": "allow"}
    back = returned(await google.ask("POST", form.action, data=allowed))
    assert back["state"] == "st4te"
    assert back["iss"] == "https://accounts.google.com"
    assert set(back["scope"].split()) == {*ALL.split(), "openid"}
    assert (await exchange(google, client, back["code"])).status == 200


@pytest.mark.parametrize("hint", ["second@acme.example", "208"])
async def test_a_login_hint_chooses_the_account_by_address_or_sub(
    google: Google, hint: str
) -> None:
    client = await google.client()
    await google.control("POST", "/accounts", {"email": "second@acme.example", "sub": "208"})
    query = request_for(client, login_hint=hint)
    form = Form((await google.ask("GET", "/o/oauth2/v2/auth", params=query)).body)
    assert form.values("account") == ["second@acme.example"]


async def test_the_code_buys_access_refresh_and_id_tokens(google: Google) -> None:
    client = await google.client()
    tokens = await linked(google, client, nonce="n0nce")
    assert tokens["expires_in"] == 3599
    assert tokens["token_type"] == "Bearer"

    certs = (await google.ask("GET", "/oauth2/v3/certs")).body
    key = jwt.PyJWKSet.from_dict(certs)[jwt.get_unverified_header(tokens["id_token"])["kid"]]
    claims = jwt.decode(tokens["id_token"], key, ["RS256"], audience=client["client_id"])
    assert claims["iss"] == "https://accounts.google.com"
    assert (claims["sub"], claims["email"], claims["nonce"]) == ("108", MAILBOX, "n0nce")
    assert (await google.send(tokens["access_token"])).status == 200


async def test_a_person_may_tick_only_some_scopes(google: Google) -> None:
    client = await google.client()
    back = returned(await decide(google, request_for(client), scope=[]))
    assert SEND not in back["scope"]

    tokens = (await exchange(google, client, back["code"])).body
    assert set(tokens["scope"].split()) == {
        "openid",
        AUTH + "userinfo.email",
        AUTH + "userinfo.profile",
    }

    refused = await google.send(tokens["access_token"])
    assert (refused.status, refused.reason) == (403, "insufficientPermissions")


async def test_a_scope_that_was_not_asked_for_cannot_be_ticked(google: Google) -> None:
    client = await google.client()
    back = returned(
        await decide(google, request_for(client), scope=[SEND, "https://mail.google.com/"])
    )
    assert "https://mail.google.com/" not in back["scope"]


async def test_saying_no_sends_the_browser_back_with_access_denied(google: Google) -> None:
    client = await google.client()
    back = returned(await decide(google, request_for(client), decision="deny"))
    assert back == {
        "error": "access_denied",
        "state": "st4te",
        "iss": "https://accounts.google.com",
    }


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": None}, 400, "invalid_request"),
        ({"redirect_uri": REDIRECT + "/"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": REDIRECT.upper()}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"response_type": None}, 400, "invalid_request"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"scope": None}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"access_type": "sometimes"}, 400, "invalid_request"),
        ({"prompt": "shout"}, 400, "invalid_request"),
        ({"code_challenge": "short"}, 400, "invalid_request"),
        ({"code_challenge_method": "S512"}, 400, "invalid_request"),
    ],
)
async def test_a_request_that_is_not_in_order_stops_on_googles_page(
    google: Google, changes: dict[str, str | None], status: int, error: str
) -> None:
    client = await google.client()
    query = request_for(client, **changes)
    answer = await google.ask("GET", "/o/oauth2/v2/auth", params=query)
    assert answer.status == status
    assert f"Error {status}: {error}" in answer.body

    decided = await decide(google, {"scope": ""} | query)
    assert decided.status == status


async def test_a_deleted_client_is_refused_everywhere(google: Google) -> None:
    client = await google.client()
    tokens = await linked(google, client)
    await google.control("DELETE", f"/oauth-clients/{client['client_id']}")
    screen = await google.ask("GET", "/o/oauth2/v2/auth", params=request_for(client))
    assert "deleted_client" in screen.body

    answer = await refresh(google, client, tokens["refresh_token"])
    assert error_of(answer) == (401, "deleted_client", "The OAuth client was deleted.")


async def test_a_code_is_good_once(google: Google) -> None:
    client = await google.client()
    code = returned(await decide(google, request_for(client)))["code"]
    assert (await exchange(google, client, code)).status == 200
    assert error_of(await exchange(google, client, code))[:2] == (400, "invalid_grant")


async def test_a_code_is_good_for_ten_minutes(google: Google) -> None:
    client = await google.client()
    code = returned(await decide(google, request_for(client)))["code"]
    google.clock.ahead = 601
    assert error_of(await exchange(google, client, code))[:2] == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "status", "error", "description"),
    [
        ({"code_verifier": "w" * 64}, 400, "invalid_grant", "Invalid code verifier."),
        ({"code_verifier": CHALLENGE}, 400, "invalid_grant", "Invalid code verifier."),
        ({"code_verifier": None}, 400, "invalid_grant", "Missing code verifier."),
        ({"redirect_uri": "http://localhost:9000/"}, 400, "redirect_uri_mismatch", "Bad Request"),
        ({"redirect_uri": None}, 400, "redirect_uri_mismatch", "Bad Request"),
        (
            {"client_secret": "guess"},
            401,
            "invalid_client",
            "The provided client secret is invalid.",
        ),
        ({"client_secret": None}, 400, "invalid_request", "client_secret is missing."),
        ({"client_id": "nobody"}, 401, "invalid_client", "The OAuth client was not found."),
        ({"code": "4/0Amadeup"}, 400, "invalid_grant", "Malformed auth code."),
        ({"code": None}, 400, "invalid_request", "Missing required parameter: code"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "Invalid grant_type: password"),
        ({"grant_type": None}, 400, "invalid_request", "Missing required parameter: grant_type"),
    ],
)
async def test_each_refusal_of_an_exchange_is_a_string_with_a_description(
    google: Google, changes: dict[str, str | None], status: int, error: str, description: str
) -> None:
    client = await google.client()
    code = returned(await decide(google, request_for(client)))["code"]
    answer = await exchange(google, client, code, **changes)
    assert error_of(answer) == (status, error, description)


async def test_a_code_belongs_to_the_client_that_asked_for_it(google: Google) -> None:
    client, other = await google.client(), await google.client()
    code = returned(await decide(google, request_for(client)))["code"]
    assert error_of(await exchange(google, other, code))[:2] == (400, "invalid_grant")


async def test_the_client_may_show_its_secret_by_basic_authentication(google: Google) -> None:
    client = await google.client()
    code = returned(await decide(google, request_for(client)))["code"]
    pair = f"{client['client_id']}:{client['client_secret']}".encode()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }

    headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    assert (await google.ask("POST", "/token", data=form, headers=headers)).status == 200


async def test_pkce_is_optional_but_then_there_is_no_verifier(google: Google) -> None:
    client = await google.client()
    query = request_for(client, code_challenge=None, code_challenge_method=None)
    code = returned(await decide(google, query))["code"]
    assert (await exchange(google, client, code, code_verifier=None)).status == 200
    code = returned(await decide(google, query))["code"]
    assert error_of(await exchange(google, client, code))[1] == "invalid_grant"


async def test_a_refresh_token_comes_with_offline_access_on_first_or_renewed_consent_only(
    google: Google,
) -> None:
    client = await google.client()
    assert "refresh_token" not in await linked(google, client, access_type="online")
    assert "refresh_token" not in await linked(google, client, prompt=None)
    assert "refresh_token" in await linked(google, client)
    other = await google.client()
    assert "refresh_token" in await linked(google, other, prompt=None)


async def test_refreshing_gives_a_new_access_token_and_keeps_the_refresh_token(
    google: Google,
) -> None:
    client = await google.client()
    tokens = await linked(google, client)
    google.clock.ahead = 3600
    assert (await google.send(tokens["access_token"])).status == 401

    answer = await refresh(google, client, tokens["refresh_token"])
    assert answer.status == 200
    assert "refresh_token" not in answer.body
    assert (await google.send(answer.body["access_token"])).status == 200


async def test_the_hundred_and_first_refresh_token_drops_the_oldest(google: Google) -> None:
    client = await google.client()
    tokens = [(await linked(google, client))["refresh_token"] for _ in range(101)]
    dropped = await refresh(google, client, tokens[0])
    assert error_of(dropped) == (400, "invalid_grant", "Token has been expired or revoked.")
    assert (await refresh(google, client, tokens[1])).status == 200


async def test_a_refresh_token_belongs_to_its_client(google: Google) -> None:
    client, other = await google.client(), await google.client()
    token = (await linked(google, client))["refresh_token"]
    assert error_of(await refresh(google, other, token))[:2] == (401, "unauthorized_client")


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_both(google: Google, which: str) -> None:
    client = await google.client()
    tokens = await linked(google, client)
    assert (await google.ask("POST", "/revoke", data={"token": tokens[which]})).status == 200
    assert (await google.send(tokens["access_token"])).status == 401
    assert (await refresh(google, client, tokens["refresh_token"])).status == 400

    again = await google.ask("POST", "/revoke", data={"token": tokens[which]})
    assert (again.status, again.body["error"]) == (400, "invalid_token")


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_a_token_ends_all_that_the_person_granted_the_client(
    google: Google, which: str
) -> None:
    client, other_client = await google.client(), await google.client()
    first, second = await linked(google, client), await linked(google, client)
    elsewhere = await linked(google, other_client)
    code = returned(await decide(google, request_for(client)))["code"]

    assert (await google.ask("POST", "/revoke", data={"token": second[which]})).status == 200
    for tokens in (first, second):
        assert (await google.send(tokens["access_token"])).status == 401
        assert (
            error_of(await refresh(google, client, tokens["refresh_token"]))[1] == "invalid_grant"
        )
    assert error_of(await exchange(google, client, code))[1] == "invalid_grant"
    assert (await google.send(elsewhere["access_token"])).status == 200
    assert (await refresh(google, other_client, elsewhere["refresh_token"])).status == 200


async def test_withdrawn_access_ends_every_token_of_the_person(google: Google) -> None:
    client = await google.client()
    tokens = await linked(google, client)
    await google.control("DELETE", f"/accounts/{MAILBOX}/tokens")
    assert error_of(await refresh(google, client, tokens["refresh_token"]))[1] == "invalid_grant"
    assert (await google.send(tokens["access_token"])).status == 401


async def test_userinfo_says_what_the_scopes_open(google: Google) -> None:
    client = await google.client()
    bearer = google.bearer((await linked(google, client))["access_token"])
    assert (await google.ask("GET", "/v1/userinfo", headers=bearer)).body == {
        "sub": "108",
        "hd": "acme.example",
        "email": MAILBOX,
        "email_verified": True,
        "name": "Acme Reminders",
        "given_name": "Acme",
        "family_name": "Reminders",
    }

    older = (await google.ask("GET", "/oauth2/v2/userinfo", headers=bearer)).body
    assert (older["id"], older["verified_email"]) == ("108", True)
    assert (
        await google.ask("GET", "/v1/userinfo", headers=google.bearer("no"))
    ).reason == "authError"
    assert (await google.ask("GET", "/v1/userinfo")).reason == "required"


async def test_tokeninfo_says_scopes_and_seconds_left(google: Google) -> None:
    client = await google.client()
    token = (await linked(google, client))["access_token"]
    google.clock.ahead = 1000
    info = (await google.ask("GET", "/tokeninfo", params={"access_token": token})).body

    assert SEND in info["scope"].split()
    assert re.fullmatch(r"25\d\d", info["expires_in"])
    assert (info["aud"], info["email"]) == (client["client_id"], MAILBOX)

    unknown = await google.ask("GET", "/tokeninfo", params={"access_token": "no"})
    assert error_of(unknown) == (400, "invalid_token", "Invalid Value")


async def test_prompt_none_never_asks(google: Google) -> None:
    client = await google.client()
    silent = request_for(client, prompt="none", login_hint=MAILBOX)
    before = await google.ask("GET", "/o/oauth2/v2/auth", params=silent)
    assert returned(before)["error"] == "interaction_required"

    await linked(google, client)
    after = await google.ask("GET", "/o/oauth2/v2/auth", params=silent)
    assert (await exchange(google, client, returned(after)["code"])).status == 200


async def test_an_identity_grant_always_holds_openid(google: Google) -> None:
    client = await google.client()
    tokens = await linked(google, client, scope="email profile")
    assert set(tokens["scope"].split()) == {
        "openid",
        AUTH + "userinfo.email",
        AUTH + "userinfo.profile",
    }


async def test_a_code_that_comes_again_ends_what_it_gave(google: Google) -> None:
    client = await google.client()
    code = returned(await decide(google, request_for(client)))["code"]
    tokens = (await exchange(google, client, code)).body
    assert (await exchange(google, client, code)).status == 400
    assert (await google.send(tokens["access_token"])).status == 401
    assert (await refresh(google, client, tokens["refresh_token"])).status == 400


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
async def test_the_token_endpoint_reads_forms_and_json_and_nothing_else(
    google: Google, kind: str
) -> None:
    client = await google.client()
    form = {
        "grant_type": "refresh_token",
        "refresh_token": (await linked(google, client))["refresh_token"],
    }
    form |= {name: client[name] for name in ("client_id", "client_secret")}
    body = urlencode(form).encode()
    refused = await google.ask("POST", "/token", data=body, headers={"Content-Type": kind})
    assert error_of(refused)[:2] == (400, "invalid_request")

    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await google.ask("POST", "/token", data=body, headers=form_type)).status == 200
    assert (await google.ask("POST", "/token", json=form)).status == 200


async def test_no_parameter_stands_twice(google: Google) -> None:
    client = await google.client()
    message = "OAuth 2 parameters can only have a single value: client_id"
    query = [*request_for(client).items(), ("client_id", client["client_id"])]
    page = await google.ask("GET", "/o/oauth2/v2/auth", params=query)

    assert page.status == 400
    assert message in page.body

    form = [("grant_type", "refresh_token"), ("refresh_token", "x")] + 2 * [
        ("client_id", client["client_id"])
    ]
    assert error_of(await google.ask("POST", "/token", data=form)) == (
        400,
        "invalid_request",
        message,
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_tokeninfo_takes_a_bearer_as_googles_node_client_sends_it(
    google: Google, method: str
) -> None:
    client = await google.client()
    token = (await linked(google, client))["access_token"]
    info = await google.ask(method, "/tokeninfo", headers=google.bearer(token))
    assert (info.status, info.body["email"], info.body["aud"]) == (
        200,
        MAILBOX,
        client["client_id"],
    )

    refused = await google.ask(method, "/tokeninfo", headers=google.bearer("no"))
    assert error_of(refused) == (400, "invalid_token", "Invalid Value")
    assert error_of(await google.ask(method, "/tokeninfo"))[:2] == (400, "invalid_request")


async def test_tokeninfo_reads_an_id_token_until_it_expires(google: Google) -> None:
    client = await google.client()
    given = (await linked(google, client, nonce="n0nce"))["id_token"]
    info = (await google.ask("GET", "/tokeninfo", params={"id_token": given})).body
    assert (info["sub"], info["email"], info["email_verified"], info["nonce"]) == (
        "108",
        MAILBOX,
        "true",
        "n0nce",
    )
    assert (info["aud"], info["alg"], info["typ"]) == (client["client_id"], "RS256", "JWT")
    assert all(isinstance(value, str) for value in info.values())

    head, payload, signature = given.split(".")
    forged = f"{head}.{payload}.{signature[:-8]}AAAAAAAA"

    for bad in (forged, "no", f"{head}.{payload}."):
        refused = await google.ask("GET", "/tokeninfo", params={"id_token": bad})
        assert error_of(refused) == (400, "invalid_token", "Invalid Value")

    google.clock.ahead = 3601
    assert (await google.ask("GET", "/tokeninfo", params={"id_token": given})).status == 400


async def test_the_discovery_document_leads_to_every_endpoint(google: Google) -> None:
    found = (await google.ask("GET", "/.well-known/openid-configuration")).body
    assert found["issuer"] == "https://accounts.google.com"
    assert found["code_challenge_methods_supported"] == ["plain", "S256"]

    addresses = {
        name: url.removeprefix(google.url)
        for name, url in found.items()
        if name.endswith(("_endpoint", "_uri"))
    }
    assert addresses == {
        "authorization_endpoint": "/o/oauth2/v2/auth",
        "token_endpoint": "/token",
        "userinfo_endpoint": "/v1/userinfo",
        "revocation_endpoint": "/revoke",
        "jwks_uri": "/oauth2/v3/certs",
    }


async def test_who_has_an_account_of_ones_own_has_no_hosted_domain(google: Google) -> None:
    client = await google.client()
    for changes, hosted, verified in (
        ({}, "acme.example", True),
        ({"workspace": False}, None, True),
        ({"workspace": True, "verified": False}, "acme.example", False),
    ):
        await google.control("POST", "/accounts", {"email": MAILBOX, "sub": "108"} | changes)
        given = (await linked(google, client))["id_token"]
        claims = jwt.decode(given, options={"verify_signature": False})
        assert (claims.get("hd"), claims["email_verified"]) == (hosted, verified)


async def test_a_domain_that_is_named_keeps_others_off_the_page_and_not_out(google: Google) -> None:
    client = await google.client()
    stranger = "somebody@globex.example"
    await google.control("POST", "/accounts", {"email": MAILBOX, "sub": "108"})
    await google.control("POST", "/accounts", {"email": stranger, "sub": "109"})
    query = request_for(client, hd="acme.example")
    page = await google.ask("GET", "/o/oauth2/v2/auth", params=query)
    assert (MAILBOX in page.body, stranger in page.body) == (True, False)

    code = returned(await decide(google, query, account=stranger))["code"]
    given = (await exchange(google, client, code)).body["id_token"]
    assert jwt.decode(given, options={"verify_signature": False})["hd"] == "globex.example"
