"""The file or standard input that `certmail send` reads: opened, and its form recognized.

It counts how far it has been read.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BytesIO
from itertools import chain
from typing import IO, Any, BinaryIO, Final

from certmail.files.formats.csv_file import Head, read_csv
from certmail.files.formats.encoding import UTF_8, Encoding, encoding_of
from certmail.files.formats.json_file import read_array, read_json_lines
from certmail.files.formats.lines import read_lines
from certmail.files.kinds import FileKind, kind_of, refuse_foreign
from certmail.files.rejects import ArrayRejects, CsvRejects, JsonLinesRejects, SheetAsCsvRejects
from certmail.files.row import Rejects, Row, Terms
from certmail.files.survey import is_utf_8, refuse_other_encodings
from certmail_config.base.errors import WrongUse

CHUNK: Final = 1 << 16
_ZIP: Final = b"PK\x03\x04"
_MAX_SPOOLED: Final = 1_000_000_000
"""Bytes of a workbook through a pipe, which is kept: it cannot be read from the front alone."""


class Source:
    """A file's records, with how many bytes were read so far.

    `total` is how many there are, None where nobody knows.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        writer: Callable[[BinaryIO, str], Rejects],
        notes: Sequence[str] = (),
    ) -> None:
        self._rows = rows
        self.writer = writer
        self.notes = notes
        self.bytes = Counted(())
        self.total: int | None = None

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @property
    def taken(self) -> int:
        """How many bytes were read."""
        return self.bytes.taken


class Counted:
    """Chunks of a file, with a count of the bytes that were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.taken += len(chunk)
            yield chunk


@contextmanager
def open_source(
    file: str, terms: Terms, *, encoding: str | None = None, sheet: str | None = None
) -> Iterator[Source]:
    """Open a file, or `-`, and read its head.

    Raises WrongUse for one that as a whole is not what it should be.
    """
    terms.layout.check()
    with ExitStack() as stack:
        with readable(file):
            stream = _open(stack, file)
            source = _read(stack, stream, file, terms, encoding, sheet)
            source.total = _size(stream) if source.bytes.taken else None
        yield source


@contextmanager
def text_source(text: str, terms: Terms | None = None) -> Iterator[Source]:
    """The records of a text that is in memory."""
    with ExitStack() as stack:
        yield _read(stack, BytesIO(text.encode()), "-", terms or Terms(), UTF_8, None)


@contextmanager
def readable(file: str) -> Iterator[None]:
    """Raise WrongUse, with what the system says, for a file that cannot be read."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        if isinstance(error, IsADirectoryError):
            why = "it is a folder"
        raise WrongUse("unreadable_file", f"{file} cannot be read: {why}.") from None


def _open(stack: ExitStack, file: str) -> BinaryIO:
    if file != "-":
        # A Path would alter what stands for a stream.
        return stack.enter_context(open(file, "rb"))  # noqa: PTH123
    if sys.stdin is None:
        raise WrongUse(
            "unreadable_file",
            "Standard input is closed, so there is nothing to read.",
            "Name a file.",
        )
    return sys.stdin.buffer


def _size(stream: BinaryIO) -> int | None:
    try:
        found = os.fstat(stream.fileno())
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _read(
    stack: ExitStack, stream: Any, file: str, terms: Terms, named: str | None, sheet: str | None
) -> Source:
    start = stream.tell() if _can_be_read_twice(stream) else None
    head: bytes = stream.read(CHUNK)

    if head.startswith(_ZIP):
        return _sheet(stack, _seekable(stack, head, stream, start), sheet, terms)
    if sheet is not None:
        raise WrongUse(
            "wrong_use", "--sheet is for Excel files, and this is none.", "Leave it out."
        )

    encoding = encoding_of(head, named)
    if not encoding.wide:
        refuse_foreign(head, None, stream.read(1 << 25) if head.startswith(b"\xd0\xcf") else b"")
    if not encoding.given:
        _survey(head, stream, start)

    counted = Counted(_chunks(head.removeprefix(encoding.mark), stream, file))
    lines = read_lines(counted, encoding)
    kind = kind_of(file.lower(), encoding.decode(head.removeprefix(encoding.mark)[:1000]))
    source = _text(kind, lines, encoding, terms)
    source.bytes = counted

    return source


