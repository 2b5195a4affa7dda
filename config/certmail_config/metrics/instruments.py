"""What a process counts with: prometheus-client's counters and histograms, as the table names them.

Counting a mail must cost next to nothing: what belongs to a label's value is looked up once, and
kept. Whatever counts has a bound on how many values it knows.

prometheus-client is imported where a process counts: commands do without the time that it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.metrics.table import METRICS

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

OTHER: Final = "other"
MAX_VALUES: Final = 500
"""So many combinations of labels' values one metric has; whatever else comes counts as `other`."""
BUCKETS: Final[dict[str, Sequence[float]]] = {
    "certmail_send_lateness_seconds": (
        0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800,
    ),
    "certmail_google_request_seconds": (
        0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 25, 60,
    ),
    "certmail_pacer_step_seconds": (
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
    ),
    "certmail_record_batch_seconds": (
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
    ),
    "certmail_webhook_post_seconds": (
        0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15,
    ),
    "certmail_http_request_seconds": (
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
    ),
}  # fmt: skip


def new_registry() -> CollectorRegistry:
    """A registry of what one process counts."""
    # See the module.
    from prometheus_client import CollectorRegistry, disable_created_metrics, values  # noqa: PLC0415

    # Celery's own command line imports it, for Flower's sake, while PROMETHEUS_MULTIPROC_DIR of
    # somebody else is still there; counters would go to files. So it looks once more.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    # When a counter was made says nothing that the process's start does not.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


class Counts:
    """A counter of the table.

    The values that are `known` from the start are told from the start: else nobody could see the
    first of them come.
    """

    def __init__(
        self, registry: CollectorRegistry, name: str, known: Iterable[Sequence[str]] = ()
    ) -> None:
        from prometheus_client import Counter  # noqa: PLC0415 - see the module

        metric = METRICS[name]
        self._counter = Counter(name, metric.meaning, metric.label_names, registry=registry)
        self._of: dict[tuple[str, ...], Counter] = {}
        for values in known:
            self._child(tuple(values))

    def add(self, *values: str, by: float = 1) -> None:
        """Count one more, or as many, of these values of its labels."""
        found = self._of.get(values)
        (found or self._child(values)).inc(by)

    def _child(self, values: tuple[str, ...]) -> Counter:
        if len(self._of) >= MAX_VALUES:
            values = (OTHER,) * len(values)
        child = self._counter.labels(*values) if values else self._counter
        self._of[values] = child
        return child


class Durations:
    """A histogram of the table, in seconds; as `Counts`."""

    def __init__(
        self, registry: CollectorRegistry, name: str, known: Iterable[Sequence[str]] = ()
    ) -> None:
        from prometheus_client import Histogram  # noqa: PLC0415 - see the module

        metric = METRICS[name]
        self._histogram = Histogram(
            name, metric.meaning, metric.label_names, registry=registry, buckets=BUCKETS[name]
        )
        self._of: dict[tuple[str, ...], Histogram] = {}
        for values in known:
            self._child(tuple(values))

    def note(self, seconds: float, *values: str) -> None:
        """Note one; less than nothing is what two clocks make of nothing."""
        found = self._of.get(values)
        (found or self._child(values)).observe(max(seconds, 0.0))

    def _child(self, values: tuple[str, ...]) -> Histogram:
        if len(self._of) >= MAX_VALUES:
            values = (OTHER,) * len(values)
        child = self._histogram.labels(*values) if values else self._histogram
        self._of[values] = child
        return child


_ENDS: Final = (
    State.ACCEPTED, State.READY, State.SCHEDULED, State.UNCERTAIN, State.FAILED, State.EXPIRED,
    "refused",
)  # fmt: skip
_KINDS: Final = ("service_provider_app", "customer_owned_app")
_BLAMES: Final = ("customer", "operator", "nobody")
_SERVICES: Final = (
    "pacer", "reaper", "verifier", "recorder", "caretaker", "retention", "planner",
    "sampler", "webhooks",
)  # fmt: skip
_WEBHOOK_OUTCOMES: Final = ("taken", "answered", "no_answer", "address_refused")


class WorkerMeters:
    """What one worker process counts."""

    def __init__(self, send_units: int = 100) -> None:
        self._send_units = send_units
        self.under_way = 0
        """Deliveries under way; belongs to the pool's loop."""
        self.registry = of = new_registry()
        outcomes = [
            (AttemptOutcome.ACCEPTED, "none"),
            (AttemptOutcome.UNKNOWN, "unknown"),
            (AttemptOutcome.NOT_SENT, "transient"),
        ]

        self.sends = Counts(of, "certmail_sends_total", outcomes)
        self.lateness = Durations(of, "certmail_send_lateness_seconds")
        self.google = Durations(of, "certmail_google_request_seconds", [["send"], ["token"]])
        self.deliveries = Counts(of, "certmail_deliveries_total", [[end] for end in _ENDS])
        self.begins_refused = Counts(of, "certmail_begins_refused_total")
        self.units = Counts(of, "certmail_quota_units_total", [["send"]])
        self.cooldowns = Counts(
            of,
            "certmail_cooldowns_total",
            [(scope, named) for scope in ("mailbox", "project") for named in ("yes", "no")],
        )
        self.minted = Counts(of, "certmail_tokens_minted_total", [[kind] for kind in _KINDS])
        self.refused = Counts(
            of,
            "certmail_tokens_refused_total",
            [(kind, blame) for kind in _KINDS for blame in _BLAMES],
        )
        self.leases = Counts(of, "certmail_leases_total", [()])
        self.steps = Durations(of, "certmail_pacer_step_seconds")
        self.reaped = Counts(of, "certmail_reaped_total", [(State.SENDING, State.UNCERTAIN)])
        self.recorded = Counts(of, "certmail_events_recorded_total", [()])
        self.batches = Durations(of, "certmail_record_batch_seconds")
        self.webhook_posts = Counts(
            of, "certmail_webhook_posts_total", [[each] for each in _WEBHOOK_OUTCOMES]
        )
        self.webhook_seconds = Durations(of, "certmail_webhook_post_seconds")
        self.failures = Counts(of, "certmail_service_failures_total", [[s] for s in _SERVICES])

    def sent(self, outcome: str, failure: str, seconds: float | None) -> None:
        """A request to send has ended; `seconds` is how long it took from its first byte."""
        self.sends.add(outcome, failure)
        if seconds is not None:
            self.google.note(seconds, "send")
            self.units.add("send", by=self._send_units)


class GatewayMeters:
    """What one gateway process counts."""

    def __init__(self) -> None:
        self.registry = of = new_registry()
        self.requests = Counts(of, "certmail_http_requests_total")
        self.seconds = Durations(of, "certmail_http_request_seconds")
        self.intake = Counts(
            of, "certmail_intake_total", [["enqueued"], ["duplicate"], ["rejected"]]
        )
