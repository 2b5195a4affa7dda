"""Events that are set aside, so that all others are recorded.

The recorder could not read them, or the database not take them.

Pure. What is kept of one is what an operator needs to see whence it came. Its sealed content is
not: who erases an address would not find it there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from certmail_config.base.redaction import quote

BODY: Final = b"body"
MAX_FIELDS: Final = 50
MAX_CHARACTERS: Final = 300
_ID, _TYPE, _TENANT, _JOB = 64, 32, 63, 36


@dataclass(frozen=True, slots=True)
class Aside:
    """One such event, as it lies in the stream, and why it is set aside."""

    id: str
    raw: Mapping[bytes, bytes]
    reason: str

    @property
    def at(self) -> datetime | None:
        """When it happened, by the server that took it in.

        None for an id that is beyond the calendar.
        """
        try:
            return datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None


def aside_row(aside: Aside, now: datetime) -> dict[str, Any]:
    """Its row, which any database takes, whatever the event holds."""
    names = list(aside.raw)[:MAX_FIELDS]
    fields = {_text(name): _shown(name, aside.raw[name]) for name in names}
    if len(aside.raw) > len(names):
        fields["…"] = f"{len(aside.raw) - len(names)} more"

    return {
        "id": aside.id[:_ID],
        "at": now,
        "reason": quote(aside.reason),
        "type": _known(aside.raw, b"type", _TYPE),
        "tenant": _known(aside.raw, b"tenant", _TENANT),
        "job": _known(aside.raw, b"job", _JOB),
        "fields": json.dumps(fields),
    }


def why(error: Exception) -> str:
    """The reason that an exception gives, without what it may quote of the event."""
    if isinstance(error, KeyError):
        return f"it lacks {error.args[0]!r}"
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    return f"{type(cause).__name__}: {cause}".partition("\n")[0]


def lies_in_data(error: Exception) -> bool:
    """Whether a write failed for what was to be written.

    Else the database is away, or not as it should be: then all waits.
    """
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError) and not error.connection_invalidated
    return not isinstance(error, SQLAlchemyError) or isinstance(error, StatementError)


def _known(raw: Mapping[bytes, bytes], name: bytes, max_length: int) -> str | None:
    """A field that names something, if it could be a name."""
    try:
        text = raw.get(name, b"").decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and 0 < len(text) <= max_length else None


def _shown(name: bytes, value: bytes) -> str:
    return f"({len(value)} bytes)" if name == BODY else _text(value)


def _text(value: bytes) -> str:
    return quote(value[: 4 * MAX_CHARACTERS].decode("utf-8", "backslashreplace"), MAX_CHARACTERS)
