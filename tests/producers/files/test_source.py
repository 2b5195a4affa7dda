"""A file's form and encoding are told from its bytes, and what is read is what was written."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from certmail.files.columns import Layout
from certmail.files.formats.encoding import encoding_of
from certmail.files.formats.guess import CANDIDATES, readings
from certmail.files.formats.lines import read_lines
from certmail.files.kinds import FileKind, kind_of
from certmail.files.row import Terms
from certmail.files.source import open_source
from certmail_config.jobs.reminder import Reminder
from support.data.spreadsheets import NAMES, READ

JAPANESE = ["山田 太郎", "佐藤 花子"]


class TestNames:
    @pytest.mark.parametrize("what", READ)
    def test_are_read_as_they_were_written(self, what: str, tmp_path: Path) -> None:
        name, content, options = READ[what]
        chosen = dict(zip(options[::2], options[1::2], strict=True))
        column, _, field = chosen.get("--map", "").partition("=")
        (tmp_path / name).write_bytes(content)
        terms = Terms(Layout({column: field} if field else {}))
        with open_source(str(tmp_path / name), terms, encoding=chosen.get("--encoding")) as source:
            names = [row.reminder.name for row in source if isinstance(row.reminder, Reminder)]

        assert names in ([*NAMES], JAPANESE, ["Jürg", "Jürg"])


class TestKind:
    @pytest.mark.parametrize(
        ("name", "first", "kind"),
        [
            ("x.csv", "tenant,to", FileKind.CSV),
            ("x.csv", '{"tenant"', FileKind.CSV),
            ("x.csv", "[tenant]", FileKind.CSV),
            ("x.tsv", "tenant\tto", FileKind.CSV),
            ("x.jsonl", "tenant,to", FileKind.JSON_LINES),
            ("x.ndjson", "", FileKind.JSON_LINES),
            ("x.json", "", FileKind.JSON_LINES),
            ("-", '{"tenant": "acme"}', FileKind.JSON_LINES),
            ("-", '\ufeff {"tenant"', FileKind.JSON_LINES),
            ("x.json", " \n[", FileKind.JSON_ARRAY),
            ("-", "[{", FileKind.JSON_ARRAY),
            ("-", "tenant,to", FileKind.CSV),
            ("-", "", FileKind.CSV),
            ("x.txt", "{}", FileKind.JSON_LINES),
            ("x.txt", "tenant;to", FileKind.CSV),
        ],
    )
    def test_is_told_from_the_name_or_else_from_how_it_begins(
        self, name: str, first: str, kind: FileKind
    ) -> None:
        assert kind_of(name, first) is kind


class TestLines:
    @pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16-le", "utf-16-be", "utf-32-le"])
    @pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
    def test_are_the_same_however_the_bytes_arrive(self, encoding: str, size: int) -> None:
        text = ["a\r\n", "ä\r\n", "\r", "表ソ\n", "\n", "b\r", "c"]
        if encoding == "cp932":
            text[1] = "ア\r\n"
        raw = "".join(text).encode(encoding)
        chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
        lines = list(read_lines(chunks, encoding_of(b"", encoding)))

        assert [line.text for line in lines] == text
        assert [line.number for line in lines] == list(range(1, 8))
        assert b"".join(line.raw for line in lines) == raw

    def test_of_a_file_that_ends_within_a_character_keep_their_bytes(self) -> None:
        raw = "a\nb".encode("utf-16-le") + b"x"
        lines = list(read_lines([raw], encoding_of(b"", "utf-16-le")))
        assert b"".join(line.raw for line in lines) == raw


class TestGuess:
    @pytest.mark.parametrize(
        ("encoding", "name"),
        [
            ("cp1252", "Jörg"),
            ("cp1252", "Hélène Lefèvre"),
            ("cp1252", "O’Neill"),
            ("mac_roman", "Jörg"),
            ("mac_roman", "François Noël"),
            ("cp850", "Größe"),
            ("cp932", "山田"),
            ("cp932", "スズキ いちろう"),
            ("cp1250", "Łukasz Wójcik"),
            ("cp1251", "Иван Петров"),
            ("gb18030", "王小明"),
            ("cp949", "김철수"),
        ],
    )
    def test_the_first_reading_is_the_right_one(self, encoding: str, name: str) -> None:
        [best, *_] = readings([f"acme;a@acme.example;{name}".encode(encoding)])
        assert (best.encoding, best.word) == (encoding, name)

    @pytest.mark.parametrize(("encoding", "name"), [("cp1250", "Dvořák"), ("cp1254", "Ayşe Öz")])
    def test_where_letters_are_shared_the_right_one_is_among_the_readings(
        self, encoding: str, name: str
    ) -> None:
        assert (encoding, name) in {
            (each.encoding, each.word) for each in readings([name.encode(encoding)])
        }

    def test_bytes_at_random_are_nothing(self) -> None:
        assert readings([bytes(range(128, 256))]) == []
        assert all("x".encode(name) == b"x" for name in CANDIDATES)


def test_a_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    with path.open("w") as file:
        file.write("tenant,to,name,campaign_name\n")
        file.writelines(f"acme,r{n}@acme.example,Jürg,{'x' * 250}\n" for n in range(12_000))

    with open_source(str(path), Terms()) as source:
        rows = iter(source)
        next(rows)  # what is made once is made
        tracemalloc.start()
        count = sum(1 for _ in rows)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert count == 11_999
    assert path.stat().st_size > 3_000_000
    assert most < 2_000_000
