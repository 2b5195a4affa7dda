"""What the demo says while it runs: no line is cut, whatever it is written to."""

from __future__ import annotations

from collections import Counter
from io import StringIO

from rich.console import Console

from certmail_config.jobs.states import State
from certmail_worker.demo.progress import DemoProgress

LONG = (
    "Gmail takes a mail of acme, and its answer is lost: it is looked up among the sent mails, and "
    "was accepted."
)


def test_no_line_is_cut_on_a_narrow_terminal() -> None:
    output = StringIO()
    console = Console(file=output, width=80, force_terminal=True, soft_wrap=True)
    progress = DemoProgress(console)
    progress.say(LONG)
    before = output.getvalue()
    assert " ".join(before.split()) == LONG
    assert max(len(line) for line in before.splitlines()) <= 80, "and none in the middle of a word"

    with progress.shown():
        progress.say(LONG)
        progress.update({"acme": Counter({State.READY: 1})})

    assert "was accepted." in output.getvalue().removeprefix(before)


def test_a_file_gets_each_line_whole() -> None:
    output = StringIO()
    DemoProgress(Console(file=output, width=80, soft_wrap=True)).say(LONG)
    assert output.getvalue() == LONG + "\n"
