"""The page `/metrics`: put together from what the process counted, and what the stores say.

It comes within a bound: where a store does not answer in time, what it would have said is missing,
and `certmail_store_up` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from certmail_config.metrics.table import METRICS
from certmail_config.process.listener import Page
from certmail_config.process.release import Release
from certmail_config.settings import Settings
from certmail_config.status.monitoring import ledger_figures
from certmail_config.status.monitoring.asking import Asking
from certmail_config.status.monitoring.values import Samples, Values, put
from certmail_config.stores.capacity import StoreLimits
from certmail_config.stores.connect import connect_briefly

WAIT_SECONDS: Final = 1.0
"""How long a store is waited for: Prometheus waits for ten seconds, others for less."""
GIVE_UP_SECONDS: Final = 5.0
"""After which a look at Redis ends that nobody waits for any more."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that a process uses; the engine is shared with it."""

    settings: Settings
    redis_url: str
    engine: Engine


class MetricsPage:
    """The page of one process.

    `own` gives the gauges that only the process itself knows; it is called on the listener's thread.
    """

    def __init__(
        self,
        process: str,
        release: Release,
        registry: CollectorRegistry,
        stores: Stores,
        own: Callable[[], Values],
    ) -> None:
        limits = StoreLimits(stores.settings.redis_memory_max, stores.settings.events_max)
        redis = connect_briefly(stores.redis_url, GIVE_UP_SECONDS)
        self._process = process
        self._release = release
        self._own = own
        self._ledger = Asking(partial(ledger_figures.look, redis, limits))
        self._database = Asking(partial(_answers, stores.engine))
        self._gauges = _Gauges()
        self._registry = registry
        registry.register(self._gauges)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    async def page(self) -> Page:
        """The page; belongs to the listener's loop."""
        ledger, database = await asyncio.gather(
            self._ledger.answer(WAIT_SECONDS), self._database.answer(WAIT_SECONDS)
        )

        values: Values = dict(ledger or {})
        put(values, "certmail_store_up", ledger is not None, "redis")
        put(values, "certmail_store_up", database is not None, "database")
        put(
            values,
            "certmail_build_info",
            1,
            self._release.version,
            self._release.revision,
            self._process,
        )
        for name, of in self._own().items():
            values[name] = {**values.get(name, {}), **of}

        self._gauges.values = values
        return Page(generate_latest(self._registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Gauges(Collector):
    """All gauges, in the table's order."""

    def __init__(self) -> None:
        self.values: Samples = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, metric in METRICS.items():
            if name in self.values:
                family = GaugeMetricFamily(name, metric.meaning, labels=metric.label_names)
                for labels, value in self.values[name].items():
                    family.add_metric(labels, value)
                yield family


def _answers(engine: Engine) -> bool:
    """Whether the database answers; raises SQLAlchemyError."""
    with engine.connect() as db:
        db.exec_driver_sql("SELECT 1")
    return True
