"""Files of reminders, byte for byte as spreadsheets and programs write them."""

from __future__ import annotations

NAMES = ("Jürg Müller", "Zoé Garçon")
ROWS = [("tenant", "to", "name", "due_at"), *(("acme", f"r{n}@acme.example", name, "2099-12-11T17:00:00+01:00") for n, name in enumerate(NAMES))]  # fmt: skip
TITLE = '{"tenant": "acme", "to": "r@acme.example", "name": "Jürg"}'


def table(delimiter: str = ",", end: str = "\r\n", names: tuple[str, ...] = NAMES) -> str:
    rows = [list(row) for row in ROWS]
    for row, name in zip(rows[1:], names, strict=True):
        row[2] = name
    return "".join(delimiter.join(row) + end for row in rows)


JAPANESE = table(names=("山田 太郎", "佐藤 花子"))
UNICODE_TEXT = table("\t")
READ: dict[str, tuple[str, bytes, list[str]]] = {
    "CSV UTF-8 of Excel, Germany": ("a.csv", table(";").encode("utf-8-sig"), []),
    "CSV UTF-8 of Excel, United States": ("a.csv", table().encode("utf-8-sig"), []),
    "Google Sheets, LibreOffice": ("a.csv", table(end="\n").encode(), []),
    "Numbers": ("a.csv", table(";", "\r\n").encode(), []),
    "TSV of Google Sheets": ("a.tsv", table("\t").encode(), []),
    "Unicode text of Excel": ("a.txt", b"\xff\xfe" + UNICODE_TEXT.encode("utf-16-le"), []),
    "UTF-16, the other way round": ("a.csv", b"\xfe\xff" + table(";").encode("utf-16-be"), []),
    "UTF-16 without a mark": ("a.csv", table().encode("utf-16-le"), []),
    "UTF-32": ("a.csv", table().encode("utf-32"), []),
    "with sep=": ("a.csv", ("sep=;\r\n" + table(";")).encode("utf-8-sig"), []),
    "with sep= for tabs": ("a.csv", ("sep=\t\r\n" + table("\t")).encode(), []),
    "with a quoted sep=": ("a.csv", ('"sep=;"\r\n' + table(";")).encode(), []),
    "CSV of Excel, Germany": ("a.csv", table(";").encode("cp1252"), ["--encoding", "cp1252"]),
    "by the name that Windows gives it": ("a.csv", table(";").encode("cp1252"), ["--encoding", "Windows-1252"]),
    "CSV of Excel for Mac": ("a.csv", table(";", "\r").encode("mac_roman"), ["--encoding", "macroman"]),
    "CSV (MS-DOS)": ("a.csv", table(";").encode("cp850"), ["--encoding", "cp850"]),
    "CSV of Excel, Japan": ("a.csv", JAPANESE.encode("cp932"), ["--encoding", "Shift_JIS"]),
    "a mark is believed, whatever was said": ("a.csv", table().encode("utf-8-sig"), ["--encoding", "cp1252"]),
    "blank lines above": ("a.csv", ("\r\n,,,\r\n" + table()).encode(), []),
    "a title above": ("a.csv", ('"Access review, Q4",,,\r\n,,,\r\n' + table()).encode(), []),
    "columns in any case": ("a.csv", table().replace("tenant,to,name,due_at", "Tenant,TO, Name ,Due at").encode(), []),
    "columns without a name": ("a.csv", table(end=",,,\r\n").encode(), []),
    "surplus commas": ("a.csv", table().replace("+01:00", "+01:00,,,").encode(), []),
    "commas in the header's quotes": ("a.csv", table(";").replace("due_at", '"a,b,c,d,e"', 1).encode(), ["--map", "a,b,c,d,e=due_at"]),
    "pipes": ("a.txt", table("|").encode(), []),
    "a JSON array": ("a.json", f"[\n  {TITLE},\n{TITLE.replace('r@', 's@')}\n]\n".encode("utf-8-sig"), []),
    "JSON lines in UTF-16": ("a.jsonl", f"{TITLE}\n{TITLE.replace('r@', 's@')}\n".encode("utf-16"), []),
}  # fmt: skip
"""Files as programs write them: name, bytes, and what must be said with them."""

FOREIGN: dict[str, tuple[str, bytes, str, str]] = {
    "Excel, Germany": (
        "a.csv",
        table(";").encode("cp1252"),
        "other_encoding",
        "'Jürg Müller'.*--encoding cp1252",
    ),
    "Excel for Mac": (
        "a.csv",
        table(";", "\r").encode("mac_roman"),
        "other_encoding",
        "'Jürg Müller'.*--encoding mac_roman",
    ),
    "MS-DOS": (
        "a.csv",
        table(";").encode("cp850"),
        "other_encoding",
        "'Jürg Müller'.*--encoding cp850",
    ),
    "Excel, Japan": (
        "a.csv",
        JAPANESE.encode("cp932"),
        "other_encoding",
        "'山田 太郎'.*--encoding cp932",
    ),
    "JSON lines of an old program": (
        "a.jsonl",
        TITLE.encode("cp1252"),
        "other_encoding",
        "Jürg.*--encoding cp1252",
    ),
    "an old Excel file": (
        "a.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
        "foreign_file",
        "old form of Excel.*CSV UTF-8",
    ),
    "a locked Excel file": (
        "a.xlsx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(70_000)
        + "EncryptedPackage".encode("utf-16-le"),
        "foreign_file",
        "password.*without",
    ),
    "a web page that calls itself Excel": (
        "a.xls",
        b"<html><table><tr><td>tenant</td></tr></table>",
        "foreign_file",
        "web page.*CSV UTF-8",
    ),
    "XML": ("a.xml", b'<?xml version="1.0"?><Workbook/>', "foreign_file", "XML.*CSV UTF-8"),
    "PDF": ("a.pdf", b"%PDF-1.7\n", "foreign_file", "PDF.*CSV UTF-8"),
    "gzip": ("a.csv.gz", b"\x1f\x8b\x08\x00", "foreign_file", "compressed.*Unpack"),
    "zeros": ("a.csv", bytes(100), "foreign_file", "no text"),
    "an unfinished download": ("a.xlsx", b"PK\x03\x04" + bytes(100), "unreadable_file", "damaged"),
    "a JSON array that breaks off": (
        "a.json",
        f"[{TITLE},\n{TITLE[:-1]}".encode(),
        "json_document",
        "line 2",
    ),
    "one JSON object over lines": (
        "a.json",
        b'{\n  "tenant": "acme"\n}\n',
        "json_document",
        "jq -c",
    ),
}
"""Files that are not read: name, bytes, and what the refusal says.

It says what the file is, and what to do.
"""
