"""What `make pace` counts, and that it leaves nothing running behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.mail.place import TESTS
from bench.pace import VoidError, cases, count, most_in_a_minute
from support.deployment.deployment import wait_for

BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp()
[ALONE, SHARED] = cases(mailboxes=300)


def asked(at: float, status: int = 200, job: str | None = None) -> dict[str, Any]:
    """A request as the sandbox notes it, so many seconds after the beginning."""
    moment = datetime.fromtimestamp(BEGIN + at, UTC).isoformat(timespec="milliseconds")
    accepted = "18c" if status == 200 else None
    return {"at": moment, "status": status, "certmail_id": job or str(at), "accepted": accepted}


def test_google_allows_a_mailbox_sixty_mails_a_minute_and_a_project_what_was_set_for_it() -> None:
    assert (ALONE.mailboxes, ALONE.a_minute, ALONE.limits.units_per_minute) == (1, 60, 6_000)
    assert (SHARED.mailboxes, SHARED.a_minute, SHARED.limits.project_units_per_minute) == (
        300,
        3_000,
        300_000,
    )


def test_mails_are_counted_from_the_first_after_all_tokens_were_there_and_no_longer_than_asked_for() -> (
    None
):
    mails = [asked(at) for at in (0, 1, 2.5, 3.5, 62.499, 62.5, 70)]
    result = count(ALONE, mails, BEGIN + 2, seconds=60)
    assert (result.arrived, result.allowed, result.share) == (3, 60, 0.05)


def test_every_refusal_for_a_limit_counts_whenever_it_was_and_so_does_every_copy() -> None:
    mails = [asked(0, 429), asked(1, 403), asked(2, 401), asked(3, job="a"), asked(4, job="a")]
    result = count(ALONE, mails, BEGIN + 3, seconds=60)
    assert (result.refused, result.twice, result.other_answers) == (2, 1, {"401": 1})


def test_at_least_ninety_seven_hundredths_must_be_used_without_a_refusal_or_a_copy() -> None:
    good = count(ALONE, [asked(n * 60 / 58.5) for n in range(120)], BEGIN, seconds=120)
    assert (good.arrived, good.good) == (117, True)
    assert not replace(good, share=0.9699).good
    assert not replace(good, refused=1).good
    assert not replace(good, twice=1).good


def test_a_run_in_which_nothing_arrived_proves_nothing() -> None:
    with pytest.raises(VoidError):
        count(ALONE, [asked(0)], BEGIN + 1, seconds=60)


def test_the_fullest_minute_may_begin_anywhere_and_a_mail_leaves_it_after_exactly_a_minute() -> (
    None
):
    assert most_in_a_minute([0, 50, 59.9, 60, 61, 109.9, 110]) == 5
    assert most_in_a_minute([]) == 0


def test_told_to_end_it_takes_all_its_processes_with_it(tmp_path: Path) -> None:
    def running() -> list[Path]:
        """All processes, however far down, that belong to this run's folder.

        The embedded server is one of them.
        """
        found = (process for process in Path("/proc").iterdir() if process.name.isdigit())
        return [process for process in found if _belongs(process, tmp_path)]

    environment = os.environ | {"PYTHONPATH": str(TESTS), "BENCH_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "bench.pace", "--seconds", "1", "--stall", "300"]
    with subprocess.Popen(command, cwd=TESTS, env=environment, stderr=subprocess.DEVNULL) as bench:
        try:
            wait_for(
                "a worker that is stopped",
                lambda: any(_state(each) == "T" for each in running()),
                60,
            )
            assert len(running()) >= 5, "the bench, the sandbox, Valkey and two workers"
            bench.send_signal(signal.SIGTERM)
            assert bench.wait(60) == 128 + signal.SIGTERM
        finally:
            bench.kill()
    assert running() == []
    assert list(tmp_path.iterdir()) == []


def _belongs(process: Path, folder: Path) -> bool:
    try:
        known = (process / "environ").read_text("utf-8", "replace") + str(
            (process / "cwd").readlink()
        )
    except OSError:
        return False
    return str(folder) in known


def _state(process: Path) -> str:
    try:
        return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""
