"""Traces that are told: spans in each reminder's own trace, joined by links."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, cast
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags

from certmail_config.base.ids import JobId
from certmail_config.tracing.ids import Ids
from certmail_config.tracing.job_traces import enqueue_span_of, trace_of
from certmail_config.tracing.origins import (
    OUTSIDE,
    Caller,
    OnBehalf,
    current,
    next_ones,
    without_state,
)
from certmail_config.tracing.spans import Origin, Span, Taken, Tracing
from certmail_config.tracing.what_is_told import TellingSpan, Value, shown_as

MAX_LINKS: Final = 64
"""So many of its jobs a step of the pacer links to."""
_SYSTEM: Final = {"messaging.system": "redis", "messaging.destination.name": "certmail"}
_REMOTE: Final = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)


class TellingTracing(Tracing):
    """Tells of one process; see `Tracing`."""

    def __init__(self, tracer: trace.Tracer, ids: Ids, close: Callable[[], None]) -> None:
        self._tracer = tracer
        self._ids = ids
        self._close = close

    def origin(self) -> Origin | None:
        """The span that is the application's current one."""
        return current()

    def caller(self, traceparent: str) -> Span:
        """See `Tracing`; what is no such header says nothing."""
        return Caller(traceparent)

    def on_behalf(self, origins: Sequence[Origin | None]) -> Span:
        """See `Tracing`."""
        return OnBehalf(origins)

    def begin_enqueue(self, count: int) -> object:
        """When, and whom each comes from."""
        return time.time_ns(), next_ones(count)

    def end_enqueue(self, begun: object, taken: Iterable[Taken]) -> None:
        """A span in the trace of each.

        One that came twice has another span there, which links to the first.
        """
        since, origins = cast("tuple[int, list[Origin | None]]", begun)
        for each in taken:
            at = trace_of(each.job)
            links = [without_state(origin) for origin in origins[each.place : each.place + 1]]
            span_id = None if at is None or each.duplicate else enqueue_span_of(at)
            if at is not None and each.duplicate:
                links.append(_enqueued(at))
            span = self._start(
                "certmail enqueue",
                SpanKind.PRODUCER,
                {
                    **_SYSTEM,
                    "messaging.operation.name": "enqueue",
                    "messaging.operation.type": "send",
                    "messaging.message.id": shown_as(each.job) or "",
                    "certmail.duplicate": each.duplicate,
                },
                at,
                links=[Link(context) for context in links if context is not None],
                span_id=span_id,
                since=since,
            )
            with TellingSpan(span) as told:
                told.tell(
                    {"tenant": each.tenant, "connection": each.connection, "state": each.state}
                )

    def pace(self, jobs: Sequence[JobId], seconds: float) -> Span:
        """A span with a trace of its own, which links to the traces of some of its jobs."""
        traces = [at for job in jobs[:MAX_LINKS] if (at := trace_of(job)) is not None]
        attributes: dict[str, Value] = {
            **_SYSTEM,
            "messaging.operation.name": "pace",
            "messaging.operation.type": "send",
            "messaging.batch.message_count": len(jobs),
        }
        return TellingSpan(
            self._start(
                "certmail pace",
                SpanKind.PRODUCER,
                attributes,
                links=[Link(_enqueued(at)) for at in traces],
                since=time.time_ns() - int(seconds * 1e9),
            )
        )

    def delivery(self, job: JobId, worker: str) -> Span:
        """A span in the job's trace, which links to that in which it was enqueued."""
        at = trace_of(job)
        attributes: dict[str, Value] = {
            **_SYSTEM,
            "messaging.operation.name": "deliver",
            "messaging.operation.type": "process",
            "messaging.message.id": shown_as(job) or "",
            "messaging.client.id": shown_as(worker) or "",
        }
        span = self._start(
            "certmail deliver",
            SpanKind.CONSUMER,
            attributes,
            at,
            links=[] if at is None else [Link(_enqueued(at))],
        )
        return TellingSpan(span, current=True)

    def google(self, call: str, method: str, root: str, route: str) -> Span:
        """A span in the delivery's that asks, if one does."""
        server = urlsplit(root)
        attributes: dict[str, Value] = {
            "http.request.method": method,
            "server.address": server.hostname or "",
            "server.port": server.port or (80 if server.scheme == "http" else 443),
            "url.template": route,
        }
        return TellingSpan(
            self._tracer.start_span(f"Google {call}", kind=SpanKind.CLIENT, attributes=attributes)
        )

    def close(self) -> None:
        """See `Tracing`; once more does nothing."""
        self._close()

    def _start(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Value],
        at: int | None = None,
        *,
        links: Sequence[Link],
        span_id: int | None = None,
        since: int | None = None,
    ) -> trace.Span:
        """Start the first span of a trace, `at` a job's; whatever is current stays outside."""
        before_trace, before_span = self._ids.next_trace.set(at), self._ids.next_span.set(span_id)
        try:
            return self._tracer.start_span(
                name,
                context=OUTSIDE,
                kind=kind,
                attributes=attributes,
                links=links,
                start_time=since,
            )
        finally:
            self._ids.next_trace.reset(before_trace)
            self._ids.next_span.reset(before_span)


def _enqueued(at: int) -> SpanContext:
    """The span in which the job of a trace was enqueued."""
    return SpanContext(at, enqueue_span_of(at), is_remote=True, trace_flags=_REMOTE)
