"""What may be wrong, as Prometheus would see it, and which alerts fire then: those and no other.

A scenario says what differs from a system in which all is well. Values are promtool's: `a+bxn` is
n steps of a minute from `a` on, by `b` each; `_` is a moment in which the process was not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

ON: Final = "x9999"
"""As long as the scenario lasts."""


def steady(value: float) -> str:
    """A gauge that stays as it is."""
    return f"{value}+0{ON}"


def rising(by: float, first: float = 0) -> str:
    """A counter that grows by so much each minute."""
    return f"{first}+{by}{ON}"


WORKER: Final = 'job="worker", instance="w1:9464"'
GATEWAY: Final = 'job="gateway", instance="g1:9464"'
LATE: Final = f"certmail_send_lateness_seconds_count{{{WORKER}}}"
IN_TIME: Final = f'certmail_send_lateness_seconds_bucket{{{WORKER}, le="60.0"}}'
UNKNOWN: Final = f'certmail_sends_total{{{WORKER}, outcome="unknown", failure="unknown"}}'
ACCEPTED: Final = f'certmail_sends_total{{{WORKER}, outcome="accepted", failure="none"}}'
REAPED: Final = f'certmail_reaped_total{{{WORKER}, was="sending", state="uncertain"}}'
STOPPED: Final = f'certmail_pacing_stopped{{{WORKER}, code=""}}'
OF_WORKER: Final = f'certmail_build_info{{{WORKER}, version="0.1.0", process="worker"}}'
OF_GATEWAY: Final = f'certmail_build_info{{{GATEWAY}, version="0.1.0", process="gateway"}}'

REQUESTS: Final = (
    f'certmail_http_requests_total{{{GATEWAY}, route="/v1/reminders", method="POST", status="%s"}}'
)
REFUSED: Final = (
    f'certmail_tokens_refused_total{{{WORKER}, kind="service_provider_app", blame="%s"}}'
)
UP: Final = f"up{{{WORKER}}}", f"up{{{GATEWAY}}}"
DELIVERIES: Final = f'certmail_deliveries_total{{{WORKER}, end="accepted"}}'
TROUBLE: Final = f'certmail_sends_total{{{WORKER}, outcome="rejected", failure="transient"}}'
DAY: Final = 86_400.0

WELL: Final[dict[str, str]] = {
    LATE: rising(60),
    IN_TIME: rising(60),
    ACCEPTED: rising(60),
    UNKNOWN: steady(0),
    REAPED: steady(0),
    STOPPED: steady(0),
    OF_WORKER: steady(1),
    OF_GATEWAY: steady(1),
    **dict.fromkeys(UP, steady(1)),
    'up{job="somebody-else", instance="x:1"}': steady(0),
    **{
        f"certmail_{name}{{{WORKER}}}": steady(value)
        for name, value in {
            "workers": 2,
            "keeper_present": 1,
            "lane_due_age_seconds": 0.3,
            "doorbells_unanswered": 3,
            "paused": 0,
            "paused_tenants": 0,
            "recorder_lag_seconds": 1,
            "stream_used_ratio": 0.001,
            "redis_memory_used_ratio": 0.4,
            "redis_replicas": 1,
            "forged_places": 0,
            "certificate_end_seconds": 200 * 86_400,
            "events_set_aside": 0,
            "loop_lag_seconds": 0.02,
        }.items()
    },
    f'certmail_service_late_seconds{{{WORKER}, service="pacer"}}': steady(0),
    f'certmail_service_late_seconds{{{WORKER}, service="recorder"}}': steady(0),
    f'certmail_jobs_uncertain{{{WORKER}, held="yes"}}': steady(0),
    f'certmail_jobs_uncertain{{{WORKER}, held="no"}}': steady(4),
    f'certmail_connections{{{WORKER}, state="attention"}}': steady(0),
    f'certmail_connections{{{WORKER}, state="active"}}': steady(9),
    f'certmail_webhooks{{{WORKER}, state="disabled"}}': steady(0),
    f'certmail_webhooks{{{WORKER}, state="backing_off"}}': steady(1),
    f"certmail_campaigns_unplannable{{{WORKER}}}": steady(0),
    f"certmail_campaign_plan_late_seconds{{{WORKER}}}": steady(120),
    f'certmail_working_copy_behind{{{WORKER}, of="tenants"}}': steady(0),
    f'certmail_sample_age_seconds{{{WORKER}, of="database"}}': steady(20),
    f'certmail_store_up{{{WORKER}, store="redis"}}': steady(1),
    f'certmail_store_up{{{GATEWAY}, store="redis"}}': steady(1),
    f'certmail_store_up{{{GATEWAY}, store="database"}}': steady(1),
    f'certmail_clock_ahead_seconds{{{WORKER}, of="google"}}': steady(-0.4),
    DELIVERIES: rising(60),
    REFUSED % "operator": steady(0),
    REFUSED % "customer": rising(1),
    REQUESTS % "2xx": rising(300),
    REQUESTS % "5xx": steady(0),
}


def gauge(name: str, value: float, labels: str = "", of: str = WORKER) -> dict[str, str]:
    """What one of certmail's gauges shows instead."""
    return {f"certmail_{name}{{{of}{', ' if labels else ''}{labels}}}": steady(value)}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What differs (None: it is not there), and which alerts fire `at` so many minutes."""

    name: str
    fires: frozenset[str]
    differs: dict[str, str | None]
    at: int

    @property
    def series(self) -> dict[str, str]:
        """All that Prometheus sees."""
        return {name: values for name, values in (WELL | self.differs).items() if values}


def scenario(name: str, fires: str, *parts: dict[str, Any], at: int = 40) -> Scenario:
    """A scenario; `fires` are names without what all begin with, separated by blanks."""
    alerts = frozenset(f"Certmail{alert}" for alert in fires.split())
    return Scenario(name, alerts, {k: v for part in parts for k, v in part.items()}, at)


def then(first: float, after: float, minutes: int = 20) -> str:
    """A gauge that changes."""
    return f"{first}+0x{minutes} {after}+0{ON}"


NOT_THERE: Final = dict.fromkeys(WELL)
GONE: Final = f"1+0x20 _{ON}"
OF_ITS: Final = {name: None for name in WELL if "w1" in name and name not in UP}

# fmt: off
SCENARIOS: Final = (
    scenario("all is well", ""),
    scenario("nothing to do, at night", "", {name: steady(5) for name in (LATE, IN_TIME, ACCEPTED, DELIVERIES)}, gauge("doorbells_unanswered", 0)),

    # The objectives.
    scenario("a third is late", "RemindersLate", {IN_TIME: rising(40)}, at=12),
    scenario("two in a hundred are late", "RemindersLateSlowly", {IN_TIME: rising(58.8)}),
    scenario("half a percent is late", "", {IN_TIME: rising(59.7)}),
    scenario("five of twelve are late: too few to speak of", "", {LATE: f"0+0x10 0+1x12 12+0{ON}", IN_TIME: f"0+0x10 0+1x7 7+0{ON}"}),
    scenario("late an hour ago, and in time since", "RemindersLateSlowly", {IN_TIME: f"0+40x40 1600+60{ON}"}, at=80),
    scenario("answers are lost", "OutcomesUncertain", {UNKNOWN: rising(3)}, at=12),
    scenario("workers are lost in the middle", "OutcomesUncertain", {REAPED: rising(3)}, at=12),
    scenario("an answer in 300 is lost", "OutcomesUncertainSlowly", {UNKNOWN: rising(0.2)}, at=60),
    scenario("one is uncertain, at little traffic", "", {UNKNOWN: then(0, 1)}),
    scenario("reminders are held for a person", "UncertainHeld", gauge("jobs_uncertain", 2, 'held="yes"'), at=70),
    scenario("they are held for half an hour", "", gauge("jobs_uncertain", 2, 'held="yes"'), at=35),

    # Whether reminders leave.
    scenario("no worker is alive", "NoWorkers", gauge("workers", 0)),
    scenario("no worker is alive, or seen", "NoWorkers", OF_ITS, gauge("workers", 0, of=GATEWAY), gauge("keeper_present", 0, of=GATEWAY)),
    scenario("nobody is the keeper", "NoKeeper", gauge("keeper_present", 0)),
    scenario("Redis was put back from an older copy", "PacingStopped", {STOPPED: None}, gauge("pacing_stopped", 1, 'code="rolled_back"')),
    scenario("Redis's clock leapt", "PacingStopped", {STOPPED: None}, gauge("pacing_stopped", 1, 'code="clock_leapt"')),
    scenario("workers are too few", "DueNotLeaving", gauge("lane_due_age_seconds", 240)),
    scenario("an operator has paused for an hour", "", gauge("paused", 1), gauge("lane_due_age_seconds", 3600)),
    scenario("a pause is forgotten", "PauseForgotten", gauge("paused", 1), at=725),
    scenario("a tenant's pause is forgotten", "PauseForgotten", gauge("paused_tenants", 1), at=725),
    scenario("somebody else reads Celery's queue", "DoorbellsUnanswered", gauge("doorbells_unanswered", 12), {DELIVERIES: steady(40)}),
    scenario("the pacer stands still", "ServiceStandsStill", gauge("service_late_seconds", 300, 'service="pacer"')),
    scenario("Google refuses most", "GoogleFailing", {ACCEPTED: rising(4), TROUBLE: rising(40)}),
    scenario("three of four sends fail, at night", "", {ACCEPTED: rising(0.1), TROUBLE: rising(0.3)}),
    scenario("Google refuses our OAuth client", "OwnClientRefused", {REFUSED % "operator": rising(1)}),

    # Connections.
    scenario("a connection is broken", "ConnectionsInAttention", gauge("connections", 1, 'state="attention"')),
    scenario("a receiver of webhooks is gone", "WebhookDisabled", gauge("webhooks", 1, 'state="disabled"')),
    scenario("a campaign cannot be planned", "CampaignNotPlanned", gauge("campaigns_unplannable", 1)),
    scenario("the planner is late", "PlannerLate", gauge("campaign_plan_late_seconds", 1200)),
    scenario("a certificate ends in ten days", "CertificateEnding", gauge("certificate_end_seconds", 10 * DAY)),
    scenario("a certificate ends tomorrow", "CertificateEnding CertificateEndsNow", gauge("certificate_end_seconds", DAY)),
    scenario("a certificate has ended", "CertificateEnding CertificateEndsNow", gauge("certificate_end_seconds", -DAY)),

    # The record.
    scenario("the recorder stands still", "RecorderStopped", gauge("service_late_seconds", 300, 'service="recorder"'), gauge("recorder_lag_seconds", 360)),
    scenario("it has for a day", "RecorderStopped StreamFilling", gauge("recorder_lag_seconds", DAY), gauge("stream_used_ratio", 0.6)),
    scenario("an event is set aside", "EventsSetAside", {f"certmail_events_set_aside{{{WORKER}}}": then(0, 1)}),
    scenario("one was, the day before yesterday", "", gauge("events_set_aside", 1), at=1500),
    scenario("Redis does not learn of a change", "WorkingCopyBehind", gauge("working_copy_behind", 1, 'of="tenants"')),
    scenario("nobody counts", "SampleStale", gauge("sample_age_seconds", 1200, 'of="database"')),

    # The stores.
    scenario("the database is away", "StoreDown", gauge("store_up", 0, 'store="database"', GATEWAY)),
    scenario("Redis is away for one of two", "StoreDown", gauge("store_up", 0, 'store="redis"', GATEWAY)),
    scenario("Redis fills", "RedisFilling", gauge("redis_memory_used_ratio", 0.8)),
    scenario("Redis is full", "RedisFilling RedisFull", gauge("redis_memory_used_ratio", 0.9)),
    scenario("a replica is lost", "ReplicaMissing", {f"certmail_redis_replicas{{{WORKER}}}": then(1, 0)}),
    scenario("somebody writes to Redis", "Forged", gauge("forged_places", 1)),

    # The processes.
    scenario("everything is down", "NotSeen ProcessDown GatewayGone", NOT_THERE, {OF_WORKER: GONE, OF_GATEWAY: GONE, **dict.fromkeys(UP, then(1, 0))}),
    scenario("Prometheus never saw it", "NotSeen", NOT_THERE),
    scenario("the gateway is taken away", "GatewayGone", {OF_GATEWAY: GONE, UP[1]: GONE}),
    scenario("there never was a gateway", "", {OF_GATEWAY: None, UP[1]: None}),
    scenario("one of two workers is down", "ProcessDown", {UP[0].replace("w1", "w2"): then(1, 0), OF_WORKER.replace("w1", "w2"): GONE}),
    scenario("a worker's clock is off", "ClockOff", gauge("clock_ahead_seconds", -130, 'of="google"')),
    scenario("a loop is blocked", "LoopBlocked", gauge("loop_lag_seconds", 9)),
    scenario("the gateway fails", "GatewayFailing", {REQUESTS % "5xx": rising(40)}),
)
# fmt: on
