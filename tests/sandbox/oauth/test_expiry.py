"""Permissions that end, or cannot be given, although nobody withdrew anything.

google.md §3.1, §3.4, §4.4.
"""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.oauth.test_sign_in import (
    ALL,
    AUTH,
    MAILBOX,
    SEND,
    decide,
    error_of,
    exchange,
    linked,
    refresh,
    request_for,
    returned,
)

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

DAY = 86_400
ENDED = (400, "invalid_grant", "Token has been expired or revoked.")


async def let_pass(google: Google, days: float) -> None:
    await google.control("POST", "/clock", {"advance": days * DAY})


async def being_tested(google: Google, *users: str) -> Any:
    """A client whose consent screen has the publishing status Testing."""
    client = await google.client()
    rules = {"testing": True, "test_users": list(users)}
    await google.control("PUT", f"/projects/{client['project']}", rules)
    return client


def stopped(answer: Answer) -> tuple[int, str]:
    """The status and the error of Google's own page."""
    return answer.status, answer.body.partition(f"Error {answer.status}: ")[2].split("<")[
        0
    ].split()[0]


async def test_the_clock_goes_ahead_when_told_to_and_the_date_of_answers_with_it(
    google: Google,
) -> None:
    before = await google.control("GET", "/clock")
    assert before["ahead"] == 0

    after = await google.control("POST", "/clock", {"advance": 7 * DAY})
    assert after["ahead"] == 7 * DAY

    date = parsedate_to_datetime((await google.ask("GET", "/oauth2/v3/certs")).headers["Date"])
    assert abs(dt.datetime.fromisoformat(after["now"]) - date) < dt.timedelta(minutes=1)

    await google.control("POST", "/reset")
    assert (await google.control("GET", "/clock"))["ahead"] == 0


async def test_a_refresh_token_of_an_application_in_testing_ends_after_seven_days(
    google: Google,
) -> None:
    client = await being_tested(google, MAILBOX)
    tokens = await linked(google, client)
    assert tokens["refresh_token_expires_in"] == 7 * DAY

    await let_pass(google, 6.9)
    again = await refresh(google, client, tokens["refresh_token"])
    assert again.status == 200
    assert 8_000 < again.body["refresh_token_expires_in"] < 9_000

    await let_pass(google, 0.2)
    assert error_of(await refresh(google, client, tokens["refresh_token"])) == ENDED


async def test_a_grant_of_profile_scopes_alone_outlives_testing(google: Google) -> None:
    client = await being_tested(google, MAILBOX)
    tokens = await linked(google, client, scope="email profile")
    assert "refresh_token_expires_in" not in tokens
    await let_pass(google, 8)
    assert (await refresh(google, client, tokens["refresh_token"])).status == 200


async def test_publishing_does_not_save_a_token_that_was_made_in_testing(google: Google) -> None:
    client = await being_tested(google, MAILBOX)
    tokens = await linked(google, client)
    await google.control("PUT", f"/projects/{client['project']}", {"testing": False})
    await let_pass(google, 8)
    assert error_of(await refresh(google, client, tokens["refresh_token"])) == ENDED

    lasting = await linked(google, client)
    await let_pass(google, 8)
    assert (await refresh(google, client, lasting["refresh_token"])).status == 200


async def test_only_test_users_may_consent_in_testing(google: Google) -> None:
    client = await being_tested(google, "tester@acme.example")
    assert stopped(await decide(google, request_for(client))) == (403, "access_denied")


async def test_access_for_a_time_ends_when_it_is_over(google: Google) -> None:
    client = await google.client()
    code = returned(await decide(google, request_for(client), seconds=str(DAY)))["code"]
    tokens = (await exchange(google, client, code)).body
    assert tokens["refresh_token_expires_in"] == DAY

    await let_pass(google, 0.9)
    assert (await refresh(google, client, tokens["refresh_token"])).status == 200

    await let_pass(google, 0.2)
    assert error_of(await refresh(google, client, tokens["refresh_token"])) == ENDED


async def test_a_refresh_token_that_nobody_used_for_six_months_ends_and_using_it_counts(
    google: Google,
) -> None:
    client = await google.client()
    used, forgotten = await linked(google, client), await linked(google, client)
    for _ in range(2):
        await let_pass(google, 100)
        assert (await refresh(google, client, used["refresh_token"])).status == 200
    assert error_of(await refresh(google, client, forgotten["refresh_token"])) == ENDED


async def test_a_client_that_nobody_used_for_six_months_is_deleted(google: Google) -> None:
    client = await google.client()
    tokens = await linked(google, client)
    await let_pass(google, 190)
    answer = await refresh(google, client, tokens["refresh_token"])
    assert error_of(answer)[:2] == (401, "deleted_client")


