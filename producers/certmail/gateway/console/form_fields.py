"""The fields of a form: read as texts, and where one is wrong, an error that names it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import web

from certmail.gateway.console import texts
from certmail_config.base.errors import WrongUse

MAX_SECONDS: Final = 15


class WrongField(WrongUse):
    """A field of this name, in which something stands that cannot be used."""

    def __init__(self, field: str, error: WrongUse) -> None:
        message, remedy = texts.FIELDS.get(error.code, (error.message, error.remedy))
        super().__init__(error.code, message, remedy)
        self.field = field


async def read_form(request: web.Request) -> Mapping[str, Any]:
    """The form that was sent, within a bound of time; raises HTTPException.

    Forms have no files, but for one (`campaigns.uploads`), so none comes in the parts that those are
    sent in: nobody's are taken apart and unpacked.
    """
    if request.content_type.startswith("multipart/"):
        raise web.HTTPUnsupportedMediaType

    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await request.post()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    # Not in the form that its type promises, in letters that nobody knows, or broken off: somebody has
    # left while a preview was asked for.
    except (ValueError, LookupError, ConnectionResetError):
        raise web.HTTPBadRequest from None


@contextmanager
def of_field(name: str) -> Iterator[None]:
    """Raise WrongField, with this field's name, for any WrongUse in the block."""
    try:
        yield
    except WrongUse as error:
        raise WrongField(name, error) from None


def values_of(form: Any, *names: str) -> dict[str, str]:
    """The texts of a form's fields; a file, or nothing, counts as empty."""
    given = {name: form.get(name, "") for name in names}
    return {name: text.strip() if isinstance(text, str) else "" for name, text in given.items()}
