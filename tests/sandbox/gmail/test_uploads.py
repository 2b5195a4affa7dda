"""messages.send by upload: media, multipart, resumable; google.md §1.6, §2.1."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.conftest import Google

PATH = "/upload/gmail/v1/users/me/messages/send"


def related(mail: bytes, end: bytes, metadata: bytes = b"{}") -> bytes:
    lines = [
        *(b"--sep", b"Content-Type: application/json", b"", metadata),
        *(b"--sep", b"Content-Type: message/rfc822", b"", mail, b"--sep--", b""),
    ]
    return end.join(lines)


async def test_bare_bytes_are_sent_as_media(google: Google) -> None:
    headers = google.bearer(await google.token()) | {"Content-Type": "message/rfc822"}
    mail = google.mail("X-Certmail-Id: job-1", body="Grüße\r\n")
    answer = await google.ask(
        "POST", PATH, params={"uploadType": "media"}, data=mail, headers=headers
    )

    assert answer.status == 200
    assert answer.body["labelIds"] == ["SENT"]

    [message] = await google.messages()
    assert message["certmail_id"] == "job-1"
    assert "Grüße".encode() in base64.urlsafe_b64decode(message["raw"])


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
async def test_multipart_takes_either_line_end(google: Google, end: bytes) -> None:
    headers = google.bearer(await google.token()) | {
        "Content-Type": 'multipart/related; boundary="sep"'
    }
    body = related(google.mail(), end)
    answer = await google.ask(
        "POST", PATH, params={"uploadType": "multipart"}, data=body, headers=headers
    )

    assert answer.status == 200
    assert (await google.delivered()).endswith(b"\r\n\r\nPlease review.\r\n")


async def test_multipart_may_join_a_thread_by_reference_and_subject(google: Google) -> None:
    token = await google.token()
    thread = (await google.send(token)).body["threadId"]
    reference = await google.reply_line()
    headers = google.bearer(token) | {"Content-Type": "multipart/related; boundary=sep"}
    fitting = google.mail(reference).replace(b"Subject: ", b"Subject: Re: ")

    for wanted, mail, status, joins in (
        (thread, fitting, 200, True),
        (thread, google.mail(), 200, False),
        (thread, google.mail(reference).replace(b"Access", b"Other"), 200, False),
        ("00000000deadbeef", fitting, 404, False),
    ):
        body = related(mail, b"\r\n", b'{"threadId": "%s"}' % wanted.encode())
        answer = await google.ask(
            "POST", PATH, params={"uploadType": "multipart"}, data=body, headers=headers
        )
        assert answer.status == status

        if status == 200:
            assert (answer.body["threadId"] == wanted) is joins


async def test_a_resumable_upload_is_sent_once_it_is_whole(google: Google) -> None:
    bearer = google.bearer(await google.token())
    opened = await google.ask("POST", PATH, params={"uploadType": "resumable"}, headers=bearer)
    location = opened.headers["Location"].removeprefix(google.url)
    mail = google.mail()
    part = bearer | {"Content-Range": f"bytes 0-49/{len(mail)}"}
    more = await google.ask("PUT", location, data=mail[:50], headers=part)

    assert (more.status, more.headers["Range"]) == (308, "bytes=0-49")
    assert await google.messages() == []

    wrong = await google.ask("PUT", location, data=mail[:50], headers=part)
    assert wrong.status == 400

    rest = bearer | {"Content-Range": f"bytes 50-{len(mail) - 1}/{len(mail)}"}
    assert (await google.ask("PUT", location, data=mail[50:], headers=rest)).status == 200
    assert len(await google.messages()) == 1
    assert (await google.ask("PUT", location, data=mail, headers=bearer)).status == 404


async def test_only_messages_are_taken(google: Google) -> None:
    headers = google.bearer(await google.token()) | {"Content-Type": "text/plain"}
    answer = await google.ask(
        "POST", PATH, params={"uploadType": "media"}, data=b"x", headers=headers
    )
    assert (answer.status, answer.reason) == (400, "badRequest")


async def test_an_upload_type_is_needed(google: Google) -> None:
    answer = await google.ask("POST", PATH, data=b"x", headers=google.bearer(await google.token()))
    assert answer.status == 400


@pytest.mark.parametrize(("size", "status"), [(36_700_160, 200), (36_700_161, 413)])
async def test_thirty_five_mebibytes_are_the_limit(google: Google, size: int, status: int) -> None:
    headers = google.bearer(await google.token()) | {"Content-Type": "message/rfc822"}
    mail = google.mail()
    mail += b"x" * (size - len(mail))
    answer = await google.ask(
        "POST", PATH, params={"uploadType": "media"}, data=mail, headers=headers
    )
    assert answer.status == status

    if status == 413:
        assert answer.reason == "uploadTooLarge"
