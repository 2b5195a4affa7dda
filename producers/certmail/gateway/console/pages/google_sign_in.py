"""Signing in with Google: to Google's page, and back with who it was.

What the answer must fit, state, nonce and PKCE verifier, travels in a cookie that only we can make
and read: a browser that begins costs nothing, and no other browser can end what it began.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import logging
import time
from dataclasses import asdict
from typing import Final

from aiohttp import web

from certmail.gateway.console.access_control import check_form
from certmail.gateway.console.context import CONSOLE, ConsoleContext
from certmail.gateway.console.form_fields import read_form
from certmail.gateway.console.pages.sign_in import address_of, form_page, let_in
from certmail.gateway.console.sessions import cookies
from certmail.gateway.console.sessions.cookies import SECONDS, Cookie
from certmail.gateway.console.sessions.rights import role_of_domain
from certmail.gateway.console.sessions.sessions import Visitor, new_secret
from certmail.gateway.console.sessions.wanted_page import HOME, own
from certmail.gateway.oauth.operator_client import CALLBACK, OperatorClient
from certmail.gateway.peers import network_of
from certmail.gateway.request_ids import request_id
from certmail_config.admin.operators.accounts import operator_of_account
from certmail_config.base.errors import Refused, SealBroken
from certmail_config.crypto.vault import Vault
from certmail_config.google.sign_in import NotBelieved, Question, SignedIn

log = logging.getLogger(__name__)

OPERATOR_CLIENT: web.AppKey[OperatorClient] = web.AppKey("operator_client", OperatorClient)
"""There where operators may sign in with Google."""
_OWNER: Final = "google-sign-in"
_NOBODY: Final = "google"
_FAILED: Final = "google_failed"


def add_google_sign_in(app: web.Application) -> None:
    """Add the way there and back."""
    app.router.add_post("/console/sign-in/google", begin)
    app.router.add_get(CALLBACK, come_back, allow_head=False)


async def begin(request: web.Request) -> web.StreamResponse:
    """Send the browser to Google, with what its answer must fit."""
    context, client, form = request.app[CONSOLE], _client(request), await read_form(request)
    check_form(request, form, cookies.read(request, Cookie.SIGN_IN, secure=context.secure))

    question = Question(new_secret(), new_secret(), new_secret())
    response = web.Response(status=303, headers={"Location": client.url(question)})
    sealed = _seal(context.admin.vault, question, own(str(form.get("next", ""))))
    cookies.give(response, Cookie.GOOGLE, sealed, secure=context.secure)
    return response


async def come_back(request: web.Request) -> web.StreamResponse:
    """Let in whom Google's answer names, if an account or a domain makes them an operator."""
    context, client = request.app[CONSOLE], _client(request)
    begun = _open(context.admin.vault, cookies.read(request, Cookie.GOOGLE, secure=context.secure))
    state, code = request.query.get("state", ""), request.query.get("code", "")
    if begun is None or not hmac.compare_digest(state.encode(), begun[0].state.encode()):
        return await _again(request, _FAILED, "another browser, or too late")
    question, wanted = begun
    if not code:
        return await _again(request, _FAILED, "Google gave no code")
    if not context.rate_limit.allows(f"google {network_of(address_of(request))}"):
        raise web.HTTPTooManyRequests

    try:
        who = await client.who(code, question)
    except NotBelieved as doubt:
        return await _again(request, _FAILED, str(doubt))

    visitor = await asyncio.to_thread(_begin_visit, context, who)
    if visitor is None:
        return await _again(request, _NOBODY, "no operator")

    response = await let_in(request, visitor, wanted)
    cookies.take_back(response, Cookie.GOOGLE, secure=context.secure)
    return response


def _begin_visit(context: ConsoleContext, who: SignedIn) -> Visitor | None:
    """The session of somebody whom Google knows, if they are an operator."""
    try:
        found = operator_of_account(context.admin, who.sub, who.address)
    except Refused:
        return None

    if found is not None:
        if found.disabled:
            return None
        return context.sessions.begin_as_account(found.id, found.generation)
    if role_of_domain(context.admin, who.address) is None:
        return None
    return context.sessions.begin_as_address(who.address)


async def _again(request: web.Request, trouble: str, why: str) -> web.Response:
    """The form once more; why is for the log only."""
    log.warning("google_sign_in_refused", extra={"why": why, "request": request_id(request)})
    response = await form_page(request, new_secret(), trouble, wanted=HOME, status=403)
    cookies.take_back(response, Cookie.GOOGLE, secure=request.app[CONSOLE].secure)
    return response


def _client(request: web.Request) -> OperatorClient:
    client = request.app.get(OPERATOR_CLIENT)
    if client is None:
        raise web.HTTPNotFound
    return client


def _seal(vault: Vault, question: Question, wanted: str) -> str:
    until = time.time() + SECONDS[Cookie.GOOGLE]
    value = {"question": asdict(question), "wanted": wanted, "until": until}
    sealed = vault.seal(json.dumps(value).encode(), owner=_OWNER)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _open(vault: Vault, mark: str) -> tuple[Question, str] | None:
    try:
        sealed = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
        value = json.loads(vault.open(sealed, owner=_OWNER))
    except (SealBroken, binascii.Error, ValueError):
        return None
    if time.time() >= value["until"]:
        return None
    return Question(**value["question"]), own(value["wanted"])
