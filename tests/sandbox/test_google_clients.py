"""Google's own Python libraries, unmodified, against the sandbox."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.resources
import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import credentials as user_credentials
from google.oauth2 import id_token, service_account
from googleapiclient.discovery import build, build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseUpload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.conftest import Google

MAILBOX = "reminders@acme.example"
ROBOT = "certmail@acme-project.iam.gserviceaccount.com"
AUTH = "https://www.googleapis.com/auth/"
SEND = AUTH + "gmail.send"
REDIRECT = "http://localhost:9000/callback"


# Google's libraries block, and the sandbox runs in this loop.
thread = asyncio.to_thread


def robot(google: Google, kid: str | None, *scopes: str, subject: str = MAILBOX) -> Any:
    info = {
        "client_email": ROBOT,
        "token_uri": google.url + "/token",
        "private_key": google.keys.private_pem,
    }
    if kid:
        info["private_key_id"] = kid
    make: Any = service_account.Credentials.from_service_account_info
    return make(info, scopes=scopes or (SEND,), subject=subject)


@pytest.fixture
def transport() -> Iterator[Request]:
    with requests.Session() as session:
        yield Request(session)


@contextlib.contextmanager
def gmail(google: Google, credentials: Any) -> Iterator[Any]:
    """The Gmail service of the library's own discovery document, with the sandbox as its root."""
    name = (
        importlib.resources.files("googleapiclient.discovery_cache") / "documents" / "gmail.v1.json"
    )
    document = json.loads(name.read_text())
    document["rootUrl"] = google.url + "/"
    document.pop("mtlsRootUrl", None)
    with build_from_document(document, credentials=credentials) as service:
        yield service


@pytest.mark.parametrize("with_kid", [True, False])
async def test_service_account_credentials_with_a_subject_get_a_token(
    google: Google, transport: Request, with_kid: bool
) -> None:
    kid = await google.service_account()
    credentials = robot(google, kid if with_kid else None)
    await thread(credentials.refresh, transport)
    assert credentials.valid
    assert (await google.send(credentials.token)).status == 200


async def test_a_refused_assertion_is_a_refresh_error_that_is_not_tried_again(
    google: Google, transport: Request
) -> None:
    await google.service_account()
    with pytest.raises(RefreshError) as caught:
        await thread(robot(google, None, subject="gone@acme.example").refresh, transport)
    assert "Invalid email or User ID" in str(caught.value)
    assert caught.value.retryable is False


async def test_a_503_of_the_token_endpoint_is_tried_again(
    google: Google, transport: Request
) -> None:
    await google.service_account()
    await google.fault("503", match={"path": "/token"})
    credentials = robot(google, None)
    await thread(credentials.refresh, transport)
    assert credentials.valid
    assert [entry["status"] for entry in await google.journal()] == [503, 200]


def self_portrait(google: Google, audience: str) -> Any:
    make: Any = service_account.IDTokenCredentials.from_service_account_info
    info = {
        "client_email": ROBOT,
        "token_uri": google.url + "/token",
        "private_key": google.keys.private_pem,
    }
    return make(info, target_audience=audience)


async def test_id_token_credentials_get_a_token_that_stands_googles_own_check(
    google: Google, transport: Request
) -> None:
    made = await google.control(
        "POST", "/service-accounts", {"email": ROBOT, "project": "acme-project"}
    )
    await google.upload(google.keys.certificate())
    credentials = self_portrait(google, "https://certmail.example")
    await thread(credentials.refresh, transport)
    assert credentials.valid

    claims = await thread(
        id_token.verify_token,
        credentials.token,
        transport,
        audience="https://certmail.example",
        certs_url=google.url + "/oauth2/v1/certs",
    )

    assert (claims["sub"], claims["email"]) == (made["client_id"], ROBOT)


async def test_id_token_credentials_without_an_uploaded_key_are_refused(
    google: Google, transport: Request
) -> None:
    await google.control("POST", "/service-accounts", {"email": ROBOT, "project": "acme-project"})
    with pytest.raises(RefreshError, match="Invalid JWT Signature") as caught:
        await thread(self_portrait(google, "https://certmail.example").refresh, transport)
    assert caught.value.retryable is False


async def link(google: Google, client: Any) -> Any:
    query = {
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": f"openid {AUTH}userinfo.email {SEND}",
        "access_type": "offline",
    }

    form = {"account": MAILBOX, "scope": SEND, "decision": "allow"}
    back = await google.ask("POST", "/o/oauth2/v2/auth", params=query, data=form)
    [code] = parse_qs(urlsplit(back.headers["Location"]).query)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "redirect_uri": REDIRECT,
    }

    return (await google.ask("POST", "/token", data=form)).body


def person(google: Google, client: Any, tokens: Any) -> Any:
    make: Any = user_credentials.Credentials
    return make(
        None,
        refresh_token=tokens["refresh_token"],
        token_uri=google.url + "/token",
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        scopes=[SEND],
    )


async def test_a_persons_credentials_refresh_until_revoked(
    google: Google, transport: Request
) -> None:
    client = await google.client(redirect_uris=[REDIRECT])
    credentials = person(google, client, await link(google, client))
    await thread(credentials.refresh, transport)
    assert credentials.granted_scopes == [SEND]
    assert (await google.send(credentials.token)).status == 200

    await google.ask("POST", "/revoke", data={"token": credentials.refresh_token})
    with pytest.raises(RefreshError, match="Token has been expired or revoked"):
        await thread(credentials.refresh, transport)


