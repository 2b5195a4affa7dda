"""Changes that Google spreads slowly over its machines.

A delegation is known on some machines first, a key is listed before it is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from sandbox.conftest import Google

ROBOT = "certmail@acme-project.iam.gserviceaccount.com"
KEYS = f"/_sandbox/service-accounts/{ROBOT}/keys"
DELEGATION = f"/service-accounts/{ROBOT}/delegation"
SEND = "https://www.googleapis.com/auth/gmail.send"
METADATA = "https://www.googleapis.com/auth/gmail.metadata"
UNKNOWN = {
    "error": "unauthorized_client",
    "error_description": "Client is unauthorized to retrieve access tokens using this method, or client not authorized"
    " for any of the scopes requested.",
}
UNSIGNED = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
NO_MAILBOX = {"sub": None, "scope": None, "target_audience": "https://certmail.example"}


async def statuses(google: Google, count: int, **claims: Any) -> list[int]:
    return [(await google.exchange(google.assertion(**claims))).status for _ in range(count)]


async def spread(google: Google, count: int, *scopes: str) -> None:
    await google.control("PUT", DELEGATION, {"scopes": list(scopes or (SEND,)), "spreading": count})


async def settle(google: Google, count: str) -> str:
    answer = await google.ask("POST", f"{KEYS}?settling={count}", data=google.keys.certificate())
    assert answer.status == 200, answer.body
    return str(answer.body["kid"])


async def account_without_key(google: Google) -> None:
    kid = await google.service_account()
    await google.control("DELETE", f"/service-accounts/{ROBOT}/keys/{kid}")


class TestDelegation:
    @pytest.mark.parametrize(
        ("count", "expected"),
        [
            (0, [200, 200, 200]),
            (1, [401, 200, 200, 200]),
            (3, [401, 200, 401, 200, 401, 200, 200, 200]),
        ],
    )
    async def test_refusals_and_grants_take_turns_until_all_refusals_were_given(
        self, google: Google, count: int, expected: list[int]
    ) -> None:
        await google.service_account()
        await spread(google, count)
        assert await statuses(google, len(expected)) == expected

    async def test_a_machine_that_does_not_know_it_speaks_as_if_it_were_not_there(
        self, google: Google
    ) -> None:
        await google.service_account()
        await spread(google, 1)
        answer = await google.exchange(google.assertion())
        assert (answer.status, answer.body) == (401, UNKNOWN)

    async def test_what_needs_no_delegation_is_not_refused_and_does_not_count(
        self, google: Google
    ) -> None:
        await google.service_account()
        await spread(google, 1)
        assert await statuses(google, 2, **NO_MAILBOX) == [200, 200]
        assert await statuses(google, 2, sub=None) == [200, 200]
        assert await statuses(google, 2) == [401, 200]

    async def test_a_request_that_is_refused_for_its_own_reason_does_not_count(
        self, google: Google
    ) -> None:
        await google.service_account()
        await spread(google, 1)
        assert await statuses(google, 2, scope=METADATA) == [401, 401]
        assert await statuses(google, 2, exp=1) == [400, 400]
        assert await statuses(google, 2) == [401, 200]

    async def test_every_scope_of_the_row_is_spread(self, google: Google) -> None:
        await google.service_account()
        await spread(google, 2, SEND, METADATA)
        assert await statuses(google, 1, scope=METADATA) == [401]
        assert await statuses(google, 3) == [200, 401, 200]

    async def test_a_row_put_anew_begins_anew(self, google: Google) -> None:
        await google.service_account()
        await spread(google, 5)
        assert await statuses(google, 1) == [401]

        await spread(google, 1)
        assert await statuses(google, 3) == [401, 200, 200]

        await spread(google, 5)
        await google.control("PUT", DELEGATION, {"scopes": [SEND]})
        assert await statuses(google, 2) == [200, 200]

    async def test_another_service_accounts_row_is_not_touched(self, google: Google) -> None:
        await google.service_account()
        other = "other@acme-project.iam.gserviceaccount.com"
        await google.control(
            "POST", "/service-accounts", {"email": other, "project": "acme-project"}
        )
        body = {"scopes": [SEND], "spreading": 3}
        await google.control("PUT", f"/service-accounts/{other}/delegation", body)

        assert await statuses(google, 2) == [200, 200]

    @pytest.mark.parametrize("count", [-1, 1.5, "2", True])
    async def test_what_is_no_number_is_refused(self, google: Google, count: object) -> None:
        await google.service_account()
        body = {"scopes": [SEND], "spreading": count}
        answer = await google.ask("PUT", "/_sandbox" + DELEGATION, json=body)
        assert (answer.status, answer.message) == (
            400,
            "spreading must be a whole number, 0 or more.",
        )

    async def test_a_row_is_taken_away_at_once(self, google: Google) -> None:
        await google.service_account()
        answer = await google.ask(
            "PUT", "/_sandbox" + DELEGATION, json={"scopes": [], "spreading": 2}
        )

        assert (answer.status, answer.message) == (
            400,
            "spreading means nothing without scopes: a row is taken away at once.",
        )
        assert await statuses(google, 1) == [200]


class TestKeys:
    async def test_a_key_is_listed_at_once_and_accepted_after_so_many_requests(
        self, google: Google
    ) -> None:
        await account_without_key(google)
        kid = await settle(google, "2")
        listed = await google.ask("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}")
        assert kid in listed.body

        answers = [await google.exchange(google.assertion()) for _ in range(4)]
        assert [answer.status for answer in answers] == [400, 400, 200, 200]
        assert answers[0].body == answers[1].body == UNSIGNED

    async def test_it_counts_what_is_signed_with_it_whatever_is_asked_for(
        self, google: Google
    ) -> None:
        await account_without_key(google)
        await settle(google, "2")
        assert await statuses(google, 1, **NO_MAILBOX) == [400]
        assert await statuses(google, 2) == [400, 200]

    async def test_the_accounts_other_keys_are_accepted_meanwhile_and_do_not_count(
        self, google: Google
    ) -> None:
        await google.service_account()
        older = google.keys
        newer = google.keys = type(older)(rsa.generate_private_key(65_537, 2048))
        await settle(google, "1")
        google.keys = older
        assert await statuses(google, 2) == [200, 200]

        google.keys = newer
        assert await statuses(google, 2) == [400, 200]

    async def test_the_same_certificate_again_keeps_its_id_and_settles_anew(
        self, google: Google
    ) -> None:
        kid = await google.service_account(certificate=(certificate := google.keys.certificate()))
        answer = await google.ask("POST", f"{KEYS}?settling=1", data=certificate)
        assert answer.body == {"kid": kid}
        assert await statuses(google, 2) == [400, 200]

    @pytest.mark.parametrize("count", ["-1", "x", "1.5", "", "٣"])
    async def test_what_is_no_number_is_refused(self, google: Google, count: str) -> None:
        await google.service_account()
        answer = await google.ask(
            "POST", KEYS, params={"settling": count}, data=google.keys.certificate()
        )

        assert (answer.status, answer.message) == (
            400,
            "settling must be a whole number, 0 or more.",
        )

    async def test_another_parameter_is_refused(self, google: Google) -> None:
        await google.service_account()
        answer = await google.ask("POST", f"{KEYS}?spreading=1", data=google.keys.certificate())
        assert (answer.status, answer.message) == (
            400,
            "Unknown parameter spreading; known are: settling.",
        )
