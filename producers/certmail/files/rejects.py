"""The file of rejected rows: each as it was, byte for byte, with the reason before it.

So it can be corrected and sent. The reason is a column (or a member) of its own that stands first,
so that what follows may be as broken as it was.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

from certmail.files.columns import REASON, plain
from certmail.files.formats.csv_file import Head
from certmail.files.formats.encoding import BOM, UTF_8, Encoding
from certmail.files.row import Row
from certmail_config.base.text.formulas import harmless

_OWN_MEMBER: Final = re.compile(r'\s*\{\s*"' + REASON + r'"\s*:\s*"(?:[^"\\]|\\.)*"\s*,?')
_OBJECT: Final = re.compile(r"\s*\{\s*")


class CsvRejects:
    """Writes rejected rows as CSV, in the file's own encoding, delimiter and line ends.

    UTF-8 is marked, as spreadsheets want it.
    """

    def __init__(self, target: BinaryIO, head: Head, encoding: Encoding) -> None:
        self._target = target
        self._head = head
        self._encoding = encoding
        self._begun = False

        self._again = plain(head.columns[0]) == REASON
        self._own_cell = re.compile(
            rf'(?:"(?:[^"]|"")*"|[^"{re.escape(head.delimiter)}\r\n]*){re.escape(head.delimiter)}'
        )
        self._line_end = next(
            (end for end in ("\r\n", "\n", "\r") if encoding.decode(head.header).endswith(end)),
            "\n",
        )

    def add(self, row: Row, reason: str) -> None:
        """Write one row."""
        if not self._begun:
            self._begun = True
            header = self._head.header if self._again else self._cell(REASON) + self._head.header
            mark = self._encoding.mark or (BOM if self._encoding.name == UTF_8 else b"")
            self._target.write(mark + self._head.declared + self._ended(header))

        raw = self._without_reason(row.kept) if self._again else row.kept
        quoted = reason.replace('"', '""').replace("\n", " ")
        self._target.write(self._cell(f'"{quoted}"') + self._ended(raw))
        self._target.flush()

    def close(self) -> None:
        """There is nothing left: each row is written as it comes."""

    def _cell(self, text: str) -> bytes:
        return self._encoding.encode(text + self._head.delimiter)

    def _ended(self, raw: bytes) -> bytes:
        """A line with its end, which the last of a file may not have."""
        if self._encoding.decode(raw).endswith(("\n", "\r")):
            return raw
        return raw + self._encoding.encode(self._line_end)

    def _without_reason(self, raw: bytes) -> bytes:
        """A row that was rejected before, without the reason that was given then."""
        found = self._own_cell.match(self._encoding.decode(raw))
        reason = self._encoding.encode(found[0]) if found else b""
        return raw.removeprefix(reason)


class JsonLinesRejects:
    """Writes rejected objects, one a line.

    What is no object has its reason in a line of its own before it.
    """

    def __init__(self, target: BinaryIO, encoding: Encoding) -> None:
        self._target = target
        self._encoding = encoding
        self._begun = False

    def add(self, row: Row, reason: str) -> None:
        """Write one row."""
        if not self._begun:
            self._begun = True
            self._target.write(self._encoding.mark)

        raw: bytes = row.kept
        before, begins = _reason_before(self._encoding.decode(raw), reason, "\n")
        rest = raw[len(self._encoding.encode(begins)) :]
        ended = self._encoding.decode(rest).endswith(("\n", "\r"))
        self._target.write(
            self._encoding.encode(before) + rest + (b"" if ended else self._encoding.encode("\n"))
        )
        self._target.flush()

    def close(self) -> None:
        """There is nothing left."""


class ArrayRejects:
    """Writes rejected elements of an array as an array, each as it was written."""

    def __init__(self, target: BinaryIO, encoding: Encoding) -> None:
        self._target = target
        self._encoding = encoding
        self._begun = False

    def add(self, row: Row, reason: str) -> None:
        """Write one element."""
        before = ",\n" if self._begun else "[\n"
        self._target.write(b"" if self._begun else self._encoding.mark)
        self._begun = True

        reasoned, begins = _reason_before(row.kept, reason, ",\n")
        self._write(before + reasoned + row.kept[len(begins) :])
        self._target.flush()

    def close(self) -> None:
        """End the array."""
        if self._begun:
            self._write("\n]\n")

    def _write(self, text: str) -> None:
        self._target.write(
            text.encode(
                self._encoding.name, "surrogatepass" if self._encoding.wide else "surrogateescape"
            )
        )


def _reason_before(raw: str, reason: str, between: str) -> tuple[str, str]:
    """A record's beginning with its reason as the first member, and the text that this replaces.

    What is no object has an object before it that says the reason.
    """
    member = f'"{REASON}": {json.dumps(reason, ensure_ascii=False)}'
    begins = _OWN_MEMBER.match(raw) or _OBJECT.match(raw)
    if begins is None:
        return f"{{{member}}}{between}", ""

    empty = raw[begins.end() :].lstrip().startswith("}")
    return f"{{{member}{'' if empty else ', '}", begins[0]


class SheetAsCsvRejects:
    """Writes rejected rows of a sheet as CSV, where that is asked for.

    UTF-8 with a mark, as spreadsheets want it, and nothing in it calculates.
    """

    def __init__(self, target: BinaryIO, header: Sequence[Any]) -> None:
        self._target = target
        self._header = header
        self._begun = False

    def add(self, row: Row, reason: str) -> None:
        """Write one row."""
        line = io.StringIO(newline="")
        writer = csv.writer(line)
        again = plain(self._header[0].text) == REASON

        if not self._begun:
            self._begun = True
            self._target.write(BOM)
            writer.writerow([*([] if again else [REASON]), *(cell.text for cell in self._header)])

        texts = [cell.text for cell in row.kept] + [""] * (len(self._header) - len(row.kept))
        writer.writerow([reason, *map(harmless, texts[1:] if again else texts)])
        self._target.write(line.getvalue().encode("utf-8", "replace"))
        self._target.flush()

    def close(self) -> None:
        """There is nothing left."""
