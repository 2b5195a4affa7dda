"""The console's cookies.

None can be read by a script, sent by another site's form, or set by a neighbour of our name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from aiohttp import web


class Cookie(StrEnum):
    """The cookies, and what each is for."""

    OPERATOR = "certmail-console"
    SETUP = "certmail-setup"
    SIGN_IN = "certmail-sign-in"
    """What the form of somebody who is not let in yet must send back."""
    CONSENT = "certmail-consent"
    """Which browser began a consent at Google."""
    GOOGLE = "certmail-google"
    """What Google's answer to an operator's sign-in must fit, sealed."""
    KNOWN = "certmail-known"
    """That an operator has signed in with this browser before; it opens nothing."""


SECONDS: Final = {
    Cookie.OPERATOR: 12 * 3600,
    Cookie.SETUP: 7 * 86_400,
    Cookie.SIGN_IN: 3600,
    Cookie.CONSENT: 1800,
    Cookie.GOOGLE: 600,
    Cookie.KNOWN: 180 * 86_400,
}


_LONGEST: Final = 2000
"""Characters; none that we give has more."""


def read(request: web.Request, cookie: Cookie, *, secure: bool) -> str:
    """The value of a cookie; empty if there is none."""
    return request.cookies.get(_name(cookie, secure=secure), "")[:_LONGEST]


def give(response: web.StreamResponse, cookie: Cookie, value: str, *, secure: bool) -> None:
    """Set a cookie on an answer.

    Lax, not strict: Google, and whoever sent a set-up link, lead here from another site.
    """
    response.set_cookie(
        _name(cookie, secure=secure),
        value,
        max_age=SECONDS[cookie],
        path="/",
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def take_back(response: web.StreamResponse, cookie: Cookie, *, secure: bool) -> None:
    """Have the browser forget a cookie."""
    response.del_cookie(
        _name(cookie, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax"
    )


def _name(cookie: Cookie, *, secure: bool) -> str:
    # With the prefix browsers take it only from this very host, over HTTPS.
    return f"__Host-{cookie}" if secure else str(cookie)
