"""`certmail send` with the files that people have.

They are read, or refused in one sentence; and what was rejected can be sent again.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_worker.cli import run_command
from support.data.spreadsheets import FOREIGN, READ, table

Send = Callable[..., tuple[int, Any]]


@pytest.fixture
def send(commands: Callable[..., tuple[int, Any]]) -> Send:
    """Send a file; gives the exit status and the report."""
    status, _ = commands("tenants", "add", "acme")
    assert status == 0

    def run(*arguments: str) -> tuple[int, Any]:
        return commands("send", *arguments)

    return run


def written(folder: Path, name: str, content: bytes | str) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def zipped(folder: Path, name: str, *members: str) -> str:
    with zipfile.ZipFile(folder / name, "w") as packed:
        for member in members:
            packed.writestr(member, "x")
    return str(folder / name)


class TestWhatIsRead:
    def test_files_as_spreadsheets_and_programs_write_them(
        self, send: Send, tmp_path: Path
    ) -> None:
        wrong = {}
        for what, (name, content, options) in READ.items():
            status, output = send(written(tmp_path, name, content), "--dry-run", *options)
            if (status, output.get("good")) != (0, 2):
                wrong[what] = output
        assert not wrong

    def test_what_is_not_read_is_said_in_one_sentence_with_what_to_do(
        self, send: Send, tmp_path: Path
    ) -> None:
        wrong = {}
        for what, (name, content, code, words) in FOREIGN.items():
            status, output = send(written(tmp_path, name, content))
            error = output.get("error", {})
            message = f"{error.get('message')} {error.get('remedy')}"
            if status != 2 or error["code"] != code or not re.search(words, message):
                wrong[what] = output
        assert not wrong

    def test_so_are_archives_that_are_no_workbooks(self, send: Send, tmp_path: Path) -> None:
        for name, members, words in [
            ("a.ods", ["mimetype", "content.xml"], "LibreOffice"),
            ("a.numbers", ["Index/Document.iwa"], "Numbers.*Export To"),
            ("a.xlsb", ["xl/workbook.bin"], "xlsb"),
            ("a.zip", ["people.csv"], "Unpack"),
        ]:
            status, output = send(zipped(tmp_path, name, *members))
            assert (status, output["error"]["code"]) == (2, "foreign_file")
            assert re.search(words, f"{output['error']['message']} {output['error']['remedy']}")

    def test_an_encoding_a_sheet_or_a_zone_that_does_not_exist_is_said(
        self, send: Send, tmp_path: Path
    ) -> None:
        file = written(tmp_path, "a.csv", table())

        for options, code in [
            (["--encoding", "klingon"], "unknown_encoding"),
            (["--encoding", "base64"], "unknown_encoding"),
            (["--encoding", "cp037"], "unknown_encoding"),
            (["--sheet", "x"], "wrong_use"),
            (["--time-zone", "Mars/Base"], "unknown_time_zone"),
        ]:
            status, output = send(file, "--dry-run", *options)
            assert (status, output["error"]["code"]) == (2, code)


class TestValues:
    def test_dates_as_people_write_them(self, send: Send, tmp_path: Path) -> None:
        dates = ["31.12.2099", "1. 2. 2099", "2099-12-31", "2099/12/31", "2099年12月31日", "31/12/2099", "12/31/2099", "31-DEC-2099",
                 "2099-12-31 17:00", "31.12.2099 17:00", "31.12.2099, 17:00:30", "12/31/2099 5:00 PM", "2099-12-31 17:00:00+01:00"]  # fmt: skip
        rows = [f'acme;r{n}@acme.example;"{each}"' for n, each in enumerate(dates)]
        file = written(tmp_path, "a.csv", "\n".join(["tenant;to;due_at", *rows]))
        status, output = send(file, "--dry-run", "--time-zone", "Europe/Zurich")
        assert (status, output["good"], output["rejected"]) == (0, len(dates), [])

    def test_what_may_be_two_days_or_any_hour_is_asked_for(
        self, send: Send, tmp_path: Path
    ) -> None:
        file = written(
            tmp_path,
            "a.csv",
            "tenant,to,due_at,time_zone\nacme,a@acme.example,03/04/2099,\n"
            "acme,b@acme.example,2099-12-31 17:00,\nacme,c@acme.example,2099-12-31 17:00,Asia/Tokyo\n",
        )

        status, output = send(file, "--dry-run")
        assert (status, output["good"]) == (1, 1)
        assert [(each["row"], each["code"]) for each in output["rejected"]] == [
            (2, "ambiguous_date"),
            (3, "time_without_zone"),
        ]
        status, output = send(
            file, "--dry-run", "--date-order", "dmy", "--time-zone", "Europe/Paris"
        )
        assert (status, output["good"]) == (0, 3)

    def test_a_spreadsheets_errors_are_no_names_and_no_addresses(
        self, send: Send, tmp_path: Path
    ) -> None:
        words = ["#N/A", "#NAME?", "#REF!", "#NV", "#BEZUG!", "nan", "NULL", "None", "-"]
        people = ["Null", "Nan", "Na", "Minus-Null"]
        rows = [f"acme,r{n}@acme.example,{name}" for n, name in enumerate([*words, *people])]
        file = written(tmp_path, "a.csv", "\n".join(["tenant,to,name", *rows, "acme,#N/A,Ann"]))
        status, output = send(file, "--dry-run")

        assert (status, output["good"]) == (1, len(words) + len(people))
        assert [(each["field"], each["code"]) for each in output["rejected"]] == [
            ("to", "spreadsheet_error")
        ]
        assert [(each["field"], each["value"], each["rows"]) for each in output["left_out"]] == [
            ("name", word, 1) for word in words
        ]

    def test_names_that_were_opened_in_another_encoding_and_saved_are_not_greeted(
        self, send: Send, tmp_path: Path
    ) -> None:
        rows = [
            "acme,a@acme.example,JÃ¼rg MÃ¼ller",
            "acme,b@acme.example,J\ufffdrg",
            "acme,c@acme.example,Jürg",
        ]
        status, output = send(
            written(tmp_path, "a.csv", "\n".join(["tenant,to,name", *rows])), "--dry-run"
        )

        assert (status, output["good"]) == (1, 1)
        assert [(each["row"], each["code"]) for each in output["rejected"]] == [
            (2, "garbled_text"),
            (3, "garbled_text"),
        ]
        assert "'Jürg Müller'" in output["rejected"][0]["message"]


class TestRejected:
    BROKEN = (
        b"tenant,to,name,pending\r\n"
        b'acme,a@acme.example,"Anna "Ann" Lee",3\r\n'
        b"acme,b@acme.example,Bo,1,surplus,9\r\n"
        b"acme,c@acme.example,Cem,1\r\n"
        b'acme,d@acme.example,"Dora,1\r\n'
        b"acme,e@acme.example,Eva,1\r\n"
        b"acme,f@acme.example\r\n"
        b"acme,g\x00@acme.example,Gil,1\r\n"
        b"acme,h@acme.example,\xff,1\r\n"
        b"acme,i@acme.example,J\xc3\xbcrg,1\r\n"
        b"acme,nobody,J\xc3\xb6rg,1"
    )
    RIGHT: ClassVar = {
        b'"Anna "Ann" Lee"': b'"Anna ""Ann"" Lee"',
        b",surplus,9": b"",
        b'"Dora,1': b"Dora,1",
        b"f@acme.example": b"f@acme.example,Fee,1",
        b"\x00": b"",
        b"\xff": b"Hal",
        b"nobody": b"j@acme.example",
    }

    def test_rows_are_kept_byte_for_byte_and_sent_once_corrected(
        self, send: Send, tmp_path: Path
    ) -> None:
        file, kept = written(tmp_path, "a.csv", self.BROKEN), tmp_path / "rejected.csv"
        status, output = send(file, "--rejected", str(kept))
        assert (status, output["enqueued"]) == (1, 3), (
            "a quote that was forgotten costs no other row"
        )
        assert [each["row"] for each in output["rejected"]] == [2, 3, 5, 7, 8, 9, 11]

        raw = kept.read_bytes()
        lines = raw.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
        assert lines[0] == b"rejected_because,tenant,to,name,pending\r\n"
        given = self.BROKEN.splitlines(keepends=True)
        for line, row in zip(lines[1:], output["rejected"], strict=True):
            assert line.startswith(b'"line %d: ' % row["row"])
            assert line.removesuffix(b"\r\n").endswith(
                b'",' + given[row["row"] - 1].removesuffix(b"\r\n")
            )

        for wrong, right in self.RIGHT.items():
            assert raw.count(wrong) == 1
            raw = raw.replace(wrong, right)
        kept.write_bytes(raw)
        status, output = send(str(kept), "--rejected", str(tmp_path / "again.csv"))
        assert (status, output["enqueued"], output["rejected"]) == (0, 7, [])

    def test_it_is_not_written_over_the_file_that_is_sent(self, send: Send, tmp_path: Path) -> None:
        file = written(tmp_path, "a.csv", table())
        status, output = send(file, "--rejected", file)
        assert (status, output["error"]["code"]) == (2, "wrong_use")
        assert Path(file).read_bytes() == table().encode()

    def test_equal_faults_are_one_line_with_their_number(
        self, send: Send, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = [f"acme,r{n}@acme.example,many" for n in range(300)]
        file = written(tmp_path, "a.csv", "\n".join(["tenant,to,pending", *rows, "acme,nobody,1"]))
        assert send(file, "--dry-run")[1]["rejected"][299]["row"] == 301
        assert run_command(["send", file, "--dry-run"]) == 1
        output = capsys.readouterr()
        assert "0 could be enqueued, 301 rejected" in output.err
        assert len(output.out.splitlines()) == 3
        assert re.search(r"2, 3, 4, 5, 6 … \(300\) +pending +invalid_number", output.out)


class TestSaid:
    """What a person reads at the end."""

    def test_that_nobody_is_there_to_send_them_once(
        self, send: Send, redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = written(tmp_path, "p.csv", "tenant,to\nacme,a@acme.example\nacme,b@acme.example\n")
        assert run_command(["send", file]) == 0
        assert capsys.readouterr().err.count("No worker is running: they wait.") == 1

        redis.zadd(redis_keys.WORKERS, {"somebody": (time.time() + 600) * 1000})
        assert run_command(["send", file]) == 0
        output = " ".join(capsys.readouterr().err.split())
        assert "No worker" not in output
        assert (
            "For 2 no time is known: their connection does not work yet, or one reminder goes first"
            in output
        )

    def test_how_corrected_rows_are_sent_with_the_same_options(
        self, send: Send, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = written(tmp_path, "p.csv", "E-Mail;Größe;wann\na;1;03/04/2027\n".encode("cp1252"))
        kept = tmp_path / "wrong ones.csv"
        options = [
            "--map",
            "E-Mail=to",
            "--map",
            "Größe=",
            "--map",
            "wann=due_at",
            "--set",
            "tenant=acme",
        ]

        options += ["--encoding", "cp1252", "--time-zone", "Europe/Berlin", "--date-order", "dmy"]
        assert run_command(["send", file, *options, "--rejected", str(kept)]) == 1
        output = " ".join(capsys.readouterr().err.split())
        [command] = re.findall(r"`(certmail send [^`]*)`", output)
        assert shlex.split(command)[1:] == ["send", str(kept), *options]
        kept.write_bytes(
            kept.read_bytes()
            .replace(b'"a"', b"a@acme.example")
            .replace(b";a;", b";a@acme.example;")
        )
        assert run_command([*shlex.split(command)[1:], "--dry-run"]) == 0


class TestInterrupted:
    def test_it_says_what_is_in_and_of_how_many_reminders_nobody_knows(
        self, send: Send, commands: Callable[..., tuple[int, Any]], redis: Redis, tmp_path: Path
    ) -> None:
        _, globex = commands("tenants", "add", "globex")
        # so that the server takes nothing for it
        redis.set(redis_keys.LANE + globex["connection"], "not what it should be")
        taken = [f"acme,a{n}@acme.example" for n in range(50)]
        refused = [f"globex,g{n}@acme.example" for n in range(20)]
        wrong = ["acme,nobody"] * 5
        lines = ["tenant,to", *wrong, *taken, *wrong, *refused, *wrong]

        status, output = send(written(tmp_path, "reminders.csv", "\n".join(lines) + "\n"))

        assert status not in {0, 1}
        assert (
            "50 reminders are in; of the 20 after them nobody knows" in output["error"]["message"]
        )
        assert "run the same command again" in output["error"]["remedy"]


class TestStreams:
    def test_pipes_and_fifos_are_read_as_streams(self, send: Send, tmp_path: Path) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        for content, good in [(table().encode(), 2), (table().encode("utf-16"), 2)]:
            thread = threading.Thread(target=fifo.write_bytes, args=(content,))
            thread.start()
            status, output = send(str(fifo), "--dry-run")
            thread.join()
            assert (status, output["good"]) == (0, good)

        readable, writable = os.pipe()  # as with `certmail send <(…)`
        os.write(writable, table().encode())
        os.close(writable)
        status, output = send(f"/dev/fd/{readable}", "--dry-run")
        os.close(readable)
        assert (status, output["good"]) == (0, 2)

    def test_what_cannot_be_read_is_said(
        self, send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", None)

        for file, words in [
            ("-", "closed"),
            (str(tmp_path), "it is a folder"),
            (str(tmp_path / "x"), "No such file"),
        ]:
            status, output = send(file)
            assert (status, output["error"]["code"]) == (2, "unreadable_file")
            assert words in output["error"]["message"]
