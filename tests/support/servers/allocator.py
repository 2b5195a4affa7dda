"""The memory allocator that the bench's Redis server runs with.

Distributions and the official images build Redis and Valkey with jemalloc; the wheel's has the C
library's, in which the server spends up to a fifth of its time. Where jemalloc is installed
(`apt-get install libjemalloc2`) each server of the bench gets it, whoever is measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library

JEMALLOC = find_library("jemalloc")


def name() -> str:
    """For a footnote."""
    return "jemalloc" if JEMALLOC else "the C library's allocator (servers come with jemalloc)"


@contextmanager
def as_shipped() -> Iterator[None]:
    """Servers that are started meanwhile have jemalloc, where this machine has it."""
    before = os.environ.get("LD_PRELOAD")
    if JEMALLOC:
        os.environ["LD_PRELOAD"] = JEMALLOC

    try:
        yield
    finally:
        if before is None:
            os.environ.pop("LD_PRELOAD", None)
        else:
            os.environ["LD_PRELOAD"] = before
