"""`certmail up --sandbox` in an empty home, for whoever looks at it in a browser."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def sandboxed() -> Iterator[dict[str, Any]]:
    """Start it on free ports, and give what it prints; it is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="judge-") as home:
        environment = {
            n: v for n, v in os.environ.items() if not n.startswith(("CERTMAIL_", "XDG_"))
        }
        environment |= {f"CERTMAIL_{name}LISTEN": "127.0.0.1:0" for name in ("SANDBOX_", "FLOWER_")}
        environment |= {"HOME": home, "CERTMAIL_LISTEN": f"127.0.0.1:{_free_port()}"}

        command = [sys.executable, "-m", "certmail_worker", "up", "--sandbox", "--json"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as up:
            try:
                assert up.stdout is not None, "it was asked for"
                lines = []
                for line in up.stdout:
                    lines.append(line)
                    if line == "}\n":
                        break
                yield json.loads("".join(lines))
            finally:
                up.send_signal(signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
