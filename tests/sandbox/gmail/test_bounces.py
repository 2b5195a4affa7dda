"""Bounces: a 200, and then a notice in the sender's own mailbox; google.md §1.3, §2.2."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from email.message import EmailMessage

    from sandbox.conftest import Google

MESSAGES = "/gmail/v1/users/me/messages"
MAILBOX = "reminders@acme.example"
FULL = "https://mail.google.com/"


async def listed(google: Google, token: str, *labels: str) -> list[str]:
    query = [("labelIds", label) for label in labels]
    answer = await google.ask("GET", MESSAGES, params=query, headers=google.bearer(token))
    assert answer.status == 200, answer.body
    return [message["id"] for message in answer.body.get("messages", [])]


async def opened(google: Google, token: str, identity: str) -> tuple[Any, EmailMessage]:
    answer = await google.ask(
        "GET", f"{MESSAGES}/{identity}", params={"format": "raw"}, headers=google.bearer(token)
    )
    parsed: Any = message_from_bytes(
        base64.urlsafe_b64decode(answer.body["raw"]), policy=policy.default
    )
    return answer.body, parsed


async def nobody(google: Google, address: str = "gone@acme.example", **more: Any) -> None:
    await google.control("PUT", f"/recipients/{address}", {"exists": False, **more})


async def test_mail_to_an_address_that_does_not_exist_is_accepted_and_comes_back(
    google: Google,
) -> None:
    token = await google.token(MAILBOX, FULL)
    await nobody(google)
    sent = await google.send(
        token, google.mail("X-Certmail-Id: job-1", to="Gone@acme.example, ada@acme.example")
    )
    assert (sent.status, sent.body["labelIds"]) == (200, ["SENT"])

    [notice] = await listed(google, token, "INBOX")
    body, mail = await opened(google, token, notice)
    assert (body["threadId"], body["labelIds"]) == (sent.body["threadId"], ["UNREAD", "INBOX"])
    assert "mailer-daemon@googlemail.com" in mail["From"]
    assert (mail["To"], mail["X-Failed-Recipients"]) == (MAILBOX, "Gone@acme.example")
    assert mail.get_content_type() == "multipart/report"

    text, status, original = mail.iter_parts()
    assert "couldn't be found" in text.get_content()
    assert "5.1.1" in status.as_string()
    assert original.get_content()["X-Certmail-Id"] == "job-1"

    [message] = await google.messages()
    assert message["bounced"] == ["Gone@acme.example"]


async def test_the_notice_is_not_among_the_sent_and_is_seen_without_a_label(google: Google) -> None:
    token = await google.token(MAILBOX, FULL)
    await nobody(google)
    sent = (await google.send(token, google.mail(to="gone@acme.example"))).body["id"]
    assert await listed(google, token, "SENT") == [sent]

    [notice, other] = await listed(google, token)
    assert other == sent
    assert await listed(google, token, "INBOX", "UNREAD") == [notice]

    profile = await google.ask("GET", "/gmail/v1/users/me/profile", headers=google.bearer(token))
    assert (profile.body["messagesTotal"], profile.body["threadsTotal"]) == (2, 1)


async def test_it_may_take_a_while_until_the_notice_comes(google: Google) -> None:
    token = await google.token(MAILBOX, FULL)
    await nobody(google, after_seconds=1800)
    await google.send(token, google.mail(to="gone@acme.example"))
    assert await listed(google, token, "INBOX") == []
    google.clock.ahead = 1801
    assert len(await listed(google, token, "INBOX")) == 1


async def test_an_address_may_exist_again(google: Google) -> None:
    token = await google.token(MAILBOX, FULL)
    await nobody(google)
    await google.control("PUT", "/recipients/gone@acme.example", {"exists": True})
    await google.send(token, google.mail(to="gone@acme.example"))
    assert await listed(google, token, "INBOX") == []


async def test_people_see_the_notice_on_the_mailbox_page(google: Google) -> None:
    token = await google.token()
    await nobody(google)
    await google.send(token, google.mail(to="gone@acme.example"))
    page = (await google.ask("GET", "/mail")).body
    assert "mailer-daemon@googlemail.com" in page
    assert "Delivery Status Notification (Failure)" in page


async def test_mail_to_itself_is_sent_and_in_the_inbox(google: Google) -> None:
    token = await google.token(MAILBOX, FULL)
    sent = await google.send(token, google.mail(to=MAILBOX.upper()))
    assert sent.body["labelIds"] == ["UNREAD", "SENT", "INBOX"]
    assert (
        await listed(google, token, "INBOX")
        == await listed(google, token, "SENT")
        == [sent.body["id"]]
    )


async def test_a_label_that_does_not_exist_is_refused(google: Google) -> None:
    token = await google.token(MAILBOX, FULL)
    answer = await google.ask(
        "GET", MESSAGES, params={"labelIds": "Sent"}, headers=google.bearer(token)
    )
    assert (answer.status, answer.message) == (400, "Invalid label: Sent")


async def test_for_minutes_after_the_limit_was_reached_mail_is_accepted_and_comes_back(
    google: Google,
) -> None:
    token = await google.token(MAILBOX, FULL)
    await google.control("PUT", "/limits", {"messages_per_day": 2, "sending_lag_seconds": 300})

    for ahead in (0, 10, 200, 300):
        google.clock.ahead = ahead
        assert (await google.send(token)).status == 200

    google.clock.ahead = 311
    late = await google.send(token)
    assert (late.status, late.message.endswith("(Mail sending)")) == (429, True)
    assert [bool(message["bounced"]) for message in await google.messages()] == [
        False,
        False,
        True,
        True,
    ]

    notices = await listed(google, token, "INBOX")
    assert len(notices) == 2

    _, mail = await opened(google, token, notices[0])
    [text, *_] = mail.iter_parts()
    assert "You have reached a limit for sending mail." in text.get_content()
