"""The ids of spans and traces: random, or those that belong to a job."""

from __future__ import annotations

from contextvars import ContextVar

from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator


class Ids(IdGenerator):
    """Random ids, but where `next_trace` and `next_span` say which the next span has."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.next_trace: ContextVar[int | None] = ContextVar("next trace", default=None)
        self.next_span: ContextVar[int | None] = ContextVar("next span", default=None)

    def generate_trace_id(self) -> int:
        """The trace of the job that is told of next, or a new one."""
        return self.next_trace.get() or self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        """A new one, or that which others will link to."""
        return self.next_span.get() or self._random.generate_span_id()

    def is_trace_id_random(self) -> bool:
        """Whether the last 56 bits are: those of a UUIDv7 are, too."""
        return True