async def test_the_id_token_stands_googles_own_check(google: Google, transport: Request) -> None:
    client = await google.client(redirect_uris=[REDIRECT])
    tokens = await link(google, client)
    certs = google.url + "/oauth2/v1/certs"
    claims = await thread(
        id_token.verify_token,
        tokens["id_token"],
        transport,
        audience=client["client_id"],
        certs_url=certs,
    )

    assert claims["email"] == MAILBOX


async def test_the_client_library_sends_by_json(google: Google) -> None:
    with gmail(google, robot(google, await google.service_account())) as service:
        raw = base64.urlsafe_b64encode(google.mail()).decode()
        sent = await thread(service.users().messages().send(userId="me", body={"raw": raw}).execute)
        assert sent["labelIds"] == ["SENT"]
        assert [message["id"] for message in await google.messages()] == [sent["id"]]


async def test_the_client_library_takes_the_sandbox_as_its_api_endpoint(google: Google) -> None:
    credentials = robot(google, await google.service_account())
    options = {"api_endpoint": google.url + "/"}
    raw = base64.urlsafe_b64encode(google.mail()).decode()
    with build(
        "gmail", "v1", credentials=credentials, static_discovery=True, client_options=options
    ) as service:
        await thread(service.users().messages().send(userId="me", body={"raw": raw}).execute)

    assert len(await google.messages()) == 1


async def test_the_client_library_sends_by_media_upload(google: Google) -> None:
    with gmail(google, robot(google, await google.service_account())) as service:
        media = MediaInMemoryUpload(google.mail("X-Certmail-Id: job-1"), mimetype="message/rfc822")
        await thread(service.users().messages().send(userId="me", media_body=media).execute)
        assert [message["certmail_id"] for message in await google.messages()] == ["job-1"]


async def test_the_client_library_sends_by_multipart_into_a_thread(google: Google) -> None:
    with gmail(google, robot(google, await google.service_account())) as service:
        send = service.users().messages().send
        raw = base64.urlsafe_b64encode(google.mail()).decode()
        first = await thread(send(userId="me", body={"raw": raw}).execute)
        mail = google.mail(await google.reply_line())
        media = MediaInMemoryUpload(mail, mimetype="message/rfc822")
        body = {"threadId": first["threadId"]}
        second = await thread(send(userId="me", body=body, media_body=media).execute)

        assert second["threadId"] == first["threadId"]
        assert second["id"] != first["id"]


async def test_the_client_library_sends_by_resumable_upload_in_pieces(google: Google) -> None:
    with gmail(google, robot(google, await google.service_account())) as service:
        mail = google.mail(body="x" * 300_000)
        media = MediaIoBaseUpload(
            io.BytesIO(mail), mimetype="message/rfc822", chunksize=262_144, resumable=True
        )
        await thread(service.users().messages().send(userId="me", media_body=media).execute)
        assert (await google.delivered()).endswith(b"x" * 300_000)


async def test_the_client_library_lists_and_gets(google: Google) -> None:
    await google.service_account(SEND, AUTH + "gmail.metadata")

    with gmail(google, robot(google, None, SEND, AUTH + "gmail.metadata")) as service:
        messages = service.users().messages()
        raw = base64.urlsafe_b64encode(google.mail("X-Certmail-Id: job-1")).decode()
        sent = await thread(messages.send(userId="me", body={"raw": raw}).execute)
        listed = await thread(messages.list(userId="me", labelIds=["SENT"], maxResults=10).execute)
        assert listed["messages"] == [{"id": sent["id"], "threadId": sent["threadId"]}]

        get = messages.get(
            userId="me", id=sent["id"], format="metadata", metadataHeaders=["X-Certmail-Id"]
        )
        assert (await thread(get.execute))["payload"]["headers"] == [
            {"name": "X-Certmail-Id", "value": "job-1"}
        ]
        assert (await thread(service.users().getProfile(userId="me").execute))[
            "emailAddress"
        ] == MAILBOX


async def test_the_client_library_understands_the_refusals(google: Google) -> None:
    with gmail(google, robot(google, await google.service_account())) as service:
        raw = base64.urlsafe_b64encode(b"Subject: nobody\r\n\r\n").decode()
        with pytest.raises(HttpError) as caught:
            await thread(service.users().messages().send(userId="me", body={"raw": raw}).execute)
        assert caught.value.status_code == 400
        assert caught.value.reason == "Recipient address required"
        assert caught.value.error_details[0]["reason"] == "invalidArgument"


async def test_an_authorized_session_gets_over_a_401(google: Google) -> None:
    credentials = robot(google, await google.service_account())
    await google.fault("drop_token", match={"path": "/messages/send"})
    authorized: Any = AuthorizedSession
    with authorized(credentials) as session, requests.Session() as refreshing:
        session._auth_request = Request(refreshing)
        raw = base64.urlsafe_b64encode(google.mail()).decode()
        url = google.url + "/gmail/v1/users/me/messages/send"
        answer = await thread(session.post, url, json={"raw": raw})

    assert answer.status_code == 200
    assert len(await google.messages()) == 1
