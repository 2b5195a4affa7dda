"""What somebody typed into a form: read as texts, and where it is wrong, at which field."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import web

from certmail.gateway.console import texts as words
from certmail_config.base.errors import WrongUse

MAX_SECONDS: Final = 15


class WrongField(WrongUse):
    """What was typed into the field of this name cannot be used."""

    def __init__(self, field: str, error: WrongUse) -> None:
        message, remedy = words.FIELDS.get(error.code, (error.message, error.remedy))
        super().__init__(error.code, message, remedy)
        self.field = field


async def read_form(request: web.Request) -> Mapping[str, Any]:
    """The form that was sent, within a bound of time; raises HTTPException."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await request.post()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (
        ValueError,
        LookupError,
    ):  # not in the form that its type promises, or in letters that nobody knows
        raise web.HTTPBadRequest from None


@contextmanager
def of_field(name: str) -> Iterator[None]:
    """Whatever is wrong in here is wrong with this field; raises WrongField."""
    try:
        yield
    except WrongUse as error:
        raise WrongField(name, error) from None


def texts(form: Any, *names: str) -> dict[str, str]:
    """The texts of a form's fields; a file, or nothing, counts as empty."""
    return {
        name: value.strip() if isinstance(value := form.get(name, ""), str) else ""
        for name in names
    }
