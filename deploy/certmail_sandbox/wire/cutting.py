"""Answers that break off: the status line and headers arrive whole, the body does not."""

from __future__ import annotations

import gzip
from typing import Final

from aiohttp import web

CUTS: Final = frozenset({"length", "chunks", "gzip"})
"""How an answer can break off.

`length` has less than its Content-Length says, `chunks` is chunked, without the last chunk, `gzip`
is packed, and broken inside.
"""
MISSING_BYTES: Final = 64


async def cut(request: web.Request, answer: web.StreamResponse, how: str) -> web.StreamResponse:
    """Give the status and headers of an answer and a part of its body.

    What is not broken inside ends with the connection.
    """
    body = (
        answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    )

    headers = answer.headers.copy()
    for framing in ("Content-Length", "Transfer-Encoding"):
        headers.popall(framing, None)
    broken = web.StreamResponse(status=answer.status, headers=headers)
    part = body[: len(body) // 2]

    match how:
        case "length":
            broken.content_length = len(body) + MISSING_BYTES
        case "chunks":
            broken.enable_chunked_encoding()
        case "gzip":
            packed = gzip.compress(body)
            part = packed[: len(packed) // 2] + b"\xff" * MISSING_BYTES
            broken.headers["Content-Encoding"] = "gzip"
            broken.content_length = len(part)

    await broken.prepare(request)
    if part:
        await broken.write(part)
    if how != "gzip" and request.transport is not None:
        request.transport.close()
    return broken
