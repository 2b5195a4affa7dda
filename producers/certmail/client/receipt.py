"""The receipt: once it is given, the reminder is durable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certmail_config.base.dates import rfc3339
from certmail_config.jobs.languages import DEFAULT
from certmail_config.jobs.states import State


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one enqueued reminder. For a duplicate, id and state are those of the first.

    `forecast_at` says when it is expected to leave, given Google's limits and what waits already;
    None where nobody knows: its connection does not work yet, say. `language` is that of the mail;
    where it is not the one that was asked for, `language_note` says why.
    """

    id: str
    state: State
    duplicate: bool
    forecast_at: datetime | None = None
    language: str = DEFAULT
    language_note: str | None = None

    def as_json(self) -> dict[str, object]:
        """The form that every interface gives it."""
        return {
            "id": self.id,
            "state": str(self.state),
            "duplicate": self.duplicate,
            "forecast_at": rfc3339(self.forecast_at) if self.forecast_at else None,
            "language": self.language,
            "language_note": self.language_note,
        }
