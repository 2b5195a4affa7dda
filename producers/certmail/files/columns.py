"""Which field each column of a table holds, told from its header. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.jobs.reminder import Reminder

REQUIRED: Final = ("tenant", "to")
REASON: Final = "rejected_because"
"""A column that is passed over: rows that were rejected come back with it."""
_MAX_NAMED: Final = 10
"""Columns that a message names."""
_BETWEEN: Final = re.compile(r"[\s_-]+")


def plain(column: str) -> str:
    """A column's name without what does not matter: case, blanks, hyphens, a byte order mark."""
    text = unicodedata.normalize("NFKC", column.replace("\ufeff", "")).strip().casefold()
    return _BETWEEN.sub("_", text)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file's columns are named, where that is not as the fields are; '' leaves a column out.

    `fixed`: on every row.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, column: str) -> str | None:
        """The field that a column holds; None where it is left out."""
        if plain(column) == REASON:
            return None
        named = self.names.get(column.strip(), self._by_plain_name().get(plain(column)))
        if named is not None:
            return named or None
        return plain(column) if plain(column) in Reminder.model_fields else column

    def fields(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An object of JSON by fields; what it says itself is not overwritten.

        Names are taken as they are.
        """
        named: dict[str, Any] = {}
        for member, value in given.items():
            name = self.names.get(member, member)
            if name and member != REASON:
                named[name] = value

        return {**self.fixed, **named}

    def check(self) -> None:
        """Raises WrongUse for a field that does not exist."""
        unknown = [
            n for n in (*self.names.values(), *self.fixed) if n and n not in Reminder.model_fields
        ]
        if unknown:
            message = (
                f"certmail knows no field {', '.join(map(repr, unknown))}; nothing was enqueued."
            )
            raise WrongUse("unknown_field", message, f"Fields: {', '.join(Reminder.model_fields)}.")

    def missing(self, columns: Iterable[str]) -> list[str]:
        """What every row needs and neither the columns nor `fixed` give."""
        known = {self.field_of(column) for column in columns}
        return [name for name in REQUIRED if name not in known and name not in self.fixed]

    def _by_plain_name(self) -> dict[str, str]:
        return {plain(column): name for column, name in self.names.items()}


class Columns:
    """A header that was understood."""

    def __init__(self, header: Sequence[str], layout: Layout) -> None:
        """Raises WrongUse for a header that leaves open what is meant."""
        self._layout = layout
        self._fields = [layout.field_of(column) if column.strip() else None for column in header]
        self._nameless = [not column.strip() for column in header]
        self.named = [column.strip() for column in header if column.strip()]
        self.width = len(header)
        _check(self.named, layout)

    def read(self, cells: Sequence[str]) -> dict[str, str]:
        """A row's cells by field, blank ones left out.

        Raises ReminderRejected for more or fewer cells than there are columns.
        """
        while len(cells) > len(self._fields) and not cells[-1].strip():
            cells = cells[:-1]

        if len(cells) != len(self._fields):
            message = f"{len(cells)} columns, but the header names {len(self._fields)}"
            raise ReminderRejected("wrong_columns", message)
        if any(bare and cell.strip() for bare, cell in zip(self._nameless, cells, strict=True)):
            raise ReminderRejected("wrong_columns", "a value stands in a column that has no name")

        pairs = zip(self._fields, cells, strict=True)
        return {name: cell for name, cell in pairs if name is not None and cell.strip()}

    def looks_like_a_row(self, cells: Sequence[str]) -> bool:
        """Whether cells that were taken for a part of another row are one of their own.

        They are if they are as many as the columns, and hold an address.
        """
        if len(cells) != len(self._fields):
            return False
        return any(n == "to" and "@" in cell for n, cell in zip_longest(self._fields, cells))


def _named(columns: Sequence[str]) -> str:
    """The columns for a message, as they were read: so one sees what was taken for a delimiter."""
    more = f" and {len(columns) - _MAX_NAMED} more" if len(columns) > _MAX_NAMED else ""
    return ", ".join(repr(column[:60]) for column in columns[:_MAX_NAMED]) + more


def _check(columns: Sequence[str], layout: Layout) -> None:
    present = {plain(column) for column in columns}
    absent = [
        column for column in layout.names if column not in columns and plain(column) not in present
    ]
    fields = [name for column in columns if (name := layout.field_of(column)) is not None]
    unknown = [
        c
        for c in columns
        if (n := layout.field_of(c)) is not None and n not in Reminder.model_fields
    ]
    known = ", ".join(Reminder.model_fields)

    if absent:
        raise WrongUse(
            "missing_column",
            f"The file has no column {', '.join(map(repr, absent))}, which --map names; nothing was enqueued.",
            f"Its columns: {', '.join(columns)}.",
        )

    if missing := layout.missing(columns):
        raise WrongUse(
            "missing_column",
            f"The file has no column {', '.join(missing)}; its columns are {_named(columns)}. Nothing was enqueued.",
            f"Columns: {known}. Others are named with --map COLUMN=FIELD, and what all rows share with --set FIELD=VALUE.",
        )

    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise WrongUse(
            "unknown_column",
            f"The file has columns that certmail does not know: {names}; nothing was enqueued.",
            f"Columns: {known}. --map COLUMN=FIELD says what one is, --map COLUMN= leaves it out.",
        )

    if doubled := [name for name, count in Counter(fields).items() if count > 1]:
        message = f"The file names a column twice: {', '.join(doubled)}; nothing was enqueued."
        raise WrongUse(
            "doubled_column", message, "Leave one out, or say with --map COLUMN= which one."
        )
