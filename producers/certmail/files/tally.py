"""What became of a file's rows: counted, equal faults as one; with `details` also one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from certmail import Receipt
from certmail.files.row import Row
from certmail_config.base.errors import ReminderRejected
from certmail_config.jobs.states import State

_MAX_LINES: Final = 5
"""Lines that are named of equal faults."""
_MAX_KINDS: Final = 1000
"""Kinds of faults, and of notes, that are counted one by one."""
_WAITING: Final = frozenset({State.READY, State.SCHEDULED})


@dataclass(slots=True)
class Occurrences:
    """Equal things in several rows: how many, and where the first are."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < _MAX_LINES:
            self.first.append(line)

    def __str__(self) -> str:
        """As in "2, 3, 4 … (300)"."""
        named = ", ".join(map(str, self.first))
        return named if self.count <= len(self.first) else f"{named} … ({self.count})"


class Tally:
    """The counts of a file's rows; without `details` it stays small, however long the file is."""

    def __init__(self, *, details: bool = True) -> None:
        self._details = details

        self.good = 0
        self.enqueued = 0
        self.rejected = 0
        self.states: Counter[tuple[str, bool]] = Counter()
        """Of receipts, by whether they are of duplicates."""

        self.latest: datetime | None = None
        """When the last reminder leaves, of those whose forecast is known."""
        self.without_forecast = 0

        self.faults: dict[tuple[str | None, str, str], Occurrences] = {}
        self.left_out: dict[tuple[str, str], Occurrences] = {}
        self.language_notes: Counter[str] = Counter()
        """Why mails will not be in the language that was asked for, each with how many."""

        self._rejected: list[dict[str, object]] = []
        self._receipts: list[dict[str, Any]] = []

    @property
    def taken(self) -> int:
        """How many reminders are in, duplicates too."""
        return sum(self.states.values())

    @property
    def waiting(self) -> int:
        """How many wait for their turn or their time, duplicates too."""
        return sum(count for (state, _), count in self.states.items() if state in _WAITING)

    @property
    def duplicates(self) -> int:
        """How many were in before."""
        return self.taken - self.enqueued

    def receive(self, receipt: Receipt) -> None:
        """Count a reminder that is in."""
        self.enqueued += not receipt.duplicate
        self.states[receipt.state, receipt.duplicate] += 1
        if receipt.state in _WAITING:
            forecast = receipt.forecast_at
            self.without_forecast += forecast is None
            self.latest = max(filter(None, (self.latest, forecast)), default=None)
        self._note(receipt.language_note)
        if self._details:
            self._receipts.append(receipt.as_json())

    def allow(self, language_note: str | None) -> None:
        """Count a reminder that could be enqueued, and why its mail is in another language."""
        self.good += 1
        self._note(language_note)

    def _note(self, why: str | None) -> None:
        if why is not None and (
            why in self.language_notes or len(self.language_notes) < _MAX_KINDS
        ):
            self.language_notes[why] += 1

    def reject(self, row: Row, why: ReminderRejected) -> None:
        """Count a row that is not taken."""
        self.rejected += 1
        fault = (why.field, why.code, why.message)
        if fault not in self.faults and len(self.faults) >= _MAX_KINDS:
            fault = (why.field, why.code, "other faults of this kind")
        self.faults.setdefault(fault, Occurrences()).add(row.line)
        if self._details:
            self._rejected.append(
                {"row": row.line, "field": why.field, "code": why.code, "message": why.message}
            )

    def count_left_out(self, row: Row) -> None:
        """Count the cells of a row that say nothing."""
        for name, value in row.left_out:
            self.left_out.setdefault((name, value), Occurrences()).add(row.line)

    def as_json(self, *, dry_run: bool = False) -> dict[str, Any]:
        """The report in JSON, of what was enqueued, or with `dry_run` of what would be."""
        left_out: Sequence[dict[str, object]] = [
            {"field": name, "value": value, "rows": found.count, "first": found.first}
            for (name, value), found in self.left_out.items()
        ]
        notes = [
            {"message": why, "reminders": count} for why, count in self.language_notes.most_common()
        ]

        if dry_run:
            return {
                "dry_run": True,
                "good": self.good,
                "rejected": self._rejected,
                "left_out": left_out,
                "language_notes": notes,
            }

        return {
            "enqueued": self.enqueued,
            "duplicates": self.duplicates,
            "rejected": self._rejected,
            "left_out": left_out,
            "language_notes": notes,
            "receipts": self._receipts,
        }
