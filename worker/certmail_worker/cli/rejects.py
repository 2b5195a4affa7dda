"""The file of rejected rows: each as it was given, with the reason, so that it can be corrected and sent as it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from certmail_config.errors import ReminderRejected, WrongUse
from certmail_worker.cli.rows import REASON, Row


class Rejects:
    """Writes rows as they are rejected, so that an interrupted run leaves what it found. Nothing without a file."""

    def __init__(self, target: TextIO | None, form: Literal["csv", "jsonl"]) -> None:
        self._target = target
        self._form = form
        self._table: csv.DictWriter[str] | None = None

    def add(self, row: Row, why: ReminderRejected) -> None:
        """Write one row."""
        if self._target is None:
            return
        reason = f"line {row.line}: {f'{why.field}: ' if why.field else ''}{why.message} ({why.code})"
        given = {name: value for name, value in row.given.items() if name != REASON} | {REASON: reason}
        if self._form == "jsonl":
            self._target.write(json.dumps(given, ensure_ascii=False) + "\n")
        else:
            if self._table is None:
                self._table = csv.DictWriter(self._target, list(given), lineterminator="\n")
                self._table.writeheader()
            self._table.writerow(given)
        self._target.flush()


@contextmanager
def rejects(file: str | None, form: Literal["csv", "jsonl"]) -> Iterator[Rejects]:
    """Open the file, which is written over; raises WrongUse."""
    if file is None:
        yield Rejects(None, form)
        return
    try:
        # Bytes that are no UTF-8 are written as they came.
        with Path(file).open("w", encoding="utf-8", errors="surrogateescape", newline="") as target:
            yield Rejects(target, form)
    except OSError as error:
        raise WrongUse("unwritable_file", f"{file} cannot be written: {error.strerror}.") from None
