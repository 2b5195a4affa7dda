"""messages.list, messages.get and getProfile: what a wider grant than `gmail.send` may look at."""

from aiohttp import web

from certmail_sandbox import gmail_errors, scopes
from certmail_sandbox.gmail_access import GET, LIST, PROFILE, enter
from certmail_sandbox.mailstore import Message
from certmail_sandbox.message_view import matches, view

PAGE = 100  # maxResults unless asked, and at most 500 (gmail.v1.json)
MAX_PAGE = 500


async def list_messages(request: web.Request) -> web.Response:
    """`GET …/messages`: ids, newest first; every message here was sent, so every other label is empty."""
    call = enter(request, LIST)
    query = request.query.get("q", "")
    if query and not call.token.scopes & scopes.MAY_READ_CONTENT:
        raise gmail_errors.forbidden("Metadata scope does not support 'q' parameter")
    size = _page_size(request)
    # The page token is the id of the last message shown: what arrives meanwhile moves nothing.
    before = request.query.get("pageToken")
    found: list[Message] = []
    more = False
    if all(label.upper() == "SENT" for label in request.query.getall("labelIds", [])):
        for message in reversed(call.state.mail.sent_by(call.account.email)):
            if (before and message.id >= before) or not matches(message, query):
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
    return web.json_response(body)


def _page_size(request: web.Request) -> int:
    text = request.query.get("maxResults", str(PAGE))
    if not text.isdecimal() or int(text) < 1:
        raise gmail_errors.bad_request("Invalid value at 'max_results' (TYPE_UINT32)")
    return min(int(text), MAX_PAGE)


async def get_message(request: web.Request) -> web.Response:
    """`GET …/messages/{id}`."""
    call = enter(request, GET)
    form = request.query.get("format", "full").lower()
    if form not in {"minimal", "metadata", "full", "raw"}:
        raise gmail_errors.bad_request("Invalid value at 'format'")
    if form in {"full", "raw"} and not call.token.scopes & scopes.MAY_READ_CONTENT:
        raise gmail_errors.forbidden(f"Metadata scope doesn't allow format {form.upper()}")
    message = call.state.mail.by_id.get(request.match_info["id"])
    if message is None or message.mailbox.lower() != call.account.email.lower():
        raise gmail_errors.not_found()
    return web.json_response(view(message, form, request.query.getall("metadataHeaders", [])))


async def profile(request: web.Request) -> web.Response:
    """`GET …/profile`."""
    call = enter(request, PROFILE)
    messages = call.state.mail.sent_by(call.account.email)
    return web.json_response(
        {
            "emailAddress": call.account.email,
            "messagesTotal": len(messages),
            "threadsTotal": len({message.thread_id for message in messages}),
            "historyId": str(1_000 + len(messages)),
        }
    )
