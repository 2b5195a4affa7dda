"""The file into which `certmail send` writes rejected rows, as they were and with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from certmail.files.row import Rejects, Row
from certmail.files.source import Source
from certmail_config.base.errors import WrongUse


@contextmanager
def rejects_file(name: str | None, file: str, source: Source) -> Iterator[Rejects | None]:
    """The file of rejected rows, which is written over; raises WrongUse.

    It has what is known even if the run is interrupted.
    """
    if name is None:
        yield None
        return

    path = Path(name)

    with ExitStack() as stack:
        with _writable(name):
            if file != "-" and path.exists() and path.samefile(file):
                message = (
                    f"{name} is the file that is sent: it would be written over before it is read."
                )
                raise WrongUse("wrong_use", message, "Name another file for the rejected rows.")
            target = stack.enter_context(path.open("wb"))
        kept = _RejectsFile(source.writer(target, name), name)
        stack.callback(kept.close)
        yield kept


class _RejectsFile:
    """Writes rejected rows; that it cannot is said of the file's name."""

    def __init__(self, writer: Rejects, name: str) -> None:
        self._writer = writer
        self._name = name

    def add(self, row: Row, reason: str) -> None:
        with _writable(self._name):
            self._writer.add(row, reason)

    def close(self) -> None:
        with _writable(self._name):
            self._writer.close()


@contextmanager
def _writable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WrongUse("unwritable_file", f"{name} cannot be written: {error.strerror}.") from None
