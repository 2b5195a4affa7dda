"""Where to begin: what is played here, who can sign in, and how long changes take."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from certmail_sandbox.accounts.directory import new_account
from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Refused
from certmail_sandbox.wire.mime import is_address

MAX_SECONDS = 86_400


async def start(request: web.Request) -> web.Response:
    """`GET /`: where to begin; the addresses of both consoles lead here, too.

    `?cloudshell=true` leads to Cloud Shell, as at Google.
    """
    if "cloudshell" in request.query:
        raise then("/cloudshell")
    return _start(request)


def _start(request: web.Request, *, status: int = 200, **values: object) -> web.Response:
    state = state_of(request)
    directory = state.directory
    sent = Counter({box: len(mail) for box, mail in state.mail.by_mailbox.items()})
    return show(
        request,
        "start.html",
        status=status,
        people=[account for account in directory.accounts.values() if not account.deleted],
        projects=directory.project_names(),
        clients=[client for client in directory.clients.values() if not client.deleted],
        sent=sent,
        total=len(state.mail.messages),
        base=str(request.url.origin()),
        **{"email": "", **values},
    )


async def add_person(request: web.Request) -> web.Response:
    """`POST /people`: somebody who can sign in, with a mailbox."""
    accounts = state_of(request).directory.accounts
    form = await form_of(request)
    email = form.get("email", "")
    known = accounts.get(email.lower())

    error = None
    if not is_address(email):
        error = "This is not an email address."
    elif known is not None and not known.deleted:
        error = f"{known.email} has an account already."
    if error:
        return _start(request, status=400, error=error, email=email)

    accounts[email.lower()] = new_account(email)
    raise then("/", done="person")


async def set_spreading(request: web.Request) -> web.Response:
    """`POST /people/spreading`: after how long a change in the consoles is known everywhere."""
    seconds = (await form_of(request)).get("seconds", "")
    if not (seconds.isascii() and seconds.isdecimal() and int(seconds[:9]) <= MAX_SECONDS):
        raise Refused(f"Enter whole seconds, at most {MAX_SECONDS} (24 hours).")
    state_of(request).spread_seconds = float(seconds)
    raise then("/", done="spreading")


def add_routes(app: web.Application) -> None:
    """Add the first page and its two forms."""
    app.router.add_get("/", start)
    app.router.add_post("/people", add_person)
    app.router.add_post("/people/spreading", set_spreading)
