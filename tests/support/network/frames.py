"""What goes over a wire, cut into the pieces that a test may want to stop.

Commands of Redis, and requests of HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece as it was sent, and the words by which it is known."""

    raw: bytes
    words: tuple[bytes, ...]


class Framing(Protocol):
    """Cuts one direction of one connection; keeps what is not complete yet."""

    def feed(self, data: bytes) -> list[Frame]:
        """Give the pieces that are complete now."""


class RedisCommands:
    """Commands as clients send them: arrays of bulk strings."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Frame]:
        """As the protocol says."""
        self._buffer += data
        frames = []
        while (frame := self._first()) is not None:
            self._buffer = self._buffer[len(frame.raw) :]
            frames.append(frame)
        return frames

    def _first(self) -> Frame | None:
        at = self._buffer.find(b"\r\n")
        if at < 0:
            return None

        assert self._buffer[:1] == b"*", self._buffer[:40]
        words, count, at = [], int(self._buffer[1:at]), at + 2
        for _ in range(count):
            end = self._buffer.find(b"\r\n", at)
            if end < 0:
                return None
            start, size = end + 2, int(self._buffer[at + 1 : end])
            at = start + size + 2
            if at > len(self._buffer):
                return None
            words.append(self._buffer[start : start + size])

        return Frame(self._buffer[:at], tuple(words))


class HttpRequests:
    """Requests of a client that waits for each answer.

    A chunk that opens a request has the words of its first line.
    """

    def feed(self, data: bytes) -> list[Frame]:
        """As the protocol says."""
        opens = data.startswith((b"POST ", b"GET "))
        return [Frame(data, tuple(data.partition(b"\r\n")[0].split()) if opens else ())]
