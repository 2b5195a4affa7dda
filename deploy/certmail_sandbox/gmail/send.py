"""messages.send, by JSON and by upload; 200 means accepted for sending, no more."""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.gmail.access import CONTINUE, ENTRY, SEND, Call, enter
from certmail_sandbox.gmail.submission import accept, certmail_id, recipients_of
from certmail_sandbox.mail import uploads
from certmail_sandbox.mail.uploads import Submitted
from certmail_sandbox.wire import gmail_errors
from certmail_sandbox.wire.errors import ApiError
from certmail_sandbox.wire.mime import Headers


async def send(request: web.Request) -> web.Response:
    """`POST /gmail/v1/users/{user}/messages/send`: send a message that came as JSON."""
    body = await request.read()
    call = enter(request, SEND)
    return _accepted(request, call, uploads.from_json(request.content_type, body))


async def upload(request: web.Request) -> web.Response:
    """`POST /upload/gmail/v1/users/{user}/messages/send`: send a message that came as it is.

    `uploadType` is `media`, `multipart` or `resumable`.
    """
    body = await request.read()
    content_type = request.headers.get("Content-Type", "")

    match request.query.get("uploadType") or request.headers.get("X-Goog-Upload-Protocol"):
        case "media":
            return _accepted(request, enter(request, SEND), uploads.from_media(content_type, body))
        case "multipart":
            return _accepted(
                request, enter(request, SEND), uploads.from_multipart(content_type, body)
            )
        case "resumable":
            return _open_session(request, body)
        case _:
            raise gmail_errors.bad_request("uploadType must be media, multipart or resumable.")


def _open_session(request: web.Request, body: bytes) -> web.Response:
    """Open a session; the units are charged here, the message of the day once it is whole."""
    upload_id = enter(request, SEND).state.uploads.open(uploads.thread_of(body))
    location = request.url.update_query(uploadType="resumable", upload_id=upload_id)
    return web.Response(headers={"Location": str(location), "X-GUploader-UploadID": upload_id})


async def fill_session(request: web.Request) -> web.Response:
    """`PUT` to the Location of a resumable upload: take a piece, and send what is whole."""
    body = await request.read()
    call = enter(request, CONTINUE)
    upload_id = request.query.get("upload_id", "")
    session = call.state.uploads.fill(upload_id, request.headers.get("Content-Range"), body)
    if session is None:
        got = len(call.state.uploads.sessions[upload_id].received)
        return web.Response(status=308, headers={"Range": f"bytes=0-{got - 1}"} if got else {})
    return _accepted(request, call, Submitted(bytes(session.received), session.thread_id))


def _accepted(request: web.Request, call: Call, submitted: Submitted) -> web.Response:
    entry = request[ENTRY]
    headers = Headers.parse(submitted.raw)
    entry.certmail_id = certmail_id(headers)
    recipients = recipients_of(headers)

    state, mailbox, now = call.state, call.account.email.lower(), call.state.now()
    quotas = state.quotas
    leaves = quotas.sending.check_recipients(quotas.limits, mailbox, recipients, now)

    message = accept(headers, recipients, call.account, state.mail, now, submitted.thread_id)
    entry.accepted = message.id
    if leaves:
        quotas.sending.count(mailbox, recipients, now)
        state.bounces.unless_known(message, now)
    else:
        state.bounces.over_the_limit(message, now)

    return call.answer(
        {"id": message.id, "threadId": message.thread_id, "labelIds": list(message.labels)}
    )


def peek_certmail_id(request: web.Request, body: bytes) -> str | None:
    """The X-Certmail-Id in a request that a fault keeps from being served.

    None where there is none to read.
    """
    content_type = request.headers.get("Content-Type", "")

    try:
        if not request.path.startswith("/upload/"):
            submitted = uploads.from_json(request.content_type, body)
        elif request.query.get("uploadType") == "multipart":
            submitted = uploads.from_multipart(content_type, body)
        else:
            submitted = uploads.from_media(content_type, body)
    except ApiError:
        return None

    return certmail_id(Headers.parse(submitted.raw))
