"""messages.list, messages.get and getProfile, as far as looking for one's own mail needs them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

AUTH = "https://www.googleapis.com/auth/"
SEND, METADATA, READONLY = AUTH + "gmail.send", AUTH + "gmail.metadata", AUTH + "gmail.readonly"
MAILBOX = "reminders@acme.example"
MESSAGES = "/gmail/v1/users/me/messages"


async def read(google: Google, token: str, path: str = MESSAGES, **params: Any) -> Answer:
    return await google.ask("GET", path, params=params, headers=google.bearer(token))


async def test_sent_mail_is_listed_at_once_newest_first_in_pages(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, METADATA)
    sent = [(await google.send(token)).body["id"] for _ in range(5)]
    seen: list[str] = []

    page: dict[str, Any] = {}
    for size in (2, 2, 1):
        more = {"pageToken": page["nextPageToken"]} if page else {}
        page = (await read(google, token, labelIds="SENT", maxResults=2, **more)).body
        assert len(page["messages"]) == size
        seen += [message["id"] for message in page["messages"]]

    assert "nextPageToken" not in page
    assert seen == sent[::-1]


async def test_a_mailbox_sees_its_own_mail_only(google: Google) -> None:
    mine = await google.token(MAILBOX, SEND, METADATA)
    theirs = await google.token("other@acme.example", SEND, METADATA)
    identity = (await google.send(mine)).body["id"]
    assert (await read(google, theirs)).body == {"resultSizeEstimate": 0}
    assert (await read(google, theirs, f"{MESSAGES}/{identity}", format="metadata")).status == 404
    assert (await read(google, mine, f"{MESSAGES}/{identity}", format="metadata")).status == 200


async def test_searching_is_forbidden_with_metadata_alone(google: Google) -> None:
    token = await google.token(MAILBOX, METADATA)
    answer = await read(google, token, q="in:sent")
    assert (answer.status, answer.reason) == (403, "forbidden")
    assert answer.message == "Metadata scope does not support 'q' parameter"


async def test_the_senders_own_message_id_is_never_found(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, READONLY)
    await google.send(token, google.mail("Message-ID: <mine@certmail.example>"))
    assert "messages" not in (await read(google, token, q="rfc822msgid:mine@certmail.example")).body
    assert (
        len((await read(google, token, q="in:sent to:ada@acme.example due")).body["messages"]) == 1
    )
    assert "messages" not in (await read(google, token, q="subject:holiday")).body


async def test_metadata_shows_the_headers_that_are_asked_for(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, METADATA)
    sent = await google.send(token, google.mail("X-Certmail-Id: job-1"))
    path = f"{MESSAGES}/{sent.body['id']}"
    asked = [
        ("format", "metadata"),
        ("metadataHeaders", "x-certmail-id"),
        ("metadataHeaders", "Subject"),
    ]
    body = (await google.ask("GET", path, params=asked, headers=google.bearer(token))).body

    assert body["payload"]["headers"] == [
        {"name": "Subject", "value": "Access review due"},
        {"name": "X-Certmail-Id", "value": "job-1"},
    ]
    assert body["labelIds"] == ["SENT"]
    assert abs(int(body["internalDate"]) / 1000 - google.clock()) < 5


async def test_full_and_raw_need_more_than_metadata(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, METADATA)
    path = f"{MESSAGES}/{(await google.send(token)).body['id']}"
    for form in ("full", "raw"):
        assert (await read(google, token, path, format=form)).status == 403
    assert (await read(google, token, path, format="minimal")).status == 200


async def test_full_shows_the_parts_and_raw_the_bytes(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, READONLY)
    mail = google.mail(
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="b"',
        body="--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>Hello\r\n--b--\r\n",
    )
    path = f"{MESSAGES}/{(await google.send(token, mail)).body['id']}"
    payload = (await read(google, token, path)).body["payload"]

    assert payload["mimeType"] == "multipart/alternative"
    assert [part["mimeType"] for part in payload["parts"]] == ["text/plain", "text/html"]
    assert base64.urlsafe_b64decode(payload["parts"][0]["body"]["data"]) == b"Hello"

    raw = (await read(google, token, path, format="raw")).body["raw"]
    assert base64.urlsafe_b64decode(raw) == await google.delivered()


async def test_the_profile_counts_messages(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, METADATA)
    await google.send(token)
    profile = (await read(google, token, "/gmail/v1/users/me/profile")).body
    assert (profile["emailAddress"], profile["messagesTotal"]) == (MAILBOX, 1)


@pytest.mark.parametrize(
    "path", [MESSAGES, f"{MESSAGES}/0000000000000001", "/gmail/v1/users/me/profile"]
)
async def test_the_right_to_send_opens_nothing_else(google: Google, path: str) -> None:
    answer = await read(google, await google.token(), path)
    assert (answer.status, answer.reason) == (403, "insufficientPermissions")


async def test_other_labels_are_empty(google: Google) -> None:
    token = await google.token(MAILBOX, SEND, METADATA)
    await google.send(token)
    assert (await read(google, token, labelIds="INBOX")).body == {"resultSizeEstimate": 0}
