"""A day and an instant as they are written: 2026-12-24, 2026-12-24T08:00:00Z. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_WRITTEN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def written_day(value: object) -> object:
    """Read a day; raises PydanticCustomError. Pydantic would take a number for one, too."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _WRITTEN.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:  # such as 30 February
            pass
    raise PydanticCustomError("invalid_day", "not a day such as 2026-12-24")


def written_instant(value: datetime) -> str:
    """RFC 3339 in UTC, with a fraction of a second only where there is one."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Day = Annotated[date, BeforeValidator(written_day)]
