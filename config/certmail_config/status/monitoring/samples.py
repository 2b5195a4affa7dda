"""Samples: what takes a look at every lane, or at the database, to count.

The keeper counts it now and then and notes it in Redis, where each process reads it. So a scrape
costs the same however many lanes there are, and all processes tell the same.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from certmail_config.ledger.survey import LaneSample, Use
from certmail_config.metrics.table import TABLE, Source
from certmail_config.sql.registry import ConnectionHealth
from certmail_config.status.monitoring.values import Samples, Values, put
from certmail_config.tenants.models import ConnectionState

LEDGER: Final = "ledger"
DATABASE: Final = "database"
OTHER: Final = "other"
MAX_BYTES: Final = 200_000
"""A sample that is longer is none of ours."""
_LABELS: Final = {metric.name: len(metric.label_names) for metric in TABLE[Source.SAMPLE]}
_LANES: Final = ("open", "cooling", "day_full", "suspended", "paused")
_ENDS: Final = (("over", 0.0), ("day", 1.0), ("week", 7.0), ("month", 30.0))


@dataclass(frozen=True, slots=True)
class Sample:
    """What was counted, of what, and when (seconds since 1970)."""

    of: str
    at: float
    values: Values


@dataclass(frozen=True, slots=True)
class RecordSample:
    """What the database shows: connections, and how many rows there are of some kinds.

    `behind`: connections and tenants whose newest version Redis does not have. `webhooks`: their
    endpoints by state, and when the message was due that waits longest. `unplannable`: campaigns
    that could not be planned; `plan_due` is when the next is to be.
    """

    connections: Iterable[ConnectionHealth]
    held: int
    unheld: int
    set_aside: int
    behind: Mapping[str, int]
    webhooks: Mapping[str, int] = field(default_factory=dict)
    webhook_due: datetime | None = None
    unplannable: int = 0
    plan_due: datetime | None = None


def tally_lanes(lanes: Iterable[LaneSample], now: float, named: int) -> Values:
    """Count what waits, of the `named` tenants with the most and of all others; pure."""
    values: Values = {}
    ready: Counter[str] = Counter()
    scheduled: Counter[str] = Counter()
    by_lane: Counter[str] = Counter(dict.fromkeys(_LANES, 0))
    first: dict[str, float] = {}
    uses: dict[str, dict[str, Use]] = {"mailbox": {}, "project": {}}

    for lane in lanes:
        ready[lane.tenant] += lane.ready
        scheduled[lane.tenant] += lane.scheduled
        does = _does(lane)
        by_lane[does] += lane.ready
        if does == "open" and lane.first_at is not None:
            first[lane.tenant] = min(first.get(lane.tenant, math.inf), lane.first_at)
        if lane.mailbox is not None and lane.project is not None:
            uses["mailbox"][lane.mailbox.key] = lane.mailbox
            uses["project"][lane.project.key] = lane.project

    waiting = ready + scheduled
    shown = {tenant for tenant, _ in waiting.most_common(named)}
    summed: dict[tuple[str, str], int] = defaultdict(int)
    ages: dict[str, float] = {OTHER: 0.0}
    for state, counts in (("ready", ready), ("scheduled", scheduled)):
        summed[OTHER, state] = 0
        for tenant in waiting:
            summed[tenant if tenant in shown else OTHER, state] += counts[tenant]
    for tenant in waiting:
        name = tenant if tenant in shown else OTHER
        ages[name] = max(ages.get(name, 0.0), now - first.get(tenant, now))

    values["certmail_jobs_waiting"] = {labels: float(count) for labels, count in summed.items()}
    values["certmail_jobs_waiting_age_seconds"] = {(name,): age for name, age in ages.items()}
    values["certmail_jobs_ready"] = {(lane,): float(count) for lane, count in by_lane.items()}
    for of, known in uses.items():
        put(values, "certmail_cooling", sum(use.cooling for use in known.values()), of)
        most = [(use.minute, use.day) for use in known.values()]
        put(values, "certmail_quota_minute_used_ratio", max((m for m, _ in most), default=0.0), of)
        put(values, "certmail_quota_day_used_ratio", max((d for _, d in most), default=0.0), of)
    return values


def tally_record(record: RecordSample, now: datetime) -> Values:
    """Count connections, certificates and what the record says; pure."""
    values: Values = {}
    states: Counter[str] = Counter(dict.fromkeys(ConnectionState, 0))
    ends: Counter[str] = Counter(dict.fromkeys([*(name for name, _ in _ENDS), "later"], 0))
    left: list[float] = []

    for health in record.connections:
        states[health.state] += 1
        if health.not_after is not None and health.state is not ConnectionState.DISABLED:
            left.append((health.not_after - now).total_seconds())
            ends[_ends(left[-1])] += 1

    values["certmail_connections"] = {(str(state),): float(n) for state, n in states.items()}
    values["certmail_certificates"] = {(name,): float(n) for name, n in ends.items()}
    if left:
        put(values, "certmail_certificate_end_seconds", min(left))
    put(values, "certmail_jobs_uncertain", record.held, "yes")
    put(values, "certmail_jobs_uncertain", record.unheld, "no")
    put(values, "certmail_events_set_aside", record.set_aside)
    for state, count in record.webhooks.items():
        put(values, "certmail_webhooks", count, state)
    put(values, "certmail_webhook_due_age_seconds", _late(record.webhook_due, now))
    put(values, "certmail_campaigns_unplannable", record.unplannable)
    put(values, "certmail_campaign_plan_late_seconds", _late(record.plan_due, now))
    for of, count in record.behind.items():
        put(values, "certmail_working_copy_behind", count, of)
    return values


def write_sample(values: Samples, at: float) -> str:
    """A sample as Redis keeps it."""
    rows = {name: [[*labels, value] for labels, value in of.items()] for name, of in values.items()}
    return json.dumps({"at": at, "values": rows}, separators=(",", ":"))


def read_sample(of: str, text: bytes | None) -> Sample | None:
    """Read it; None where there is none, or somebody has written something else there."""
    if text is None or len(text) > MAX_BYTES:
        return None
    try:
        found = json.loads(text)
        values: Values = {}
        for name, rows in found["values"].items():
            if name in _LABELS:
                values[name] = dict(_row(row, _LABELS[name]) for row in rows)
        return Sample(of, _number(found["at"]), values)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _row(row: Any, labels: int) -> tuple[tuple[str, ...], float]:
    *given, value = row
    if len(given) != labels or not all(isinstance(each, str) for each in given):
        message = "a row of other labels"
        raise ValueError(message)
    return tuple(given), _number(value)


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        message = "no number"
        raise ValueError(message)
    return number


def _late(due: datetime | None, now: datetime) -> float:
    return max(0.0, (now - due).total_seconds()) if due else 0.0


def _does(lane: LaneSample) -> str:
    """What a lane does with what is ready in it."""
    if lane.state != "open":
        return lane.state if lane.state in _LANES else "suspended"
    uses = [use for use in (lane.mailbox, lane.project) if use is not None]
    if any(use.cooling for use in uses):
        return "cooling"
    return "day_full" if any(use.day >= 1 for use in uses) else "open"


def _ends(seconds: float) -> str:
    return next((name for name, days in _ENDS if seconds <= days * 86_400), "later")
