"""A form with files: read in its parts, within bounds, and nothing of it unpacked or written to a disk.

The other forms of the console have no files, and take none (`form_fields.read_form`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiohttp import BodyPartReader, web
from multidict import MultiDict

from certmail.gateway.console.form_fields import MAX_SECONDS, read_form

MAX_FILE: Final = 1024 * 1024
"""Bytes of the largest file."""
MAX_FORM: Final = 2 * MAX_FILE + 512 * 1024
"""The same of a whole form: a file, the one before it, which the page has kept, and the fields."""
_MOST_PARTS: Final = 40


class UploadedFile(NamedTuple):
    """A file of a form, as the browser named it."""

    name: str
    content: bytes


UPLOADED: web.RequestKey[Mapping[str, Any]] = web.RequestKey("uploaded", Mapping)
"""The form that was read: texts, and files where somebody chose one."""


async def read_upload(request: web.Request) -> Mapping[str, Any]:
    """The form that was sent, its files as `UploadedFile`; raises HTTPException."""
    if not request.content_type.startswith("multipart/"):
        found = request[UPLOADED] = await read_form(request)
        return found

    try:
        async with asyncio.timeout(MAX_SECONDS):
            found = request[UPLOADED] = await _parts(request)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ValueError, LookupError, ConnectionResetError, AssertionError):
        raise web.HTTPBadRequest from None
    return found


async def _parts(request: web.Request) -> Mapping[str, Any]:
    found: MultiDict[str | UploadedFile] = MultiDict()
    # How much there is of it the middleware has looked at.
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or not part.name or len(found) == _MOST_PARTS:
            raise web.HTTPBadRequest

        content = bytearray()
        while chunk := await part.read_chunk():
            content += chunk
        if part.filename is None:
            found.add(part.name, content.decode("utf-8"))
        else:
            found.add(part.name, UploadedFile(part.filename, bytes(content)))
    return found
