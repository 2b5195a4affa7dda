"""messages.send by JSON: what is refused, rewritten, and arrives; google.md §1.5 and §2."""

from __future__ import annotations

import base64
import re
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from email.message import EmailMessage

    from sandbox.conftest import Google

PATH = "/gmail/v1/users/me/messages/send"
MAILBOX = "reminders@acme.example"
AUTH = "https://www.googleapis.com/auth/"


async def arrived(google: Google) -> EmailMessage:
    return message_from_bytes(await google.delivered(), policy=policy.default)


async def test_an_accepted_message_has_an_id_a_thread_and_the_label_sent(google: Google) -> None:
    token = await google.token()
    answers = [await google.send(token) for _ in range(3)]
    for answer in answers:
        assert answer.status == 200
        assert set(answer.body) == {"id", "threadId", "labelIds"}
        assert re.fullmatch(r"[0-9a-f]{16}", answer.body["id"])
        assert answer.body["labelIds"] == ["SENT"]
        assert "Date" in answer.headers
    assert len({answer.body["id"] for answer in answers}) == 3


@pytest.mark.parametrize("user", [MAILBOX, MAILBOX.upper(), "me"])
async def test_the_mailbox_may_be_named_by_its_address(google: Google, user: str) -> None:
    assert (await google.send(await google.token(), user=user)).status == 200


async def test_base64url_is_taken_with_and_without_padding(google: Google) -> None:
    token = await google.token()
    for body in ("a", "ab", "abc"):
        padded = base64.urlsafe_b64encode(google.mail(body=body)).decode()
        for raw in {padded, padded.rstrip("=")}:
            answer = await google.ask("POST", PATH, json={"raw": raw}, headers=google.bearer(token))
            assert answer.status == 200


async def test_the_message_id_is_replaced_and_nothing_else_that_is_the_senders(
    google: Google,
) -> None:
    mail = google.mail(
        "Message-ID: <mine@certmail.example>",
        "Date: Sun, 22 Nov 2026 10:00:00 +0000",
        "Reply-To: Service Desk <desk@acme.example>",
        "Auto-Submitted: auto-generated",
        "X-Certmail-Id: 0198c0de-0000-7000-8000-000000000001",
        "References: <root@certmail.example>",
        "X-Long: one\r\n two",
    )

    assert (await google.send(await google.token(), mail)).status == 200

    copy = await google.delivered()
    assert b"mine@certmail.example" not in copy
    assert re.search(rb"^Message-ID: <CA[\w-]+@mail\.gmail\.com>\r$", copy, re.MULTILINE)

    kept = [line for line in mail.split(b"\r\n") if not line.startswith(b"Message-ID")]
    assert all(line in copy for line in kept)


async def test_a_foreign_from_is_silently_replaced_by_the_account(google: Google) -> None:
    mail = google.mail().replace(
        b"From: reminders@acme.example", b"From: The Boss <boss@acme.example>"
    )
    assert (await google.send(await google.token(), mail)).status == 200
    assert (await arrived(google))["From"] == f"Acme Reminders <{MAILBOX}>"


@pytest.mark.parametrize("written", ["Reviews <reminders@acme.example>", "REMINDERS@acme.example"])
async def test_the_accounts_own_from_stays_as_it_was_written(google: Google, written: str) -> None:
    mail = google.mail().replace(b"From: reminders@acme.example", f"From: {written}".encode())
    assert (await google.send(await google.token(), mail)).status == 200
    assert (await arrived(google))["From"] == written


async def test_an_accepted_send_as_address_is_not_foreign(google: Google) -> None:
    token = await google.token()
    await google.control(
        "POST", "/accounts", {"email": MAILBOX, "send_as": ["Reviews@acme.example"]}
    )
    mail = google.mail().replace(b"From: reminders@", b"From: reviews@")

    assert (await google.send(token, mail)).status == 200
    assert (await arrived(google))["From"] == "reviews@acme.example"


async def test_a_missing_from_and_date_are_filled_in(google: Google) -> None:
    assert (await google.send(await google.token(), b"To: ada@acme.example\n\nHello")).status == 200
    message = await arrived(google)
    assert message["From"].addresses[0].addr_spec == MAILBOX
    assert message["Date"].datetime is not None
    assert message.get_content().strip() == "Hello"


