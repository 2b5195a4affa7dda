"""Google, as far as a benchmark needs it.

It gives tokens, takes messages.send over TLS, and counts what arrived.

`python -m bench.mail.endpoint CERTIFICATE` prints the port it listens on. A protocol on the bare
transport, because it shares the machine with what is measured: the less it costs, the less it
disturbs. It judges nothing but that there is a bearer token and a message with an id. Control:
`POST /reset?latency=SECONDS`, `GET /count`, `GET /ids`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
import sys
import time
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import uvloop

_ID = re.compile(rb"^X-Certmail-Id: (\S+)", re.MULTILINE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
_SEND = re.compile(rb"POST /gmail/v1/users/[^/ ]+/messages/send[ ?]")


class Counts:
    """What arrived since the last reset; times are the machine's monotonic clock."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.ids: Counter[str] = Counter()
        self.bad = self.tokens = self.in_flight = self.most_in_flight = 0
        self.first = self.last = 0.0

    def take(self, message: str) -> None:
        """One message."""
        self.ids[message] += 1
        self.last = time.monotonic()
        self.first = self.first or self.last

    def summary(self) -> dict[str, float]:
        """The counts."""
        return {
            "received": self.ids.total(),
            "unique": len(self.ids),
            "bad": self.bad,
            "tokens": self.tokens,
            "most_in_flight": self.most_in_flight,
            "first": self.first,
            "last": self.last,
        }


class Endpoint:
    """The server's state: one set of counts at a time."""

    def __init__(self) -> None:
        self.counts = Counts(0.0)

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        """The answer to one request, and whether it takes as long as Google would."""
        if _SEND.match(head):
            return self._send(head, body), True

        path = head.split(b" ", 2)[1].decode("ascii")

        if head.startswith(b"POST /token "):
            self.counts.tokens += 1
            # As long as Google's, some 200 characters.
            value = {
                "access_token": "ya29." + "t" * 200,
                "expires_in": 3599,
                "token_type": "Bearer",
            }
            return _response(
                200, value | {"scope": "https://www.googleapis.com/auth/gmail.send"}
            ), True

        if head.startswith(b"POST /reset"):
            self.counts = Counts(float(parse_qs(urlsplit(path).query)["latency"][0]))
            return _response(200, {}), False
        if path == "/count":
            return _response(200, self.counts.summary()), False
        if path == "/ids":
            return _response(200, sorted(self.counts.ids)), False

        self.counts.bad += 1
        return _response(404, {"error": {"code": 404, "message": "not here"}}), False

    def _send(self, head: bytes, body: bytes) -> bytes:
        start = body.find(b'"raw"')
        start = body.find(b'"', start + 5) + 1
        message = base64.urlsafe_b64decode(body[start : body.find(b'"', start)])
        found = _ID.search(message)
        if found is None or b"\r\nauthorization: bearer " not in head.lower():
            self.counts.bad += 1
            return _response(
                400, {"error": {"code": 400, "message": "no message with an id, or no token"}}
            )

        name = found[1].decode("ascii")
        self.counts.take(name)
        return _response(200, {"id": name, "threadId": name, "labelIds": ["SENT"]})


def _response(status: int, value: object) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Wire(asyncio.Protocol):
    """One connection; requests on it follow one another."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[: end + 2]
            length = _LENGTH.search(head.lower())
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            answer, takes_time = self._endpoint.answer(head, body)
            self._reply(answer, takes_time=takes_time)

    def _reply(self, answer: bytes, *, takes_time: bool) -> None:
        counts = self._endpoint.counts
        if not takes_time or not counts.latency:
            self._write(answer)
            return
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        asyncio.get_running_loop().call_later(counts.latency, self._later, counts, answer)

    def _later(self, counts: Counts, answer: bytes) -> None:
        counts.in_flight -= 1
        self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(certificate: str) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    endpoint = Endpoint()
    loop = asyncio.get_running_loop()
    # All of 127/8 is this machine: both host names lead here.
    server = await loop.create_server(
        lambda: Wire(endpoint), "0.0.0.0", 0, ssl=context, backlog=4096
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