async def test_session_control_asks_for_a_new_sign_in_and_says_so_in_the_subtype(
    google: Google,
) -> None:
    client = await google.client()
    await google.control("PUT", "/domains/acme.example", {"session_seconds": 16 * 3600})
    tokens = await linked(google, client)
    assert (await refresh(google, client, tokens["refresh_token"])).status == 200

    await let_pass(google, 0.7)
    answer = await refresh(google, client, tokens["refresh_token"])
    assert answer.status == 400
    assert answer.body == {
        "error": "invalid_grant",
        "error_description": "reauth related error (invalid_rapt)",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": "invalid_rapt",
    }

    renewed = await linked(google, client)
    assert (await refresh(google, client, renewed["refresh_token"])).status == 200


async def test_a_restricted_service_is_open_to_trusted_clients_only(google: Google) -> None:
    client, trusted = await google.client(), await google.client()
    tokens, theirs = await linked(google, client), await linked(google, trusted)
    rules = {"gmail_restricted": True, "trusted_clients": [trusted["client_id"]]}
    await google.control("PUT", "/domains/acme.example", rules)
    assert stopped(await decide(google, request_for(client))) == (400, "admin_policy_enforced")

    answer = await refresh(google, client, tokens["refresh_token"])
    assert error_of(answer)[:2] == (400, "admin_policy_enforced")
    assert (await refresh(google, trusted, theirs["refresh_token"])).status == 200
    assert "code" in returned(await decide(google, request_for(client, scope="email"))), (
        "no Gmail in it"
    )


async def test_an_internal_client_is_for_its_own_organisation(google: Google) -> None:
    client = await google.client()
    tokens = await linked(google, client)
    await google.control(
        "PUT", f"/projects/{client['project']}", {"organisation": "globex.example"}
    )

    assert stopped(await decide(google, request_for(client))) == (403, "org_internal")
    assert error_of(await refresh(google, client, tokens["refresh_token"]))[:2] == (
        403,
        "org_internal",
    )

    await google.control("PUT", f"/projects/{client['project']}", {"organisation": "ACME.example"})
    assert (await refresh(google, client, tokens["refresh_token"])).status == 200


async def test_prompt_none_meets_the_same_decisions(google: Google) -> None:
    client = await google.client()
    await linked(google, client)
    await google.control("PUT", "/domains/acme.example", {"gmail_restricted": True})
    silent = request_for(client, prompt="none", login_hint=MAILBOX)
    answer = await google.ask("GET", "/o/oauth2/v2/auth", params=silent)
    assert stopped(answer) == (400, "admin_policy_enforced")


async def test_a_domain_that_disabled_gmail_applications_lets_nothing_in(google: Google) -> None:
    token = await google.token()
    await google.control("PUT", "/domains/ACME.example", {"gmail_apps": False})
    answer = await google.send(token)
    assert (answer.status, answer.reason) == (403, "domainPolicy")
    assert await google.messages() == []

    await google.control("PUT", "/domains/acme.example", {})
    assert (await google.send(token)).status == 200


@pytest.mark.parametrize(
    "scope", ["gmail.sent", "gmail", "Gmail.Send", "gmail.send,gmail.metadata"]
)
async def test_a_scope_that_does_not_exist_is_refused_at_the_consent_and_for_an_assertion(
    google: Google, scope: str
) -> None:
    client = await google.client()
    page = await google.ask(
        "GET", "/o/oauth2/v2/auth", params=request_for(client, scope=ALL + " " + AUTH + scope)
    )
    assert stopped(page) == (400, "invalid_scope")

    await google.service_account()
    answer = await google.exchange(google.assertion(scope=f"{SEND} {AUTH}{scope}"))
    assert error_of(answer)[:2] == (400, "invalid_scope")


async def test_a_scope_that_exists_and_was_not_delegated_is_unauthorised(google: Google) -> None:
    await google.service_account()
    answer = await google.exchange(google.assertion(scope=AUTH + "gmail.insert"))
    assert error_of(answer)[:2] == (401, "unauthorized_client")


async def test_access_tokens_live_as_long_as_was_ordered(google: Google) -> None:
    before = await google.token()
    await google.control("PUT", "/tokens", {"access_seconds": 400})
    answer = await google.exchange(google.assertion())
    assert answer.body["expires_in"] == 400

    after = str(answer.body["access_token"])
    await google.control("POST", "/clock", {"advance": 500})
    assert (await google.send(after)).status == 401
    assert (await google.send(before)).status == 200, "it has an hour, as it was told"
