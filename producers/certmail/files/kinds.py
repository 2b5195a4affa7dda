"""What a file is by its first bytes, and what to do with one that is no table of reminders.

Pure.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from certmail_config.base.errors import WrongUse

_SAVE: Final = 'Open it in the program that wrote it, and save it as "CSV UTF-8" or as .xlsx.'
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_FOREIGN: Final = (
    ((b"%pdf-",), "a PDF", _SAVE),
    ((b"{\\rtf",), "a text with formats (RTF)", _SAVE),
    ((b"<!doctype html", b"<html", b"<table", b"<meta", b"<head"), "a web page, whatever its name says", _SAVE),
    ((b"<",), "XML", _SAVE),
    ((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"bzh", b"\xfd7zxz", b"7z\xbc\xaf", b"rar!"), "compressed", "Unpack it first, and send what is in it."),
    ((b"\x89png", b"\xff\xd8\xff", b"gif8"), "a picture", _SAVE),
    ((bytes(4),), "no text", _SAVE),
)  # fmt: skip
"""How a file begins, in lower case; what it is then; what to do with it."""


class FileKind(Enum):
    """The forms of text that are read."""

    CSV = auto()
    JSON_LINES = auto()
    JSON_ARRAY = auto()


def refuse_foreign(head: bytes, members: list[str] | None, tail: bytes = b"") -> None:
    """Refuse what certmail does not read, saying what to do; raises WrongUse.

    `members` are the files in a zip archive.
    """
    if head.startswith(_OLD_EXCEL):
        if _ENCRYPTED in head or _ENCRYPTED in tail:
            raise _refused(
                "locked with a password", "Save a copy without a password, and send that."
            )
        raise _refused("of an old form of Excel (.xls)", _SAVE)

    begins = head[:100].lstrip().lower()

    for marks, what, remedy in _FOREIGN:
        if begins.startswith(marks):
            raise _refused(what, remedy)

    if members is None or "xl/workbook.xml" in members:
        return
    if "xl/workbook.bin" in members:
        raise _refused("of Excel's binary form (.xlsb)", _SAVE)
    if "content.xml" in members:
        raise _refused("of LibreOffice (.ods)", _SAVE)
    if any(name.endswith(".iwa") or name == "Index.zip" for name in members):
        raise _refused(
            "of Numbers", "In Numbers: File, Export To, CSV, with Unicode (UTF-8) as the encoding."
        )

    raise _refused("an archive", "Unpack it first, and send what is in it.")


def kind_of(name: str, first: str) -> FileKind:
    """Tell the form of a text from the file's name, or from how it begins."""
    begins = first.lstrip("\ufeff \t\r\n")
    if name.endswith((".csv", ".tsv")):
        return FileKind.CSV
    if begins.startswith("["):
        return FileKind.JSON_ARRAY
    if name.endswith((".jsonl", ".ndjson", ".json")) or begins.startswith("{"):
        return FileKind.JSON_LINES
    return FileKind.CSV


def _refused(what: str, remedy: str) -> WrongUse:
    return WrongUse(
        "foreign_file",
        f"The file is {what}: certmail reads CSV, .xlsx and JSON. Nothing was enqueued.",
        remedy,
    )
