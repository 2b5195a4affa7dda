"""Addresses on which nothing listens yet."""

from __future__ import annotations

import socket
from contextlib import closing


def free_address() -> str:
    """HOST:PORT of this machine that somebody may listen on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
