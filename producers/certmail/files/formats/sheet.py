"""Excel's own files (.xlsx): the values of one sheet, as text, row by row.

Imports openpyxl, so it is imported when one is sent.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice, repeat
from typing import IO, Any, Final

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from certmail.files.columns import Columns
from certmail.files.row import Row, Terms, table_row
from certmail_config.base.errors import ReminderRejected, WrongUse

MAX_SHEET_BYTES: Final = 2_000_000_000
MAX_OTHER_BYTES: Final = 300_000_000
"""Unpacked. A sheet is read row by row; its texts and styles are in memory."""
_MAX_ABOVE: Final = 30
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
_PADDED: Final = re.compile(r"0{2,15}")
_HAS_TIME: Final = re.compile(r"[hs]", re.IGNORECASE)
_LITERAL: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_NOT_CALCULATED: Final = "#CALC!"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's value, with the format that it is shown in, and as text."""

    value: Any
    number_format: str
    text: str


_EMPTY: Final = Cell(None, "General", "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of which the header was read."""

    title: str
    others: Sequence[str]
    header: Sequence[Cell]
    title_lines: int
    rows: Iterator[Row]


@contextmanager
def read_sheet(file: IO[bytes], wanted: str | None, terms: Terms) -> Iterator[Sheet]:
    """Read the sheet of that name, else the first that is shown.

    Raises WrongUse where there is none, or no header in it.
    """
    # The warnings are of styles and extensions that openpyxl does not keep; nothing is written
    # back.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")

    with _translate_damage():
        _check_size(file)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)

    try:
        name = _choose(book, wanted)
        table = _undamaged(_cells(file, book, name))

        above = list(islice(table, _MAX_ABOVE))
        place, header = _header(above, terms)
        columns = Columns([cell.text for cell in header], terms.layout)
        rows = _rows(chain(above[place + 1 :], table), columns, terms)
        titles = sum(any(cell.text.strip() for cell in cells) for _, cells in above[:place])
        others = [each.title for each in book.worksheets if each.title != name]

        yield Sheet(name, others, header, titles, rows)
    finally:
        book.close()


def _choose(book: Any, wanted: str | None) -> str:
    sheets = list(book.worksheets)
    if not sheets:
        message = 'certmail finds no sheet in the file; it may be a "Strict Open XML" workbook. Nothing was enqueued.'
        raise WrongUse(
            "foreign_file", message, 'Save it as "Excel Workbook (.xlsx)" or "CSV UTF-8".'
        )

    if wanted is None:
        shown = next((each for each in sheets if each.sheet_state == "visible"), None)
        if shown is None:
            raise WrongUse(
                "empty_file", "The file has no sheet that is shown; nothing was enqueued."
            )
        return str(shown.title)

    if wanted not in {each.title for each in sheets}:
        message = f"The file has no sheet {wanted!r}; nothing was enqueued."
        raise WrongUse(
            "unknown_sheet", message, f"Its sheets: {', '.join(each.title for each in sheets)}."
        )

    return wanted


def _cells(file: IO[bytes], book: Any, name: str) -> Iterator[tuple[int, list[Cell]]]:
    """Each row with its number.

    Formulas whose value is not in the file, as programs write them, are told from empty cells.
    """
    sheet = book[name]
    sheet.reset_dimensions()  # what a file says of its size is often wrong
    formulas: Iterator[Any] = repeat(None)
    other = None

    if _has_formulas(book, sheet):
        other = load_workbook(file, read_only=True, data_only=False, keep_links=False)
        other[name].reset_dimensions()
        formulas = other[name].iter_rows()

    try:
        for number, (row, formula) in enumerate(zip(sheet.iter_rows(), formulas, strict=False), 1):
            cells = [_cell(each) for each in row]
            for place, each in enumerate(formula or ()):
                if each.data_type == "f" and cells[place].value is None:
                    cells[place] = Cell(_NOT_CALCULATED, "General", _NOT_CALCULATED)
            yield number, cells
    finally:
        if other is not None:
            other.close()


