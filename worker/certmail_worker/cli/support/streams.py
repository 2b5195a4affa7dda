"""Standard input, output and error, whatever state they are in.

Closed, full, gone, or in an encoding that lacks a character.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def make_usable() -> None:
    """Open what is closed of the three streams, and let them take every character.

    So no file of ours takes the place of one.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest number: this.
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)

    # Descriptors, for as long as the process lives.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # of a terminal or a file


def let_go(status: int) -> int:
    """Write what is still to be written; gives the exit status, 1 where not all of it could be."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = status or 1  # whoever read it has left, which is their affair
        _to_nowhere(sys.stdout)
    except OSError as error:
        status = status or 1
        _to_nowhere(sys.stdout)
        with suppress(OSError):
            sys.stderr.write(f"certmail: The output could not be written: {error.strerror}.\n")

    try:
        sys.stderr.flush()
    except OSError:
        _to_nowhere(sys.stderr)

    return status


def _to_nowhere(stream: TextIO) -> None:
    """What is left in its buffer would be tried again when Python ends, and end in a trace."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
