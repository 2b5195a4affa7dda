"""Where the demo's servers listen.

At the address that was asked for; at any free port, if somebody else is there, or comes first.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Final, TypeVar

from certmail_config.base.errors import Refused

T = TypeVar("T")

TRIES: Final = 3


def any_port(wanted: str) -> Iterator[str]:
    """The addresses to try for a server that says where it listens.

    The one that was asked for, then any port that the system gives.
    """
    yield wanted
    for _ in range(TRIES - 1):
        yield f"{_host(wanted)}:0"


def known_ports(wanted: str) -> Iterator[str]:
    """The addresses to try for a server whose address others must know before it starts.

    The one that was asked for, then ports that are free now.
    """
    yield wanted
    for _ in range(TRIES - 1):
        with socket.socket(socket.AF_INET6 if ":" in _host(wanted) else socket.AF_INET) as probe:
            try:
                probe.bind((_host(wanted).strip("[]"), 0))
            except OSError:
                return  # it is not the port that cannot be had
            port = probe.getsockname()[1]
        yield f"{_host(wanted)}:{port}"


def start(stack: ExitStack, places: Iterable[str], attempt: Callable[[ExitStack, str], T]) -> T:
    """Start something at the first of these places that can be had.

    What a failed attempt had opened is closed.

    Raises the last attempt's Refused.
    """
    refused: Refused | None = None

    for place in places:
        with ExitStack() as own:
            try:
                started = attempt(own, place)
            except Refused as error:
                refused = error
            else:
                stack.push(own.pop_all())
                return started

    assert refused is not None, "there is a first place"
    raise refused


def _host(address: str) -> str:
    return address.rpartition(":")[0]
