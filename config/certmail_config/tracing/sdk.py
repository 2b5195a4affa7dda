"""OpenTelemetry's SDK, set up for this process by its own variables.

What is told goes through a queue that has a bound; a thread of the SDK's sends it. Where nobody
takes it, or too slowly, it is thrown away: no delivery waits for it.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from certmail_config.tracing.ids import Ids
from certmail_config.tracing.job_traces import evenly
from certmail_config.tracing.telling import TellingTracing

log = logging.getLogger(__name__)

CLOSE_SECONDS: Final = 2.0
"""How long an end waits for what was not sent yet; then it is thrown away."""
_LOUD: Final = ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal")
"""These loggers say in several lines, and for each span, what `traces_not_exported` says."""


def telling_tracing(service: str) -> TellingTracing:
    """Make it; raises what OpenTelemetry raises for variables that it does not like."""
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)

    ids = Ids()
    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": service}))

    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    provider.sampler = Evenly(provider.sampler)
    provider.add_span_processor(Processor(Exporter()))

    tracing = TellingTracing(provider.get_tracer("certmail", _version()), ids, provider.shutdown)
    atexit.register(tracing.close)
    return tracing


class Exporter(OTLPSpanExporter):
    """Sends spans, and says in a line of ours when that fails: without an address, or headers."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them."""
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            log.warning("traces_not_exported", extra={"alike": "traces", "spans": len(spans)})
        return result


class Processor(BatchSpanProcessor):
    """A processor whose end has a bound of ours, not half a minute."""

    def shutdown(self) -> None:
        """Send what is left, if it can be sent in time."""
        self._batch_processor.shutdown(timeout_millis=int(CLOSE_SECONDS * 1000))


class Evenly(Sampler):
    """The sampler that was asked for, shown ids that are random where it looks."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide as it does."""
        return self._sampler.should_sample(
            parent_context, evenly(trace_id), name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """Its own description."""
        return self._sampler.get_description()


def _version() -> str:
    try:
        return version("certmail")
    except PackageNotFoundError:  # run from a folder that nobody installed
        return "unknown"
