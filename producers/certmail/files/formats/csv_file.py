"""CSV as spreadsheets write it: any delimiter, any line end, a title above the header.

And quotes that were forgotten. Every line that is not blank is in exactly one row, with its very
bytes: it is sent, or it is rejected.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from certmail.files.columns import Columns, Layout
from certmail.files.formats.encoding import Encoding
from certmail.files.formats.lines import Line
from certmail.files.row import Row, Terms, table_row
from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.base.text.formulas import as_meant

MAX_FIELD_CHARACTERS: Final = 1_000_000
DELIMITERS: Final = ",;\t|"
_BARE: Final = ' \t\r\n"'
_MAX_ABOVE: Final = 30
"""Lines among which the header is looked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a table: how it is written, its header, and what stands before."""

    delimiter: str
    columns: Sequence[str]
    header: bytes
    declared: bytes = b""
    """The line `sep=;`, with which Excel is told the delimiter."""
    title_lines: int = 0


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file of which the head was read."""

    head: Head
    rows: Iterator[Row]


def read_csv(lines: Iterator[Line], encoding: Encoding, terms: Terms) -> CsvFile:
    """Read all rows.

    Raises WrongUse before the first where the file as a whole is not what it should be.
    """
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    above = list(islice(lines, _MAX_ABOVE))
    head, taken = find_head(above, terms.layout)
    columns = Columns(head.columns, terms.layout)
    rest = _Lines(chain(above[taken:], lines))
    return CsvFile(head, _rows(rest, head.delimiter, columns, encoding, terms))


def find_head(lines: Sequence[Line], layout: Layout) -> tuple[Head, int]:
    """The head, and how many of the lines it takes.

    Where no line names what every row needs, the first that is not blank.
    """
    start = next((n for n, line in enumerate(lines) if line.text.strip("\ufeff \t\r\n")), None)
    if start is None:
        raise WrongUse(
            "empty_file",
            "The file is empty: a line must name the columns, tenant and to among them.",
        )

    declared, delimiters = b"", DELIMITERS
    if named := _declared(lines[start].text):
        declared, delimiters, start = lines[start].raw, named, start + 1

    guesses = [_guess(lines, start, delimiter, layout) for delimiter in delimiters]
    fits, _, columns, first, end, delimiter = max(guesses, key=lambda each: each[:2])
    titles = (
        sum(bool(line.text.strip(_BARE + delimiter)) for line in lines[start:first]) if fits else 0
    )
    header = b"".join(line.raw for line in lines[first:end])

    return Head(delimiter, columns, header, declared, titles), end


def _guess(
    lines: Sequence[Line], start: int, delimiter: str, layout: Layout
) -> tuple[bool, int, list[str], int, int, str]:
    """The header that a delimiter would show, so that delimiters can be compared.

    Whether it is one, its length, its columns, its first line and that after it, the delimiter.
    """
    reader = csv.reader((line.text.lstrip("\ufeff") for line in lines[start:]), delimiter=delimiter)
    before, first = start, None

    try:
        for cells in reader:
            columns = [cell.replace("\ufeff", "").strip() for cell in cells]
            found = (columns, before, start + reader.line_num, delimiter)
            before = start + reader.line_num
            if not any(columns):
                continue
            first = first or (False, len(columns), *found)
            if not layout.missing(columns):
                return (True, len(columns), *found)
    except csv.Error:
        pass  # an endless cell is no header

    return first or (False, 0, [], start, start + 1, delimiter)


def _declared(text: str) -> str | None:
    """The delimiter that a first line `sep=;` names."""
    declaration = text.strip("\ufeff\r\n \"'")
    if declaration[:4].lower() != "sep=":
        return None

    if len(declaration) == 5:
        return declaration[4]
    return "\t" if len(declaration) == 4 and "\t" in text else None


class _Lines:
    """The lines, as the CSV reader takes them; those that it took too many are given back."""

    def __init__(self, source: Iterable[Line]) -> None:
        self._source = iter(source)
        self._again: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.taken.append(line)
        return line.text

    def keep_one(self) -> Line:
        """Give all but the first back."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        return first


def _rows(
    lines: _Lines, delimiter: str, columns: Columns, encoding: Encoding, terms: Terms
) -> Iterator[Row]:
    called = encoding.name.upper()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)

    while True:
        lines.taken = []
        try:
            cells = next(reader)
            why = _swallowed(lines.taken, delimiter, columns) if len(lines.taken) > 1 else None
        except StopIteration:
            return
        except csv.Error as error:
            why = _why(str(error), lines.taken)

        if why is not None:
            # A quote that was forgotten costs its own line: the others are read anew.
            line = lines.keep_one()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield Row(line.number, ReminderRejected("malformed_row", why), line.raw)
            continue

        # A blank line is no record, nor are the bare delimiters that spreadsheets leave behind.
        if not any(cell.strip() for cell in cells):
            continue

        number, raw = lines.taken[0].number, b"".join(line.raw for line in lines.taken)
        if any("\0" in line.text for line in lines.taken):
            yield Row(
                number,
                ReminderRejected("malformed_row", "holds a character that no text has (NUL)"),
                raw,
            )
            continue

        yield table_row(number, [as_meant(cell) for cell in cells], columns, terms, raw, called)


def _swallowed(taken: Sequence[Line], delimiter: str, columns: Columns) -> str | None:
    """Why a record of several lines is none: one of them is a row of its own."""
    for line in taken[1:]:
        [cells] = csv.reader([line.text], delimiter=delimiter)
        if columns.looks_like_a_row(cells):
            return _reach(taken)
    return None


def _why(error: str, taken: Sequence[Line]) -> str:
    if len(taken) > 1:
        return _reach(taken)
    if "field larger" in error:
        return f"a cell is longer than {MAX_FIELD_CHARACTERS:,} characters"
    if "unexpected end" in error:
        return "not proper CSV: a quote is opened and the closing quote is missing"
    return 'not proper CSV: a quote inside a quoted cell must be written twice ("")'


def _reach(taken: Sequence[Line]) -> str:
    reach = f"lines {taken[0].number} to {taken[-1].number} would be one record"
    return f"not proper CSV: {reach}; is a closing quote missing?"
