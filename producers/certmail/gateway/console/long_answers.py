"""Answers that may take longer than any other, as long as they get on: files, and live streams."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from aiohttp import web


@runtime_checkable
class BoundedConnection(Protocol):
    """A connection whose answer must end in time (listener.py)."""

    def answer_goes_on(self) -> None:
        """Give the answer as much time again."""


def still_going(request: web.Request) -> None:
    """Say that something of the answer was taken just now: its time begins again.

    Whoever takes nothing for so long is cut off.
    """
    protocol: object = request.protocol
    if isinstance(protocol, BoundedConnection):
        protocol.answer_goes_on()