async def test_bcc_gets_the_mail_and_is_hidden_from_the_recipients(google: Google) -> None:
    token = await google.token(MAILBOX, "https://mail.google.com/")
    answer = await google.send(
        token, google.mail("Bcc: audit@acme.example", "Cc: bob@acme.example")
    )
    [message] = await google.messages()

    assert message["to"] == "ada@acme.example, bob@acme.example, audit@acme.example"
    assert b"audit@" not in base64.urlsafe_b64decode(message["raw"])

    path = f"/gmail/v1/users/me/messages/{answer.body['id']}"
    own = await google.ask("GET", path, params={"format": "raw"}, headers=google.bearer(token))
    assert b"Bcc: audit@acme.example" in base64.urlsafe_b64decode(own.body["raw"])


@pytest.mark.parametrize(
    ("mail", "message"),
    [
        (b"Subject: x\r\n\r\nHello", "Recipient address required"),
        (b"To: \r\n\r\nHello", "Recipient address required"),
        (b"To: undisclosed-recipients:;\r\n\r\nHello", "Recipient address required"),
        (b"no header at all", "Recipient address required"),
        (b"To: not-an-address\r\n\r\nHello", "Invalid To header"),
        (b"To: ada@acme.example, @\r\n\r\nHello", "Invalid To header"),
        (b"To: a b@acme.example\r\n\r\nHello", "Invalid To header"),
        ("To: jürgen@acme.example\r\n\r\nHello".encode(), "Invalid To header"),
        (b"To: ada@acme.example\r\nCc: bob@\r\n\r\nHello", "Invalid Cc header"),
        (b"To: ada@acme.example\r\nTo: bob@acme.example\r\n\r\nHello", "Invalid To header"),
        (
            b"To: ada@acme.example\r\nSubject: a\r\nsubject: b\r\n\r\nHello",
            "Invalid Subject header",
        ),
        (
            b"To: ada@acme.example\r\nFrom: a@x.org\r\nFrom: b@x.org\r\n\r\nHello",
            "Invalid From header",
        ),
    ],
)
async def test_a_message_that_cannot_be_sent_is_a_400_in_googles_words(
    google: Google, mail: bytes, message: str
) -> None:
    answer = await google.send(await google.token(), mail)
    assert (answer.status, answer.reason, answer.message) == (400, "invalidArgument", message)
    assert answer.body["error"]["status"] == "INVALID_ARGUMENT"
    assert await google.messages() == []


@pytest.mark.parametrize(
    "to",
    [
        '"Lovelace, Ada" <ada@acme.example>',
        "=?utf-8?q?Ad=C3=A4?= <ada@acme.example>",
        "ada+x@sub.acme.example,\r\n bob@acme.example",
        "<ada@acme.example>",
    ],
)
async def test_the_usual_ways_to_write_an_address_are_taken(google: Google, to: str) -> None:
    assert (await google.send(await google.token(), google.mail(to=to))).status == 200


@pytest.mark.parametrize(
    "body", [{"raw": "not base64!"}, {"raw": "abcde"}, {"raw": "ab="}, {"raw": 7}, []]
)
async def test_bad_base64_and_bad_json_are_a_400(google: Google, body: Any) -> None:
    answer = await google.ask("POST", PATH, json=body, headers=google.bearer(await google.token()))
    assert (answer.status, answer.reason) == (400, "badRequest")


async def test_a_body_without_raw_is_a_400(google: Google) -> None:
    answer = await google.ask("POST", PATH, json={}, headers=google.bearer(await google.token()))
    assert (answer.status, answer.reason) == (400, "invalidArgument")
    assert "'raw'" in answer.message


async def test_a_json_request_beyond_five_megabytes_is_too_large(google: Google) -> None:
    answer = await google.send(await google.token(), google.mail(body="x" * 4_000_000))
    assert (answer.status, answer.reason) == (413, "uploadTooLarge")


@pytest.mark.parametrize("token", ["ya29.unknown", "rubbish"])
async def test_an_unknown_token_is_a_401_in_todays_wire_form(google: Google, token: str) -> None:
    answer = await google.send(token)

    assert answer.status == 401
    assert answer.body["error"]["status"] == "UNAUTHENTICATED"
    assert answer.body["error"]["errors"] == [
        {
            "message": "Invalid Credentials",
            "domain": "global",
            "reason": "authError",
            "location": "Authorization",
            "locationType": "header",
        }
    ]


