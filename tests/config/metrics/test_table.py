"""Every metric is declared once, counted under that name, and listed in the docs."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from certmail_config.google.token_error_table import Blame
from certmail_config.metrics.instruments import (
    BUCKETS,
    MAX_VALUES,
    Counts,
    GatewayMeters,
    WorkerMeters,
)
from certmail_config.metrics.reference import HEADING, reference
from certmail_config.metrics.table import METRICS, PREFIX, TABLE, Kind, Metric, Source
from certmail_config.status.stalls import SERVICES
from certmail_config.tenants.models import ConnectionKind
from certmail_worker.delivery.failure_table import FailureClass
from support.data.pages import page

EVERY = [metric for metrics in TABLE.values() for metric in metrics]
UNITS = ("seconds", "bytes", "ratio")


def counted(*sources: Source) -> set[str]:
    """What processes count, of what these sources tell."""
    return {m.name for source in sources for m in TABLE[source] if m.kind is not Kind.GAUGE}


def names_in(registry: CollectorRegistry) -> set[str]:
    return {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in registry.collect()
    }


class TestTable:
    def test_each_name_is_declared_once(self) -> None:
        assert len(METRICS) == len(EVERY) > 50
        assert set(TABLE) == set(Source)

    @pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
    def test_names_say_kind_and_unit(self, metric: Metric) -> None:
        assert metric.name.startswith(PREFIX)
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.name.endswith(UNITS) == (metric.unit in UNITS)
        assert metric.meaning

    def test_histograms_have_buckets_and_nothing_else_has(self) -> None:
        assert set(BUCKETS) == {m.name for m in EVERY if m.kind is Kind.HISTOGRAM}

    def test_the_page_lists_them_all_as_they_are_declared(self) -> None:
        text = page("docs/monitoring.md").text
        assert text[text.index(HEADING) :] == reference()


class TestInstruments:
    def test_workers_and_gateways_count_what_the_table_says(self) -> None:
        assert names_in(WorkerMeters().registry) == counted(Source.WORKER)
        assert names_in(GatewayMeters().registry) == counted(Source.GATEWAY)

    def test_what_is_told_from_the_start_is_what_can_come(self) -> None:
        def told(name: str, label: str) -> set[str]:
            found = WorkerMeters().registry.collect()
            return {
                sample.labels[label]
                for metric in found
                for sample in metric.samples
                if sample.name == name
            }

        assert told("certmail_sends_total", "failure") < set(FailureClass)
        assert told("certmail_tokens_minted_total", "kind") == set(ConnectionKind)
        assert told("certmail_tokens_refused_total", "blame") == {blame.value for blame in Blame}
        assert told("certmail_service_failures_total", "service") == set(SERVICES)

    def test_one_metric_has_so_many_values_and_no_more(self) -> None:
        registry = CollectorRegistry()
        counts = Counts(registry, "certmail_http_requests_total")
        for n in range(MAX_VALUES + 100):
            counts.add(f"/{n}", "GET", "2xx")
            counts.add(f"/{n}", "GET", "2xx")
        [metric] = registry.collect()
        assert len(metric.samples) == MAX_VALUES + 1
        assert sum(sample.value for sample in metric.samples) == 2 * (MAX_VALUES + 100)
