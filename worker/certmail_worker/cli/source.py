"""The file or standard input that `certmail send` reads, and how far it has come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Literal

from certmail_config.errors import WrongUse
from certmail_worker.cli.rows import sniff


class Source:
    """Lines, with how many bytes they had so far, of how many; None where nobody knows."""

    def __init__(self, lines: Iterable[str], form: Literal["csv", "jsonl"], total: int | None) -> None:
        self._lines = lines
        self.form = form
        self.total = total
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.taken += len(line.encode("utf-8", "surrogateescape"))
            yield line


@contextmanager
def open_source(file: str) -> Iterator[Source]:
    """Open a file, or `-`; bytes that are not UTF-8 are kept apart, so that one bad row does not cost the others. Raises WrongUse."""
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
        first = sys.stdin.readline()
        yield Source(chain([first] if first else [], sys.stdin), sniff("-", first), None)
        return
    path = Path(file)
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as source:
            first = source.readline()
            source.seek(0)
            size = path.stat().st_size if path.is_file() else None
            yield Source(source, sniff(file, first), size)
    except OSError as error:
        raise WrongUse("unreadable_file", f"{file} cannot be read: {error.strerror}.") from None
