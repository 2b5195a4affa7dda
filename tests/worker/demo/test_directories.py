"""What the demo leaves behind: the directories of its last runs."""

from __future__ import annotations

import os
from pathlib import Path

from certmail_worker.demo.directories import KEPT, new_directory


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
