"""One record of a file, read as a reminder: what all forms of files do alike with its values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from certmail.files.columns import Columns, Layout
from certmail.files.dates import FIELDS, DateDefaults, normalize
from certmail.files.formats.cells import garbled, says_nothing
from certmail_config.base.errors import ReminderRejected
from certmail_config.jobs.reminder import Reminder, parse

_SHOWN: Final = frozenset({"name", "campaign_name"})
"""Fields that stand in the mail as they are."""
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
"""What stands in a text for a byte that was none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record; `line` is where it starts, a file's first line being line 1.

    `kept` is the record as it was, for the file of rejected rows, whose writer knows its form.
    `left_out` are fields whose cells say nothing (#N/A, NULL), each with what it says.
    """

    line: int
    reminder: Reminder | ReminderRejected
    kept: Any = None
    left_out: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What the command line says about a file."""

    layout: Layout = field(default_factory=Layout)
    dates: DateDefaults = field(default_factory=DateDefaults)


class Rejects(Protocol):
    """Writes rejected rows in the form of their file, so that they can be corrected and sent."""

    def add(self, row: Row, reason: str) -> None:
        """Write one row with the reason."""

    def close(self) -> None:
        """Write what is left."""


def table_row(
    line: int, cells: Sequence[str], columns: Columns, terms: Terms, kept: Any, found: str = "UTF-8"
) -> Row:
    """Read a row of a table; `found` is the encoding that its text is believed to be in."""
    try:
        given = {**terms.layout.fixed, **columns.read(cells)}
    except ReminderRejected as why:
        return Row(line, why, kept)
    return checked_row(line, given, terms, kept, found)


def checked_row(
    line: int, given: Mapping[str, Any], terms: Terms, kept: Any, found: str = "UTF-8"
) -> Row:
    """Read a record by its fields, as the contract has it."""
    left_out: list[tuple[str, str]] = []

    try:
        _require_text(given.items(), found)
        value = dict(given)

        for name, text in given.items():
            if isinstance(text, str) and says_nothing(name, text):
                left_out.append((name, text.strip()))
                del value[name]
            elif name in _SHOWN and isinstance(text, str) and (why := garbled(text)):
                raise ReminderRejected("garbled_text", why, field=name)

        for name in FIELDS & value.keys():
            if isinstance(value[name], str):
                value[name] = normalize(name, value[name], value.get("time_zone"), terms.dates)

        return Row(line, parse(value), kept, left_out)
    except ReminderRejected as why:
        return Row(line, why, kept)


def _require_text(values: Iterable[tuple[str, Any]], found: str) -> None:
    for name, item in values:
        if isinstance(item, str) and not item.isascii() and _NO_TEXT.search(item):
            hint = (
                "; if it is another encoding, say which, with --encoding"
                if found == "UTF-8"
                else ""
            )
            raise ReminderRejected("invalid_encoding", f"not valid {found}{hint}", field=name)
