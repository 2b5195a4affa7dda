"""Where in an application's own trace reminders come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from itertools import islice
from types import TracebackType
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from certmail_config.tracing.spans import Origin, Span

OUTSIDE: Final = Context()
"""Outside of every span."""
_HEADERS: Final = TraceContextTextMapPropagator()


def current() -> SpanContext | None:
    """The span that is the application's current one, if there is one."""
    at = trace.get_current_span().get_span_context()
    return at if at.is_valid else None


def next_ones(count: int) -> list[Origin | None]:
    """Where the next so many come from: as `OnBehalf` said in this thread, or all from here."""
    several = _ORIGINS.get(None)
    return [current()] * count if several is None else list(islice(several, count))


class OnBehalf(Span):
    """Origins, given to those that are enqueued in this thread meanwhile."""

    __slots__ = ("_origins", "_token")

    def __init__(self, origins: Sequence[Origin | None]) -> None:
        self._origins = origins

    def __enter__(self) -> Self:
        self._token = _ORIGINS.set(iter(self._origins))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _ORIGINS.reset(self._token)


class Caller(Span):
    """A span of somebody else's that is the current one meanwhile."""

    __slots__ = ("_context", "_token")

    def __init__(self, traceparent: str) -> None:
        """Read a header of W3C's; what is none says nothing."""
        self._context = _HEADERS.extract({"traceparent": traceparent}, context=OUTSIDE)

    def __enter__(self) -> Self:
        self._token = attach(self._context)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        detach(self._token)


_ORIGINS: ContextVar[Iterator[Origin | None] | None] = ContextVar("whom reminders come from")


def without_state(origin: Origin | None) -> SpanContext | None:
    """An application's span, without what its vendors have written beside."""
    if not isinstance(origin, SpanContext):
        return None
    return SpanContext(
        origin.trace_id, origin.span_id, origin.is_remote, trace_flags=origin.trace_flags
    )
