"""How a process says where it listens, or that it cannot."""

from __future__ import annotations

import sys

from certmail_config.base.errors import Refused


def address_in_use(who: str, address: str, error: OSError, variable: str) -> Refused:
    """Why a process cannot listen, and which setting says where."""
    message = f"{who} cannot listen on {address}: {error.strerror or error}."
    return Refused("address_in_use", message, f"Set {variable} to another port.")


def announce(url: str) -> None:
    """Say where it listens: whoever started it reads this line."""
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
