"""What the consoles' pages have in common: forms, notes of what was done, refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_request import FileField
from yarl import URL

from certmail_sandbox.pages.templating import page
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire.fields import Refused

View = Callable[[web.Request, State], Awaitable[web.Response]]

DONE: Mapping[str, str] = {
    "project": "The project is created.",
    "account": "The service account is created. Copy its email address from the table.",
    "enabled": "The Gmail API is enabled.",
    "disabled": "The Gmail API is disabled.",
    "uploaded": "The public key is uploaded.",
    "key": "The key is changed.",
    "deleted": "It is deleted.",
    "status": "The service account is changed.",
    "authorised": "The client is authorised.",
    "policy": "The policy is changed.",
    "access": "The access is changed.",
    "person": "The account is made.",
    "spreading": "It counts from the next change on.",
}
"""What a page says after a redirect that names it."""


def show(
    request: web.Request, template: str, *, status: int = 200, **values: object
) -> web.Response:
    """A page of the consoles, which begins with a note of what was done before it."""
    state = state_of(request)
    return page(
        f"consoles/{template}",
        status=status,
        done=DONE.get(request.query.get("done", "")),
        error=values.pop("error", None),
        now=state.now(),
        spread=state.spread_seconds,
        path=request.path,
        **values,
    )


def then(path: str, **query: str) -> web.HTTPSeeOther:
    """The redirect to where the browser goes next; to be raised."""
    return web.HTTPSeeOther(URL(path).with_query(query))


async def form_of(request: web.Request) -> dict[str, str]:
    """The texts of a form; of a file its text.

    Raises Refused if it is no form.
    """
    try:
        form = await request.post()
        return {name: _text(value) for name, value in form.items()}
    except (ValueError, LookupError, AssertionError):
        raise Refused("The form cannot be read.") from None


def _text(value: str | bytes | bytearray | FileField) -> str:
    if isinstance(value, FileField):
        value = value.file.read()
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return text.strip()


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer people with a page, whatever is refused."""
    try:
        return await handler(request)
    except Refused as refused:
        return _refused(request, refused.status, str(refused))
    except web.HTTPRequestEntityTooLarge:
        return _refused(request, 413, "That is more than any page here takes.")
    except web.HTTPMethodNotAllowed as wrong:
        return _refused(request, 405, f"This page does not take {wrong.method}.")
    except web.HTTPNotFound as missing:
        usual = missing.text == f"404: {HTTPStatus.NOT_FOUND.phrase}"
        sentence = None if usual else missing.text
        return _refused(request, 404, sentence or "The stand-in has no such page.")


def _refused(request: web.Request, status: int, sentence: str) -> web.Response:
    return show(request, "refused.html", status=status, sentence=sentence)
