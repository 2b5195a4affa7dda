"""messages.list, messages.get and getProfile: what a wider grant than `gmail.send` may look at."""

from __future__ import annotations

import re

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.gmail.access import GET, LIST, PROFILE, enter
from certmail_sandbox.mail.mailstore import Message
from certmail_sandbox.mail.message_view import matches, view
from certmail_sandbox.wire import gmail_errors
from certmail_sandbox.wire.parameters import invalid

PAGE = 100  # maxResults unless asked, and at most 500 (gmail.v1.json)
MAX_PAGE = 500
_ID = re.compile(r"[0-9a-f]{1,16}")
LABELS = frozenset(
    {
        *("INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "UNREAD", "STARRED", "IMPORTANT", "CHAT"),
        *(f"CATEGORY_{name}" for name in ("PERSONAL", "SOCIAL", "PROMOTIONS", "UPDATES", "FORUMS")),
    }
)


async def list_messages(request: web.Request) -> web.Response:
    """`GET …/messages`: ids, newest first, of those that have every label asked for."""
    call = enter(request, LIST)
    query = request.query.get("q", "")
    if query and not call.token.scopes & scopes.MAY_READ_CONTENT:
        raise gmail_errors.forbidden("Metadata scope does not support 'q' parameter")

    size = _page_size(request)
    # The page token is the id of the last message shown: what arrives meanwhile moves nothing.
    before = _page_token(request)
    labels = _labels(request)

    found: list[Message] = []
    more = False
    for message in reversed(call.state.mail.kept_by(call.account.email)):
        if (
            (before and message.id >= before)
            or not labels <= set(message.labels)
            or not matches(message, query)
        ):
            continue
        if len(found) == size:
            more = True
            break
        found.append(message)

    body: dict[str, object] = {"resultSizeEstimate": len(found) + more}
    if found:
        body["messages"] = [{"id": message.id, "threadId": message.thread_id} for message in found]
    if more:
        body["nextPageToken"] = found[-1].id
    return call.answer(body)


def _labels(request: web.Request) -> set[str]:
    """Gmail's own labels; nobody can make others here."""
    labels = set(request.query.getall("labelIds", []))
    for label in labels - LABELS:
        raise gmail_errors.invalid_argument(f"Invalid label: {label}")
    return labels


def _page_token(request: web.Request) -> str | None:
    token = request.query.get("pageToken")
    if token and not _ID.fullmatch(token):
        raise gmail_errors.invalid_argument("Invalid pageToken")
    return token or None


def _page_size(request: web.Request) -> int:
    text = request.query.get("maxResults", str(PAGE))
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) < 2**32:
        raise invalid(f"Invalid value at 'max_results' (TYPE_UINT32), \"{text}\"")
    return min(int(text), MAX_PAGE)


async def get_message(request: web.Request) -> web.Response:
    """`GET …/messages/{id}`: one message, in the format asked for."""
    call = enter(request, GET)
    form = request.query.get("format", "full").lower()
    if form not in {"minimal", "metadata", "full", "raw"}:
        raise invalid(f"Invalid value at 'format' (type.googleapis.com/…MessageFormat), \"{form}\"")
    if form in {"full", "raw"} and not call.token.scopes & scopes.MAY_READ_CONTENT:
        raise gmail_errors.forbidden(f"Metadata scope doesn't allow format {form.upper()}")
    if not _ID.fullmatch(request.match_info["id"]):
        raise gmail_errors.invalid_argument("Invalid id value")

    message = call.state.mail.by_id.get(request.match_info["id"])
    if message is None or message.mailbox.lower() != call.account.email.lower():
        raise gmail_errors.not_found()

    return call.answer(view(message, form, request.query.getall("metadataHeaders", [])))


async def profile(request: web.Request) -> web.Response:
    """`GET …/profile`: the mailbox's address and how much is in it."""
    call = enter(request, PROFILE)
    messages = call.state.mail.kept_by(call.account.email)

    return call.answer(
        {
            "emailAddress": call.account.email,
            "messagesTotal": len(messages),
            "threadsTotal": len({message.thread_id for message in messages}),
            "historyId": str(1_000 + len(messages)),
        }
    )