def _has_formulas(book: Any, sheet: Any) -> bool:
    before = b""
    # There is no public name.
    with book._archive.open(sheet._worksheet_path) as packed:  # noqa: SLF001
        while chunk := packed.read(1 << 20):
            if _FORMULA.search(before + chunk):
                return True
            before = chunk[-40:]

    return False


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return _EMPTY
    if isinstance(value, str):
        return Cell(value, "General", value)
    form = str(cell.number_format or "General")
    return Cell(value, form, _text(value, form))


def _text(value: Any, form: str) -> str:
    """The meaning of a cell as text: dates in ISO's order, numbers without separators."""
    match value:
        case bool():
            return str(value).upper()
        case datetime():
            exact = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
            shows_time = _HAS_TIME.search(_LITERAL.sub("", form)) is not None
            if shows_time or exact.time() != time():
                return exact.isoformat(" ")
            return exact.date().isoformat()
        case date() | time():
            return value.isoformat()
        case int() | float() if value == int(value) and abs(value) < 1e15:
            digits = str(abs(int(value)))
            padded = digits.zfill(len(form)) if _PADDED.fullmatch(form) else digits
            return f"-{padded}" if value < 0 else padded
        case _:
            return str(value)


def _header(above: Sequence[tuple[int, list[Cell]]], terms: Terms) -> tuple[int, list[Cell]]:
    first = None

    for place, (_, cells) in enumerate(above):
        names = [cell.text for cell in cells]
        if not any(name.strip() for name in names):
            continue
        if not terms.layout.missing(name for name in names if name.strip()):
            return place, cells
        first = first or (place, cells)

    if first is None:
        raise WrongUse(
            "empty_file",
            "The sheet is empty: a row must name the columns, tenant and to among them.",
        )

    return first


def _rows(table: Iterator[tuple[int, list[Cell]]], columns: Columns, terms: Terms) -> Iterator[Row]:
    for number, cells in table:
        if not any(cell.text.strip() for cell in cells):
            continue
        texts = [cell.text for cell in cells] + [""] * (columns.width - len(cells))
        if _NOT_CALCULATED in texts:
            why = "a formula's value is not in the file: open it in a spreadsheet program and save it there"
            yield Row(number, ReminderRejected("not_calculated", why), cells)
            continue
        yield table_row(number, texts, columns, terms, cells)


def _check_size(file: IO[bytes]) -> None:
    """Refuse a file that would fill the memory or the day; raises WrongUse."""
    with zipfile.ZipFile(file) as packed:
        sheets = [
            each.file_size
            for each in packed.infolist()
            if each.filename.startswith("xl/worksheets/")
        ]
        rest = sum(each.file_size for each in packed.infolist()) - sum(sheets)

    if rest > MAX_OTHER_BYTES or max(sheets, default=0) > MAX_SHEET_BYTES:
        raise WrongUse(
            "too_large", "The file unpacks to more than certmail reads; nothing was enqueued.",
            'Save it as "CSV UTF-8" and send that.',
        )  # fmt: skip


@contextmanager
def _translate_damage() -> Iterator[None]:
    """Raise WrongUse for whatever openpyxl raises at a file that is damaged, or no workbook."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        InvalidFileException,
        LookupError,
        ValueError,
        SyntaxError,
        EOFError,
    ) as error:
        message = f"The file is damaged, or no Excel workbook ({type(error).__name__})."
        remedy = 'Open it in a spreadsheet program and save it anew, as .xlsx or "CSV UTF-8".'
        raise WrongUse("unreadable_file", message, remedy) from error


def _undamaged(table: Iterator[tuple[int, list[Cell]]]) -> Iterator[tuple[int, list[Cell]]]:
    while True:
        with _translate_damage():
            try:
                row = next(table)
            except StopIteration:
                return
        yield row
