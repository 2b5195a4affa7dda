"""What is told of a reminder, and as what.

It is listed in TOLD, and must look like an identifier or be a number: no address, name, subject,
link or sentence can pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import StatusCode

from certmail_config.tracing.spans import Span

TOLD: Final = {
    "tenant": "certmail.tenant.id",
    "connection": "certmail.connection.id",
    "attempt": "certmail.attempt",
    "state": "certmail.state",
    "code": "certmail.code",
    "outcome": "certmail.outcome",
    "failure": "certmail.failure",
    "http": "http.response.status_code",
    "error_type": "error.type",
    "retry_after": "certmail.google.retry_after",
    "late_ms": "certmail.late_ms",
    "claim_ms": "certmail.claim_ms",
    "prepare_ms": "certmail.prepare_ms",
    "begin_ms": "certmail.begin_ms",
    "send_ms": "certmail.send_ms",
    "settle_ms": "certmail.settle_ms",
}
"""What is told of what the log's lines say, and under which name."""
Value = str | int | float
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_FAILED: Final = ("failed", "uncertain")


class TellingSpan(Span):
    """A span of OpenTelemetry's; `current`: what happens meanwhile belongs to it."""

    __slots__ = ("_current", "_span", "_token")

    def __init__(self, span: trace.Span, *, current: bool = False) -> None:
        self._span = span
        self._current = current
        self._token: Token[Context] | None = None

    def tell(self, facts: Mapping[str, object]) -> None:
        """Add those of TOLD."""
        span = self._span
        if not span.is_recording():
            return

        span.set_attributes(
            {
                known: shown
                for name, value in facts.items()
                if (known := TOLD.get(name)) is not None and (shown := shown_as(value)) is not None
            }
        )
        if facts.get("state") in _FAILED or "error_type" in facts:
            span.set_status(StatusCode.ERROR)

    def __enter__(self) -> Self:
        if self._current:
            self._token = attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it; of an error its type alone is told, whose words may quote a mail."""
        if self._token is not None:
            detach(self._token)
        if kind is not None:
            self.tell({"error_type": kind.__name__})
        self._span.end()


def shown_as(value: object) -> Value | None:
    """A value as it may be told; None for one that may not."""
    if isinstance(value, int | float):
        return value
    text = str(value) if isinstance(value, str) else ""
    return text if _IDENTIFIER.fullmatch(text) else None
