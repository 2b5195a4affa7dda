"""What the API's models share: how they behave, times, and lists by the page."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from certmail_config.base.dates import rfc3339
from certmail_config.base.numbers import whole

MAX_IN_PAGE = 500
NO_NUL = r"^[^\x00]*$"
"""No NUL, which databases refuse."""
T = TypeVar("T")


class Model(BaseModel):
    """All are frozen; a client must allow for fields that come later."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_TIME: Final = "a time with its zone is wanted, as in 2026-11-25T09:00:00Z"
_PLUS: Final = (
    "a time with its zone is wanted; in an address a + stands for a space, so write it as %2B, "
    "as in 09:00:00%2B01:00"
)


def _rfc3339(value: object) -> object:
    """Refuse what Pydantic would take for a time, too: numbers and dates."""
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        plus = _RFC3339.fullmatch(value.replace(" ", "+")) is not None
        raise PydanticCustomError("invalid_time", _PLUS if plus else _TIME)
    return value


GivenTime = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]
"""A time in a request."""
Time = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in an answer."""
OnlyTenant = Annotated[
    str | None, Field(max_length=63, pattern=NO_NUL, description="Only this tenant's.")
]


class Page(Model, Generic[T]):
    """Some of a list; `next` is the cursor of what follows, null at the end."""

    items: list[T]
    next: str | None


class PageQuery(Model):
    """How much of a list, and from where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[
        int, Field(ge=1, le=MAX_IN_PAGE, description="At most so many."), BeforeValidator(whole)
    ] = 100
    cursor: Annotated[
        str,
        Field(max_length=400, description="The `next` of the page before; empty for the first."),
    ] = ""
