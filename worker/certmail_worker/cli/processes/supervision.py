"""Supervision: `certmail up` starts the commands that it runs again whenever they end.

One `up` at a time runs on a data directory.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from certmail_config.base.errors import Refused, StoresUnreachable
from certmail_config.settings import Settings
from certmail_config.stores.connect import make_data_dir
from certmail_worker.cli.processes.saying import say_or_log
from certmail_worker.processes.children import Child

RESTART_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 10.0


@contextmanager
def lock_data_dir(settings: Settings) -> Iterator[None]:
    """Hold the data directory's lock for the time of the block, so that one `up` runs on it.

    Raises Refused, StoresUnreachable.
    """
    make_data_dir(settings)

    try:
        file = (settings.data_dir / "up.lock").open("a+")
    except OSError as error:
        message = f"{settings.data_dir} cannot be written to: {error.strerror}."
        raise StoresUnreachable("data_dir_unusable", message, "Set CERTMAIL_DATA_DIR.") from None

    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Refused(
                "already_up",
                f"certmail is up already on {settings.data_dir} (process {file.read().strip() or 'unknown'}).",
                "Stop that one first, or set CERTMAIL_DATA_DIR to another directory.",
            ) from None

        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Supervised:
    """A command of ours that `up` starts again whenever it ends, and stops in the end.

    What says itself that it cannot start, and says so again, is tried ever less often. With a
    `log`, that has what it says.
    """

    def __init__(
        self, command: str, environment: Mapping[str, str], *options: str, log: Path | None = None
    ) -> None:
        self.name = command
        self.options = options
        self._environment = environment
        self._log = log
        self._pause = RESTART_SECONDS
        self._start()

    def _start(self) -> None:
        self._child = Child(
            ["certmail_worker", self.name, *self.options], self._environment, self._log
        )
        self._began = time.monotonic()
        self._again: float | None = None

    def first_line(self) -> str:
        """What it says first, for one with a log; raises Refused if it ends instead."""
        return self._child.first_line()

    def watch(self) -> None:
        """See whether it runs; start it again when it is time to."""
        now = time.monotonic()

        if self._again is not None:
            if now >= self._again:
                self._child.stop()
                self._start()
        elif not self._child.alive:
            status = self._child.process.returncode
            self._again = now + self._pause
            say_or_log(
                "process_ended",
                f"`certmail {self.name}` ended with status {status}; it is started again in {self._pause:g} s.",
                command=self.name,
                status=status,
            )
            gave_up_at_once = status > 0 and now - self._began < STEADY_SECONDS
            self._pause = (
                min(self._pause * 2, LONGEST_PAUSE_SECONDS) if gave_up_at_once else RESTART_SECONDS
            )

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._child.stop()