async def test_a_token_expires(google: Google) -> None:
    token = await google.token()
    google.clock.ahead = 3598
    assert (await google.send(token)).status == 200
    google.clock.ahead = 3600
    assert (await google.send(token)).reason == "authError"


async def test_without_a_token_login_is_required(google: Google) -> None:
    answer = await google.ask("POST", PATH, json={"raw": "eA"})
    assert (answer.status, answer.reason) == (401, "required")


@pytest.mark.parametrize("scope", ["gmail.metadata", "gmail.readonly", "userinfo.email"])
async def test_a_scope_that_may_not_send_is_insufficient(google: Google, scope: str) -> None:
    answer = await google.send(await google.token(MAILBOX, AUTH + scope))
    assert (answer.status, answer.reason) == (403, "insufficientPermissions")
    assert answer.message == "Request had insufficient authentication scopes."

    [detail] = answer.body["error"]["details"]
    assert detail == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {
            "service": "gmail.googleapis.com",
            "method": "caribou.api.proto.MailboxService.SendMessage",
        },
    }


@pytest.mark.parametrize("scope", ["gmail.send", "gmail.compose", "gmail.modify"])
async def test_every_scope_that_may_send_does(google: Google, scope: str) -> None:
    assert (await google.send(await google.token(MAILBOX, AUTH + scope))).status == 200


async def test_another_mailbox_in_the_path_is_delegation_denied(google: Google) -> None:
    answer = await google.send(await google.token(), user="boss@acme.example")
    assert (answer.status, answer.reason) == (403, "forbidden")
    assert answer.message == "Delegation denied for boss@acme.example"


async def test_an_account_without_gmail_cannot_send(google: Google) -> None:
    token = await google.token()
    await google.control("POST", "/accounts", {"email": MAILBOX, "gmail_enabled": False})
    answer = await google.send(token)
    assert (answer.status, answer.reason) == (400, "failedPrecondition")
    assert answer.message == "Mail service not enabled"


async def test_a_project_without_the_gmail_api_cannot_send_until_it_is_enabled(
    google: Google,
) -> None:
    token = await google.token()
    await google.control("PUT", "/projects/acme-project", {"gmail_api": False})
    answer = await google.send(token)
    assert (answer.status, answer.reason) == (403, "accessNotConfigured")
    assert answer.body["error"]["details"][0]["reason"] == "SERVICE_DISABLED"

    await google.control("PUT", "/projects/acme-project", {"gmail_api": True})
    assert (await google.send(token)).status == 200


async def test_an_unknown_path_is_googles_404(google: Google) -> None:
    path = "/gmail/v1/users/me/<drafts>"
    answer = await google.ask("GET", path, headers=google.bearer(await google.token()))
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "/gmail/v1/users/me/&lt;drafts&gt;" in answer.body


async def test_a_head_that_is_too_large_is_refused_by_googles_front_end(google: Google) -> None:
    long = await google.ask("GET", "/v1/userinfo?x=" + "x" * 20_000)
    assert (long.status, "too large to process" in long.body) == (414, True)
    heavy = await google.ask("GET", "/v1/userinfo", headers={"X-One": "x" * 20_000})
    assert (heavy.status, "request that was too large" in heavy.body) == (413, True)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", PATH), ("PUT", "/token"), ("GET", "/revoke")]
)
async def test_another_method_is_googles_405(google: Google, method: str, path: str) -> None:
    answer = await google.ask(method, path)
    assert answer.status == 405
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_lf_line_ends_arrive_as_crlf(google: Google) -> None:
    assert (
        await google.send(await google.token(), google.mail().replace(b"\r\n", b"\n"))
    ).status == 200
    assert b"\n" not in (await google.delivered()).replace(b"\r\n", b"")


@pytest.mark.parametrize(("agent", "packed"), [("certmail (gzip)", "gzip"), ("certmail", None)])
async def test_answers_are_packed_for_who_asks_twice(
    google: Google, agent: str, packed: str | None
) -> None:
    headers = google.bearer("ya29.unknown") | {"User-Agent": agent, "Accept-Encoding": "gzip"}
    answer = await google.ask("POST", PATH, json={"raw": "eA"}, headers=headers)
    assert (answer.headers.get("Content-Encoding"), answer.reason) == (packed, "authError")
