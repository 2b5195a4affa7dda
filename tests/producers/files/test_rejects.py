"""Rejected rows are kept byte for byte: what was taken and what was kept make up the file.

What was kept can be sent.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail.files.formats.encoding import BOM, Encoding, encoding_of
from certmail.files.row import Row, Terms
from certmail.files.source import Source, open_source
from certmail_config.jobs.reminder import Reminder

REASON = re.compile(r'"line \d+: no",')
_BARE = str.maketrans("", "", ',;"')
PIECES = [
    "acme", "a@acme.example", ",", ",", ";", '"', '""', "\n", "\r\n", "\r", " ", "\0", "'=1", "ü",
    "表", "x", "sep=", "rejected_because",
]  # fmt: skip


def kept(source: Source, rows: Sequence[Row]) -> bytes:
    target = io.BytesIO()
    writer = source.writer(target, "kept")
    for row in rows:
        if not isinstance(row.reminder, Reminder):
            writer.add(row, f"line {row.line}: no")
    writer.close()
    return target.getvalue()


def read(path: Path, raw: bytes, encoding: str | None = None) -> tuple[list[Row], bytes]:
    """The rows, and what is kept of them."""
    path.write_bytes(raw)
    with open_source(str(path), Terms(), encoding=encoding) as source:
        rows = list(source)
        return rows, kept(source, rows)


def lines_of(raw: bytes, encoding: Encoding) -> list[str]:
    """Lines that are more than blanks and bare delimiters, whatever ends them.

    Of kept ones without header and reason.
    """
    text = raw.removeprefix(encoding.mark or BOM).decode(
        encoding.name, "surrogatepass" if encoding.wide else "surrogateescape"
    )
    lines = [REASON.sub("", line, count=1) for line in re.split(r"\r\n|\r|\n", text)]
    more = [line for line in lines if line.translate(_BARE).strip()]
    return [line for line in more if line != "rejected_because,tenant,to,name"]


class TestCsv:
    @pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16-le"])
    @settings(deadline=None, max_examples=150)
    @given(pieces=st.lists(st.sampled_from(PIECES), max_size=40), noise=st.binary(max_size=6))
    def test_the_taken_and_the_kept_lines_are_the_file(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        encoding: str,
        pieces: list[str],
        noise: bytes,
    ) -> None:
        codec = encoding_of(b"", encoding)
        head = "tenant,to,name\r\nacme,ok@acme.example,Ann\r\n".encode(encoding)
        body = "".join(pieces).encode(encoding, "replace") + (b"" if codec.wide else noise)
        path = tmp_path_factory.getbasetemp() / f"kept-{encoding}.csv"
        rows, written = read(path, head + body, encoding)
        taken = [row.kept for row in rows if isinstance(row.reminder, Reminder)]
        everything = [line for raw in [*taken, written] for line in lines_of(raw, codec)]

        assert sorted(everything) == sorted(lines_of(body, codec) + lines_of(head, codec)[1:])

    @settings(deadline=None, max_examples=150)
    @given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
    def test_what_is_kept_is_rejected_for_the_same_reasons_and_kept_the_same(
        self, tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "twice.csv"
        rows, once = read(
            path, ("tenant,to,name\r\nacme,nobody,Ann\r\n" + "".join(pieces)).encode()
        )
        again, twice = read(path, once)
        codes = [row.reminder.code for row in rows if not isinstance(row.reminder, Reminder)]

        assert [
            row.reminder.code for row in again if not isinstance(row.reminder, Reminder)
        ] == codes

        without = re.compile(rb'"line \d+: no",')
        assert without.sub(b"", twice) == without.sub(b"", once)

    def test_bytes_that_stand_for_the_same_character_stay_what_they_are(
        self, tmp_path: Path
    ) -> None:
        # Windows' Shift-JIS has two codes for some characters.
        raw = b"tenant,to,name\racme,nobody,\x81\xca\xee\xf9\r"
        _, written = read(tmp_path / "a.csv", raw, "cp932")
        assert (
            written
            == b'rejected_because,tenant,to,name\r"line 2: no",acme,nobody,\x81\xca\xee\xf9\r'
        )

    def test_the_declared_delimiter_the_mark_and_the_line_ends_stay(self, tmp_path: Path) -> None:
        raw = b"\xff\xfe" + "sep=;\r\nTenant;To\r\nacme;nobody".encode("utf-16-le")
        _, written = read(tmp_path / "a.csv", raw)
        assert (
            written
            == b"\xff\xfe"
            + 'sep=;\r\nrejected_because;Tenant;To\r\n"line 3: no";acme;nobody\r\n'.encode(
                "utf-16-le"
            )
        )

    def test_a_reason_that_a_spreadsheet_saved_anew_is_passed_over(self, tmp_path: Path) -> None:
        raw = (
            b"rejected_because;tenant;to\r\n"
            b"line 2: no;acme;a@acme.example\r\n"
            b"line 3: no;acme;nobody\r\n"
        )
        rows, written = read(tmp_path / "a.csv", raw)
        assert [isinstance(row.reminder, Reminder) for row in rows] == [True, False]
        assert written == BOM + b'rejected_because;tenant;to\r\n"line 3: no";acme;nobody\r\n'


class TestJson:
    LINES = (
        b'{"tenant": "acme", "to": 7, "big": 1.0e400}\r\n'
        b'  {"to":"a","to":"b"}\n'
        b"{}\n"
        b"[1,  2]\n"
        b'{"tenant": "acme", "to": "a@acme.example", "name": "\xff"}\n'
        b'{"tenant": "acme", "to": "good@acme.example"}\n'
        b"tenant,to"
    )

    def test_lines_stay_as_they_were_with_the_reason_before(self, tmp_path: Path) -> None:
        _, written = read(tmp_path / "a.jsonl", self.LINES, "utf-8")
        assert written == (
            b'{"rejected_because": "line 1: no", "tenant": "acme", "to": 7, "big": 1.0e400}\r\n'
            b'{"rejected_because": "line 2: no", "to":"a","to":"b"}\n'
            b'{"rejected_because": "line 3: no"}\n'
            b'{"rejected_because": "line 4: no"}\n[1,  2]\n'
            b'{"rejected_because": "line 5: no", "tenant": "acme", "to": "a@acme.example", '
            b'"name": "\xff"}\n'
            b'{"rejected_because": "line 7: no"}\ntenant,to\n'
        )

    def test_an_array_stays_an_array(self, tmp_path: Path) -> None:
        raw = b'[{"tenant": "acme",\n "to": 7.0}, 5, {"tenant": "acme", "to": "a@acme.example"}]'
        rows, written = read(tmp_path / "a.json", raw)
        assert written == (
            b'[\n{"rejected_because": "line 1: no", "tenant": "acme",\n "to": 7.0},\n'
            b'{"rejected_because": "line 2: no"},\n5\n]\n'
        )

        again, twice = read(tmp_path / "b.json", written)
        assert len(again) == len(rows) - 1
        assert twice.count(b"rejected_because") == 2
