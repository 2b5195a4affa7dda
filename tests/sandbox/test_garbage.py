"""Garbage at each address of the sandbox: refused in the address's own form, and it goes on."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING

import pytest
from yarl import URL

from certmail_sandbox.server import build

if TYPE_CHECKING:
    from sandbox.conftest import Google

FORM = "application/x-www-form-urlencoded"
RELATED = "multipart/related; boundary=x"
JWT = b"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion="
BODIES = (
    (FORM, b""),
    (FORM, b"\xff\xfe\x00"),
    (FORM, JWT + b"a.b.c"),
    (FORM, JWT + b"%FF%00"),
    (FORM, JWT + b"e30.e30.e30"),
    (FORM, b"grant_type=refresh_token&refresh_token=%00&client_id=%FF&client_secret=%FF"),
    (FORM, b"grant_type=authorization_code&code=%00&client_id="),
    (FORM, b"account=%FF&decision=allow&scope=%00&seconds=9999999999999999999999"),
    (FORM, b"token=%FF&id_token=a.b.c"),
    (FORM, b"a=b&" * 5_000),
    (FORM + "; charset=nonsense", b"token=%FF"),
    ("application/json", b"{"),
    ("application/json", b"null"),
    ("application/json", b"[" * 100_000),
    ("application/json", b'{"raw": "\\ud800", "threadId": "\\u0000"}'),
    ("application/json", b'{"email": "\\ud800@acme.example", "project": "p"}'),
    ("application/json", b'{"grant_type": {"a": 1}, "code_verifier": "\\ud800"}'),
    ("application/json", b'{"advance": 1e300, "units_per_minute": 1e400}'),
    ("application/json", b'{"advance": 1e300}'),
    ("application/json", b'{"redirect_uris": ["http://[::1"]}'),
    ("application/json", b'{"redirect_uris": ["https://a.example/"], "client_id": "\\ud800"}'),
    ("application/json", b'{"scopes": ["\\ud800"]}'),
    ("application/json; charset=utf-7", b'{"fault": {"status": 299, "headers": {"a": "\\u2028"}}}'),
    (RELATED, b"--x\r\n\r\n--x\r\n\r\n--x--"),
    (
        RELATED,
        (
            b"--x\r\n\r\n{}\r\n--x\r\nContent-Type: message/rfc822\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--x--"
        ),
    ),
    ("multipart/form-data", b"--x"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\n\x00\r\n--x--"),
    ("message/rfc822", b"To: \xff\x00\r\n"),
    ("message/rfc822", b"To: " + b"a@b.example," * 20_000),
)
QUERIES = (
    "",
    "?uploadType=media",
    "?uploadType=multipart",
    "?uploadType=resumable&upload_id=%00",
    "?access_token=%FF&fields=" + "(" * 2_000,
    "?fields=" + "payload/parts/" * 200,
    "?maxResults=99999999999999999999999&pageToken=%FF&labelIds=%00&q=%F0%9F",
    "?client_id=%FF&redirect_uri=http://[&page=9999999999999&settling=99999999999999999999999",
    "?format=%00&id_token=%FF&token=%00&$.xgafv=9",
)
PARTS = ("%00", "%FF", "%F0%9F%98%80", "a" * 1_000, "me", "..%2f..")
METHODS = ("GET", "POST", "PUT", "POST", "DELETE")
PEOPLES = ("/mail/", "/static/", "/favicon.ico")
PATHS = sorted(
    {route.resource.canonical for route in build().router.routes() if route.resource}
    - {"/_sandbox/reset", "/"}
)


@pytest.mark.parametrize("path", PATHS)
async def test_garbage_is_refused_in_the_form_of_whoever_is_asked(
    google: Google, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = await google.token("me@acme.example", "https://mail.google.com/")
    good = google.bearer(token)
    credentials: tuple[dict[str, str], ...] = (
        good,
        {},
        good,
        {"Authorization": "Basic //79"},
        good,
        {"Authorization": "Bearer ÿ"},
        good,
    )
    wholes = [(query, kind, body) for query in QUERIES for kind, body in BODIES]
    # Counts without a common divisor: over the list, everything meets everything.
    given = [
        (METHODS[n % 5], *whole, credentials[n % 7], PARTS[n % 6]) for n, whole in enumerate(wholes)
    ]

    async def ask(
        method: str, query: str, kind: str, body: bytes, headers: dict[str, str], part: str
    ) -> None:
        target = URL(google.url + re.sub(r"\{\w+\}", part, path) + query, encoded=True)
        data = None if method == "HEAD" else body

        async with google.http.request(
            method,
            target,
            data=data,
            headers=headers | {"Content-Type": kind},
            allow_redirects=False,
        ) as answer:
            await answer.read()
            assert answer.status < 500, (method, query[:40], kind, body[:60])
            if answer.status >= 400 and method != "HEAD" and not path.startswith(PEOPLES):
                assert "text/plain" not in answer.headers["Content-Type"], (method, answer.status)

    with caplog.at_level(logging.ERROR):
        for n in range(0, len(given), 20):
            await asyncio.gather(*(ask(*each) for each in given[n : n + 20]))
        await google.control("DELETE", "/faults")
    assert not caplog.records, "no traceback is written either"
