"""The mailbox page: what arrived, for people to look at."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from itertools import islice

from aiohttp import web
from yarl import URL

from certmail_sandbox.mail.mailstore import Message
from certmail_sandbox.pages.message_page import Letter
from certmail_sandbox.pages.templating import page
from certmail_sandbox.state import State, state_of

PER_PAGE = 50
# The mail's own HTML: no script, nothing loaded from elsewhere; links open in a tab of their own.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline';"
    " img-src data:; frame-ancestors 'self'"
)
_STATIC = {"style.css": "text/css", "refresh.js": "text/javascript", "copy.js": "text/javascript"}


async def mailbox(request: web.Request) -> web.Response:
    """`GET /mail?mailbox=&to=&q=&page=`: newest first."""
    state = state_of(request)
    chosen = {name: request.query.get(name, "").strip() for name in ("mailbox", "to", "q")}
    number = request.query.get("page", "1")
    current = max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1
    found = _found(state, chosen)

    return page(
        "mailbox.html",
        chosen=chosen,
        total=len(state.mail.messages),
        found=len(found),
        letters=[
            Letter(message)
            for message in islice(found, (current - 1) * PER_PAGE, current * PER_PAGE)
        ],
        mailboxes=Counter(
            {box: len(sent) for box, sent in state.mail.by_mailbox.items()}
        ).most_common(),
        current=current,
        pages=max(1, -(-len(found) // PER_PAGE)),
        now=state.now(),
        link=lambda **change: _link(chosen, **change),
    )


def _found(state: State, chosen: dict[str, str]) -> list[Message]:
    words = chosen["q"].lower().split()
    messages = state.mail.newest_first(chosen["mailbox"] or None, chosen["to"] or None)
    return [message for message in messages if all(word in message.searchable for word in words)]


def _link(chosen: dict[str, str], **change: str | int) -> str:
    """The list's address with some of its choices changed; an empty choice is left out."""
    query = {name: str(value) for name, value in (chosen | change).items() if value}
    return str(URL("/mail").with_query(query)) if query else "/mail"


def _message(request: web.Request) -> Message:
    message = state_of(request).mail.by_id.get(request.match_info["id"])
    if message is None:
        raise web.HTTPNotFound(
            text="There is no such message; perhaps the sandbox was started anew."
        )
    return message


async def letter(request: web.Request) -> web.Response:
    """`GET /mail/{id}`: a message as its recipient reads it."""
    return page("message.html", letter=Letter(_message(request)), now=state_of(request).now())


async def letter_html(request: web.Request) -> web.Response:
    """`GET /mail/{id}/html`: the HTML part alone, for the frame of the page above."""
    html = Letter(_message(request)).html or ""
    return web.Response(
        text='<base target="_blank">' + html,
        content_type="text/html",
        headers={"Content-Security-Policy": MAIL_POLICY, "X-Content-Type-Options": "nosniff"},
    )


async def letter_raw(request: web.Request) -> web.Response:
    """`GET /mail/{id}/raw`: the recipient's copy as a file."""
    message = _message(request)
    return web.Response(
        body=message.delivered,
        content_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{message.id}.eml"'},
    )


async def letter_file(request: web.Request) -> web.Response:
    """`GET /mail/{id}/files/{number}`: an attachment, to be saved and never shown."""
    files = Letter(_message(request)).attachments
    number = int(request.match_info["number"])
    if number >= len(files):
        raise web.HTTPNotFound(text="The message has no such attachment.")
    return web.Response(
        body=files[number].content,
        content_type="application/octet-stream",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )


async def static(request: web.Request) -> web.Response:
    """`GET /static/{name}`: the pages' own style sheet and scripts."""
    name = request.match_info["name"]
    if name not in _STATIC:
        raise web.HTTPNotFound
    text = files("certmail_sandbox").joinpath("static", name).read_text(encoding="utf-8")
    return web.Response(
        text=text, content_type=_STATIC[name], headers={"Cache-Control": "no-cache"}
    )


async def favicon(_request: web.Request) -> web.Response:
    """`GET /favicon.ico`: none, so that browsers ask no more."""
    return web.Response(status=204)


def add_routes(app: web.Application) -> None:
    """Add the mailbox page and the pages of a message."""
    app.router.add_get("/mail", mailbox)
    app.router.add_get("/mail/{id}", letter)
    app.router.add_get("/mail/{id}/html", letter_html)
    app.router.add_get("/mail/{id}/raw", letter_raw)
    app.router.add_get(r"/mail/{id}/files/{number:\d{1,3}}", letter_file)
    app.router.add_get("/static/{name}", static)
    app.router.add_get("/favicon.ico", favicon)
