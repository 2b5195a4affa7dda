"""The ceiling of the bench: how many requests a second the endpoint can take.

`python -m bench.mail.ceiling PORT CA BODY CONNECTIONS SECONDS`

Every connection sends the next request when the answer is there; nothing is parsed. Prints requests
per second.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from pathlib import Path

import uvloop

from bench.mail.authority import GMAIL_HOST


class Caller(asyncio.Protocol):
    """Asks again and again."""

    asked = 0

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class
        self._ask()

    def data_received(self, data: bytes) -> None:
        Caller.asked += 1
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        self._transport.write(self._request)


async def measure(port: int, ca: Path, body: bytes, connections: int, seconds: float) -> float:
    """Requests per second over that many connections."""
    request = (
        b"POST /gmail/v1/users/me/messages/send HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer x\r\n"
        b"Content-Type: application/json\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )
    context = ssl.create_default_context(cafile=str(ca))
    loop = asyncio.get_running_loop()
    await asyncio.gather(
        *(
            loop.create_connection(lambda: Caller(request), GMAIL_HOST, port, ssl=context)
            for _ in range(connections)
        )
    )

    begun, asked = time.monotonic(), Caller.asked
    await asyncio.sleep(seconds)
    return (Caller.asked - asked) / (time.monotonic() - begun)


def main() -> None:
    """See the module."""
    port, ca, body, connections, seconds = sys.argv[1:]
    found = uvloop.run(
        measure(int(port), Path(ca), Path(body).read_bytes(), int(connections), float(seconds))
    )
    sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    main()
