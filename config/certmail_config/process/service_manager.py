"""What a process tells the service manager that started it: the protocol of sd_notify(3).

A few lines over a datagram socket, and a stable format; the libraries for it either have not been
released for years or need systemd's headers to be built. Where nobody listens (no NOTIFY_SOCKET: a
container, a terminal), nothing is told.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"


class ServiceManager:
    """The one who started this process, if it wants to be told.

    `watchdog_seconds` is how long it waits for a sign of life; None where it does not watch.
    """

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        micros = environment.get("WATCHDOG_USEC", "")
        of = environment.get("WATCHDOG_PID", "")
        ours = not of or of == str(pid)

        self.watchdog_seconds: float | None = None
        if self._address and ours and micros.isascii() and micros.isdigit() and int(micros):
            self.watchdog_seconds = int(micros) / 1e6

    @classmethod
    def of_this_process(cls) -> ServiceManager:
        """Whoever started this process. What it starts itself is not the one that is watched."""
        found = cls(os.environ, os.getpid())
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            os.environ.pop(name, None)
        return found

    @property
    def listens(self) -> bool:
        """Whether it wants to be told anything."""
        return bool(self._address)

    def tell(self, *words: str) -> bool:
        """Tell it these, without waiting; gives whether they are on their way.

        One that does not hear stops no work.
        """
        # A name that begins with @ is of Linux's abstract namespace.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        if not address:
            return False

        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
                to.setblocking(False)
                to.sendto("\n".join(words).encode(), address)
        except BlockingIOError:
            return False  # it has not heard what came before
        except OSError as error:
            log.warning("service_manager_not_told", extra={"error": type(error).__name__})
            return False
        return True

    def status(self, sentence: str) -> str:
        """The word that shows a sentence in `systemctl status`."""
        return f"STATUS={' '.join(sentence.split())}"

    def more_time(self, seconds: float) -> str:
        """The word that asks for so much more time, to start or to stop."""
        return f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}"
