"""Who is told of traces: an OTLP receiver over HTTP that keeps what it is given.

It can refuse what comes, or hold it back for as long as a test likes.
"""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent


@dataclass(frozen=True, slots=True)
class Link:
    """Which span another one names; in hexadecimal digits."""

    trace: str
    span: str


@dataclass(frozen=True, slots=True)
class Told:
    """A span as it came, and the service that told it; ids are hexadecimal digits."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    links: list[Link]
    attributes: dict[str, Any]
    failed: bool
    events: int
    begun: int
    ended: int


class Collector:
    """See the module. `status` is what it answers; while it is held it answers nobody."""

    def __init__(self) -> None:
        self.port = 0
        self.status = 200
        self.raw: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.held = threading.Event()
        """Set as long as what comes is answered."""
        self.held.set()
        self.came = threading.Event()
        """Somebody has come."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Told]:
        """All that came, in that order."""
        found = []
        for each in list(self.raw):
            for of_process in ExportTraceServiceRequest.FromString(each).resource_spans:
                attributes = {a.key: a.value for a in of_process.resource.attributes}
                service = attributes["service.name"].string_value
                for scope in of_process.scope_spans:
                    found += [_told(service, span) for span in scope.spans]
        return found

    def of_trace(self, job: str) -> dict[str, list[Told]]:
        """What is in a job's trace, by name."""
        found = defaultdict(list)
        for span in self.spans:
            if span.trace == job.replace("-", ""):
                found[span.name].append(span)
        return found

    def environment(self) -> dict[str, str]:
        """The variables with which a process tells it, at once."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}


def _told(service: str, span: Sent) -> Told:
    return Told(
        service=service,
        name=span.name,
        kind=span.kind,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=[Link(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        attributes={
            a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in span.attributes
        },
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        events=len(span.events),
        begun=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


@contextmanager
def collector() -> Iterator[Collector]:
    """One that listens until the block ends."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.came.set()
            made.held.wait()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if made.status == 200:
                made.raw.append(body)
                made.headers.append(dict(self.headers.items()))
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            made.held.set()
            server.shutdown()
            thread.join()
