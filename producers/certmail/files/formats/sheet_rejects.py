"""Rejected rows of a sheet, as a sheet: values as they were, dates as dates. Imports openpyxl."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from certmail.files.columns import REASON, plain
from certmail.files.formats.sheet import Cell
from certmail.files.row import Row


class SheetRejects:
    """Writes rejected rows as a workbook, when all are known: it cannot be added to."""

    def __init__(self, target: BinaryIO, header: Sequence[Cell]) -> None:
        self._target = target
        self._again = plain(header[0].text) == REASON
        self._header = header[1:] if self._again else header
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("rejected")
        self._begun = False

    def add(self, row: Row, reason: str) -> None:
        """Keep one row."""
        if not self._begun:
            self._begun = True
            self._sheet.append([REASON, *(cell.text for cell in self._header)])

        cells = row.kept[1:] if self._again else row.kept
        self._sheet.append([reason, *(self._written(cell) for cell in cells)])

    def close(self) -> None:
        """Write the workbook."""
        if self._begun:
            self._book.save(cast("Any", self._target))

    def _written(self, cell: Cell) -> Any:
        written = WriteOnlyCell(self._sheet, cell.value)
        if isinstance(cell.value, str):
            written.data_type = "s"  # what begins with = is a text here: it came from others
        elif cell.value is not None:
            written.number_format = cell.number_format
        return written
