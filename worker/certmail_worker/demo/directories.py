"""The demo's data directories: one for each run, of which the last few are kept to be looked at."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

KEPT: Final = 3
_NAME: Final = re.compile(r"demo-\d{8}-\d{6}-(\d+)")


def new_directory(base: Path) -> Path:
    """Make this run's, and remove those of older runs."""
    made = base / f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
    made.mkdir(mode=0o700, parents=True)
    for each in outlived(base.iterdir(), running=_is_running):
        shutil.rmtree(each, ignore_errors=True)  # what is left of one is removed the next time
    return made


def outlived(found: Iterable[Path], *, running: Callable[[int], bool]) -> list[Path]:
    """Those of runs that are over, but for the newest; their names have time and process."""
    named = sorted((each.name, each) for each in found if _NAME.fullmatch(each.name))
    return [each for name, each in named[:-KEPT] if not running(int(name.rpartition("-")[2]))]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
