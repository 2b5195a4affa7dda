"""What the demo leaves behind, and how it speaks."""

from __future__ import annotations

import os
from collections import Counter
from io import StringIO
from pathlib import Path

from rich.console import Console

from certmail_config.jobs.states import State
from certmail_worker.cli.demo import in_words
from certmail_worker.demo.directories import KEPT, new_directory
from certmail_worker.demo.progress import DemoProgress

LONG = "Gmail takes a mail of acme, and its answer is lost: it is looked up among the sent mails, and was accepted."


def test_the_last_runs_are_kept_and_older_ones_removed(tmp_path: Path) -> None:
    nobody = 2**22 + 1  # above every process id of Linux
    older = [tmp_path / f"demo-2026112{day}-100000-{nobody}" for day in range(6)]
    still_runs = tmp_path / f"demo-20261101-100000-{os.getpid()}"
    others = [tmp_path / name for name in ("sandbox", "demo", "demo-of-mine", "certmail.sqlite")]

    for each in (*older, still_runs, *others):
        each.mkdir()
        (each / "worker.log").write_text("")

    made = new_directory(tmp_path)
    kept = {*older[-KEPT + 1 :], still_runs, *others, made}
    assert set(tmp_path.iterdir()) == kept
    assert made.stat().st_mode & 0o777 == 0o700


def test_no_line_is_cut_on_a_narrow_terminal() -> None:
    said = StringIO()
    console = Console(file=said, width=80, force_terminal=True, soft_wrap=True)
    progress = DemoProgress(console)
    progress.say(LONG)
    before = said.getvalue()
    assert " ".join(before.split()) == LONG
    assert max(len(line) for line in before.splitlines()) <= 80, "and none in the middle of a word"

    with progress.shown():
        progress.say(LONG)
        progress.update({"acme": Counter({State.READY: 1})})

    assert "was accepted." in said.getvalue().removeprefix(before)


def test_a_file_gets_each_line_whole() -> None:
    said = StringIO()
    DemoProgress(Console(file=said, width=80, soft_wrap=True)).say(LONG)
    assert said.getvalue() == LONG + "\n"


def test_what_went_wrong_is_said_in_words() -> None:
    faults = [
        "429_retry_at",
        "503",
        "reset_after",
        "reset_after",
        "drop_token",
        "hang_after",
        "worker_killed",
    ]

    said = in_words(faults)
    assert "2 lost answers" in said
    assert "1 killed worker" in said
    assert not any(each in said for each in faults if not each.isdigit())
    assert "_" not in said
