"""Every metric, once: what processes count, what docs/monitoring.md lists.

No label has a value that others can make up: no job, address, mailbox or connection. Tenants are
named only where a sample names the few with the most to send (`CERTMAIL_METRICS_TENANTS`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

PREFIX: Final = "certmail_"


class Kind(StrEnum):
    """What Prometheus calls it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Source(StrEnum):
    """Who knows it, and so which processes tell it."""

    PROCESS = "each process, of itself"
    WORKER = "each worker, of itself"
    GATEWAY = "each gateway, of itself"
    LEDGER = "every process, the same: Redis, asked at each scrape"
    SAMPLE = "every process, the same: what the keeper last counted"


class Metric(NamedTuple):
    """One metric: `labels` with their values, separated by blanks; `unit` as in its name."""

    name: str
    kind: Kind
    labels: str
    unit: str
    meaning: str

    @property
    def label_names(self) -> tuple[str, ...]:
        """Its labels, in order."""
        return tuple(self.labels.split())


_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

# fmt: off
TABLE: Final[dict[Source, tuple[Metric, ...]]] = {
    Source.LEDGER: (
        #      name                                   kind  labels     unit        meaning
        Metric("certmail_jobs_unfinished",              _G, "",        "jobs",    "reminders that have not ended, whatever their state"),
        Metric("certmail_jobs_leased",                  _G, "",        "jobs",    "reminders under way: dispatched or sending"),
        Metric("certmail_doorbells_unanswered",         _G, "",        "jobs",    "of these, those whose doorbell no worker has answered yet"),
        Metric("certmail_lanes_due",                    _G, "",        "lanes",   "connections, and projects that connections wait for, whose time to send has come: nothing but workers is missing"),
        Metric("certmail_lane_due_age_seconds",         _G, "",        "seconds", "how long ago the time came of the one that waits longest; 0 where none waits"),
        Metric("certmail_job_due_age_seconds",          _G, "",        "seconds", "by how much the reaper is late with the job that it should have looked at first; 0 where it is not"),
        Metric("certmail_workers",                      _G, "",        "workers", "workers that have said within five seconds that they live"),
        Metric("certmail_workers_capacity",             _G, "",        "jobs",    "deliveries that they may have under way at once, together"),
        Metric("certmail_keeper_present",               _G, "",        "0 or 1",  "whether some worker holds the keeper's lease"),
        Metric("certmail_lookups_waiting",              _G, "",        "jobs",    "uncertain reminders that are looked up among the sent mails"),
        Metric("certmail_tenants",                      _G, "",        "tenants", "tenants in the working copy"),
        Metric("certmail_paused",                       _G, "",        "0 or 1",  "whether an operator lets nothing leave"),
        Metric("certmail_paused_tenants",               _G, "",        "tenants", "tenants of which an operator lets nothing leave"),
        Metric("certmail_pacing_stopped",               _G, "code",    "0 or 1",  "whether nothing leaves until somebody acts, and why; without a code where it does"),
        Metric("certmail_service_age_seconds",          _G, "service", "seconds", "how long ago each of the keeper's services last got on"),
        Metric("certmail_service_late_seconds",         _G, "service", "seconds", "by how much it is later than it said it would be; 0 where it stands not still"),
        Metric("certmail_recorder_lag_events",          _G, "",        "events",  "events that are not in SQL yet; up to a hundred more than are, but 0 is 0"),
        Metric("certmail_recorder_lag_seconds",         _G, "",        "seconds", "the age of the oldest of them"),
        Metric("certmail_stream_events",                _G, "",        "events",  "events in Redis's stream, recorded ones that are not trimmed yet among them"),
        Metric("certmail_stream_used_ratio",            _G, "",        "ratio",   "the part of CERTMAIL_EVENTS_MAX that they are; at 0.85 nothing is taken in or sent"),
        Metric("certmail_redis_memory_used_bytes",      _G, "",        "bytes",   "Redis's memory, as far as it counts for its limit"),
        Metric("certmail_redis_memory_limit_bytes",     _G, "",        "bytes",   "what it may use; 0 where nobody knows"),
        Metric("certmail_redis_memory_used_ratio",      _G, "",        "ratio",   "the part of it that is used; at 0.85 nothing is taken in, at 0.95 nothing is sent"),
        Metric("certmail_redis_replicas",               _G, "",        "servers", "replicas that are attached to Redis"),
        Metric("certmail_forged_places",                _G, "",        "places",  "places in Redis where something was found within a week that is not certmail's"),
        Metric("certmail_sample_age_seconds",           _G, "of",      "seconds", "how long ago the keeper last counted what follows: the ledger, the database"),
    ),
    Source.SAMPLE: (
        Metric("certmail_jobs_waiting",                 _G, "tenant state", "jobs",   "reminders that wait, ready or scheduled, of the tenants with the most of them, and of all others together (`other`)"),
        Metric("certmail_jobs_waiting_age_seconds",     _G, "tenant",  "seconds", "how long ago the first in turn of them was enqueued, of those that are ready in a lane that is open"),
        Metric("certmail_jobs_ready",                   _G, "lane",    "jobs",    "ready reminders by what their lane does: `open` (they leave at its pace), `cooling` (Google named a time), `day_full`, `suspended` (it needs a person), `paused`"),
        Metric("certmail_jobs_uncertain",               _G, "held",    "jobs",    "reminders of which nobody knows whether they arrived, by whether they are held for a person (`yes`)"),
        Metric("certmail_cooling",                      _G, "of",      "meters",  "mailboxes, and projects, that wait for a time that Google named or that was backed off to"),
        Metric("certmail_quota_minute_used_ratio",      _G, "of",      "ratio",   "the part of its minute that is used of the mailbox, and of the project, with the most used"),
        Metric("certmail_quota_day_used_ratio",         _G, "of",      "ratio",   "the same of the day"),
        Metric("certmail_connections",                  _G, "state",   "connections", "connections by state"),
        Metric("certmail_certificates",                 _G, "ends",    "certificates", "certificates in use by when they end: `over`, `day`, `week`, `month` (within), `later`"),
        Metric("certmail_certificate_end_seconds",      _G, "",        "seconds", "how long the one that ends first is still good; no value where there is none"),
        Metric("certmail_working_copy_behind",          _G, "of",      "rows",    "connections, and tenants, whose newest version in SQL is not in Redis yet"),
        Metric("certmail_webhooks",                     _G, "state",   "endpoints", "endpoints of webhooks by state"),
        Metric("certmail_webhook_due_age_seconds",      _G, "",        "seconds", "how long ago the webhook was due that waits longest, of endpoints that are sent any; 0 where none waits"),
        Metric("certmail_campaigns_unplannable",        _G, "",        "campaigns", "campaigns that run and could not be planned when it was last tried, or not all of them"),
        Metric("certmail_campaign_plan_late_seconds",   _G, "",        "seconds", "how long ago the campaign was due to be planned that waits longest for the planner; 0 where none waits"),
        Metric("certmail_events_set_aside",             _G, "",        "events",  "events that could not be recorded and lie in the table set_aside"),
    ),
    Source.PROCESS: (
        Metric("certmail_build_info",                   _G, "version revision process", "1", "the version that runs, and as what: `worker`, `gateway`"),
        Metric("certmail_store_up",                     _G, "store",   "0 or 1",  "whether `redis`, and the `database`, answered this process within a second"),
        Metric("certmail_loop_lag_seconds",             _G, "",        "seconds", "the longest that the process's event loop was held up within the last minute, the present moment included"),
        Metric("certmail_clock_ahead_seconds",          _G, "of",      "seconds", "how far this machine's clock is ahead of Redis's, and of Google's, where that is known"),
    ),
    Source.WORKER: (
        Metric("certmail_sends_total",                  _C, "outcome failure", "requests", "requests to send that have ended, by what is known of them and by kind of trouble (`none`: accepted)"),
        Metric("certmail_send_lateness_seconds",        _H, "",        "seconds", "punctuality: from the moment when pace, quota and Google's pauses let a reminder leave to its begin"),
        Metric("certmail_google_request_seconds",       _H, "call",    "seconds", "from a request's first byte to the end of Google's answer: `send`, `token`, `list`, `get`"),
        Metric("certmail_deliveries_total",             _C, "end",     "deliveries", "deliveries that have ended here, by the state that their reminder is in then; `refused`: a doorbell that came late or twice"),
        Metric("certmail_begins_refused_total",         _C, "why",     "deliveries", "deliveries that the ledger did not let begin: a quota that is used up, a pause, a lease that ended"),
        Metric("certmail_deliveries_under_way",         _G, "",        "deliveries", "deliveries under way in this worker"),
        Metric("certmail_deliveries_unsettled",         _G, "",        "deliveries", "of these, those that have begun, and are not settled yet"),
        Metric("certmail_quota_units_total",            _C, "call",    "units",   "Gmail's quota units that requests of this worker have used"),
        Metric("certmail_cooldowns_total",              _C, "of named", "pauses", "pauses that Google's answers have brought upon a `mailbox` or `project`, and whether Google named the time"),
        Metric("certmail_tokens_minted_total",          _C, "kind",    "tokens",  "access tokens that Google has granted, by kind of connection"),
        Metric("certmail_tokens_refused_total",         _C, "kind blame", "requests", "requests for one that failed, and whose matter that is: `customer`, `operator`, `nobody`"),
        Metric("certmail_keeper",                       _G, "",        "0 or 1",  "whether this worker is the keeper: it alone counts the next eight"),
        Metric("certmail_leases_total",                 _C, "",        "jobs",    "reminders that the pacer has leased"),
        Metric("certmail_pacer_step_seconds",           _H, "",        "seconds", "how long a step of the pacer took Redis and the way there"),
        Metric("certmail_reaped_total",                 _C, "was state", "jobs",  "reminders that the reaper has moved, from which state to which"),
        Metric("certmail_events_recorded_total",        _C, "",        "events",  "events that the recorder has brought to SQL"),
        Metric("certmail_record_batch_seconds",         _H, "",        "seconds", "how long SQL took for a batch of them"),
        Metric("certmail_service_failures_total",       _C, "service", "tries",   "tries of the keeper's services that have failed"),
        Metric("certmail_webhook_posts_total",          _C, "outcome", "requests", "webhooks that were sent: `taken`, `answered` with anything but a 2xx, `no_answer`, `address_refused`: nothing may be sent there"),
        Metric("certmail_webhook_post_seconds",         _H, "",        "seconds", "how long that took, each time"),
    ),
    Source.GATEWAY: (
        Metric("certmail_http_requests_total",          _C, "route method status", "requests", "requests by the address's pattern, method and kind of status (`2xx`)"),
        Metric("certmail_http_request_seconds",         _H, "part",    "seconds", "how long they took: `api`, `console`, `health`, `other`"),
        Metric("certmail_http_connections",             _G, "",        "connections", "open connections of browsers, proxies and clients"),
        Metric("certmail_intake_total",                 _C, "outcome", "reminders", "reminders that came by the HTTP API: `enqueued`, `duplicate`, `rejected`"),
    ),
}
# fmt: on

METRICS: Final[dict[str, Metric]] = {
    metric.name: metric for metrics in TABLE.values() for metric in metrics
}