def _can_be_read_twice(stream: Any) -> bool:
    return isinstance(stream, BytesIO) or (_size(stream) is not None and stream.seekable())


def _text(kind: FileKind, lines: Iterator[Any], encoding: Encoding, terms: Terms) -> Source:
    if kind is FileKind.JSON_ARRAY:
        return Source(
            read_array(lines, encoding, terms), lambda target, _: ArrayRejects(target, encoding)
        )
    if kind is FileKind.JSON_LINES:
        rows = read_json_lines(lines, encoding, terms)
        return Source(rows, lambda target, _: JsonLinesRejects(target, encoding))

    found = read_csv(lines, encoding, terms)
    return Source(
        found.rows, lambda target, _: CsvRejects(target, found.head, encoding), _notes(found.head)
    )


def _sheet(stack: ExitStack, file: IO[bytes], wanted: str | None, terms: Terms) -> Source:
    # For workbooks alone, as what follows.
    import zipfile  # noqa: PLC0415

    try:
        with zipfile.ZipFile(file) as packed:
            refuse_foreign(b"", packed.namelist())
    except zipfile.BadZipFile:
        message = "The file is damaged: it begins as an Excel workbook does, and ends too early."
        raise WrongUse("unreadable_file", message, "Copy or save it once more.") from None

    # Importing openpyxl takes as long as all the rest.
    from certmail.files.formats.sheet import read_sheet  # noqa: PLC0415

    found = stack.enter_context(read_sheet(file, wanted, terms))

    notes = []
    if wanted is None and found.others:
        notes.append(
            f"Reading the sheet {found.title!r}; there is also {', '.join(map(repr, found.others))} (--sheet)."
        )
    if found.title_lines:
        notes.append(f"Passed over above the header: {found.title_lines} rows.")

    def writer(target: BinaryIO, name: str) -> Rejects:
        if not name.lower().endswith(".xlsx"):
            return SheetAsCsvRejects(target, found.header)

        from certmail.files.formats.sheet_rejects import SheetRejects  # noqa: PLC0415 - as above

        return SheetRejects(target, found.header)

    return Source(found.rows, writer, notes)


def _notes(head: Head) -> list[str]:
    return [f"Passed over above the header: {head.title_lines} lines."] if head.title_lines else []


def _chunks(head: bytes, stream: Any, file: str = "The file") -> Iterator[bytes]:
    yield head
    while True:
        with readable(file):
            chunk = stream.read1(CHUNK)
        if not chunk:
            return
        yield chunk


def _survey(head: bytes, stream: Any, start: int | None) -> None:
    """Refuse a file that is not UTF-8; raises WrongUse.

    Of a file that can be read twice all is looked at, of a stream what came first.
    """
    if start is None:
        whole = head if len(head) < CHUNK else head[: head.rfind(b"\n") + 1]
        if not is_utf_8([head]):
            refuse_other_encodings([whole])
        return

    place = stream.tell()
    if not is_utf_8(_chunks(head, stream)):
        stream.seek(place)
        refuse_other_encodings(_chunks(head, stream))
    stream.seek(place)


def _seekable(stack: ExitStack, head: bytes, stream: Any, start: int | None) -> IO[bytes]:
    if start is not None:
        stream.seek(start)
        return stream  # type: ignore[no-any-return]

    # For workbooks that come through a pipe.
    import tempfile  # noqa: PLC0415

    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    size = 0

    for chunk in chain([head], _chunks(b"", stream)):
        size += len(chunk)
        if size > _MAX_SPOOLED:
            raise WrongUse(
                "too_large",
                "The workbook is larger than certmail reads; nothing was enqueued.",
                "Send it as CSV.",
            )
        spool.write(chunk)

    return spool
