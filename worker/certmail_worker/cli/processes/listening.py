"""How a process says where it listens, or that it cannot."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime

from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX


def address_in_use(who: str, address: str, error: OSError, variable: str) -> Refused:
    """Why a process cannot listen, and which setting says where."""
    message = f"{who} cannot listen on {address}: {error.strerror or error}."
    return Refused("address_in_use", message, f"Set {variable} to another port.")


def announce(url: str, process: str = "") -> None:
    """Say where it listens: whoever started it reads this line.

    Of a process with a log of JSON lines it is one, too, where those are asked for: containers put
    both streams together.
    """
    if process and os.environ.get(f"{PREFIX}LOG_FORMAT") == "json":
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        head = {"timestamp": now, "level": "info", "process": process}
        url = json.dumps({**head, "event": "listens", "address": url})
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
