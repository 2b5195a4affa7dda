"""Secrets that `certmail up` makes once where none is set.

Kept in the data directory for their owner only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def kept(path: Path, make: Callable[[], str]) -> str:
    """What is kept in a file; made if there is none.

    For a process that is alone on the data directory, as `up` is.
    """
    if not path.exists():
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{make()}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    return path.read_text("utf-8", errors="replace").strip()
