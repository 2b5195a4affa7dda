"""The operator's dashboard: whether reminders leave, whether in time, and if not, why."""

from __future__ import annotations

from typing import Final

from certmail_dashboards.view import Chart, Number, Row, View, each, once, quantile, total

_FIRING: Final = 'count(ALERTS{alertname=~"Certmail.*", alertstate="firing", deployment=~"$deployment"}) or vector(0)'
_LATE: Final = 'certmail:late:ratio_rate%s{deployment=~"$deployment"}'
_UNKNOWN: Final = 'certmail:uncertain:ratio_rate%s{deployment=~"$deployment"}'
_ROOM: Final = f"{once('certmail_workers_capacity')} - {once('certmail_jobs_leased')}"

# fmt: off
_GLANCE: Final = Row("At a glance", (
    Number("Alerts", "Alerts of certmail's that fire now. Each has its section in docs/runbook.md.", "none", _FIRING, red=1),
    Number("Wait", "Reminders that have not ended, whatever their state.", "short", once("certmail_jobs_unfinished")),
    Number("Leave", "Requests to send per second that Google accepted, of all workers.", "reqps", total("certmail_sends_total", where='outcome="accepted"')),
    Number("Late within an hour", "The part of reminders that began more than 60 s after pace, quota and Google let them. The objective allows 1 %.", "percentunit", _LATE % "1h", amber=0.01, red=0.06),
    Number("Held for a person", "Reminders of which nobody knows whether they arrived, and that a person has to settle.", "short", once("certmail_jobs_uncertain", where='held="yes"'), amber=1),
    Number("Workers", "Workers that have said within five seconds that they live.", "none", once("certmail_workers")),
))

_PUNCTUALITY: Final = Row("Punctuality", (
    Chart("Lateness", "From the moment when pace, quota and Google's pauses let a reminder leave to its begin.", "s", {"half within": quantile(0.5, "certmail_send_lateness_seconds"), "95 % within": quantile(0.95, "certmail_send_lateness_seconds"), "99 % within": quantile(0.99, "certmail_send_lateness_seconds")}),
    Chart("Late", "The part that began more than 60 s late, over windows of an hour, six hours and three days. The objective allows 1 % in a month.", "percentunit", {window: _LATE % window for window in ("1h", "6h", "3d")}),
    Chart("Due, not leaving", "How long ago the time came of the mailbox or project that waits longest: nothing but workers is missing.", "s", {"waits longest": once("certmail_lane_due_age_seconds"), "reaper is late by": once("certmail_job_due_age_seconds")}),
    Chart("Room", "Deliveries that workers may have under way at once, how many are under way, and how many more there is room for. Without room, more workers are wanted.", "short", {"room": _ROOM, "under way": once("certmail_jobs_leased"), "may be": once("certmail_workers_capacity")}),
    Chart("Lanes due", "Mailboxes and projects whose time to send has come.", "short", {"due": once("certmail_lanes_due")}),
    Chart("Doorbells", "Reminders that are dispatched, and of these those that no worker has answered yet.", "short", {"unanswered": once("certmail_doorbells_unanswered")}),
))

_SENDING: Final = Row("Sending", (
    Chart("Sends by outcome", "Requests to send that have ended, by what is known of them and by kind of trouble.", "reqps", {"{{outcome}} {{failure}}": total("certmail_sends_total", "outcome", "failure")}, stacked=True),
    Chart("Latency of Google", "From a request's first byte to the end of Google's answer.", "s", {"{{call}} 50 %": quantile(0.5, "certmail_google_request_seconds", "call"), "{{call}} 99 %": quantile(0.99, "certmail_google_request_seconds", "call")}),
    Chart("Deliveries by end", "Deliveries that have ended, by the state that their reminder is in then; `refused` is a doorbell that came late or twice.", "reqps", {"{{end}}": total("certmail_deliveries_total", "end")}),
    Chart("Quota used", "The part of its minute and of its day that is used of the mailbox, and of the project, with the most used.", "percentunit", {"minute, {{of}}": once("certmail_quota_minute_used_ratio", "of"), "day, {{of}}": once("certmail_quota_day_used_ratio", "of")}),
    Chart("Quota units", "Gmail's quota units used per second, by what they were used for.", "short", {"{{call}}": total("certmail_quota_units_total", "call")}),
    Chart("Cooling", "Mailboxes and projects that wait for a time that Google named or that was backed off to, and how many pauses begin per second.", "short", {"{{of}} wait": once("certmail_cooling", "of"), "{{of}} pauses, named: {{named}}": total("certmail_cooldowns_total", "of", "named")}),
    Chart("Tokens", "Access tokens granted and refused per second; `operator` is ours to mend.", "reqps", {"minted, {{kind}}": total("certmail_tokens_minted_total", "kind"), "refused, {{blame}}": total("certmail_tokens_refused_total", "blame")}),
    Chart("Begins refused", "Deliveries that the ledger did not let begin: a quota used up, a pause, a lease that ended. Nothing where that has not happened.", "reqps", {"{{why}}": f"{total('certmail_begins_refused_total', 'why')} or vector(0)"}),
    Chart("Pacing stopped, or paused", "Whether certmail lets nothing leave, by code, and whether an operator does, at all or of some tenants.", "none", {"{{code}}": once("certmail_pacing_stopped", "code"), "paused": once("certmail_paused"), "tenants paused": once("certmail_paused_tenants")}),
))

_WAITING: Final = Row("Waiting", (
    Chart("Waiting by tenant", "Reminders that wait, of the tenants with the most of them, and of all others together (`other`).", "short", {"{{tenant}}": f"sum by (tenant) ({once('certmail_jobs_waiting', 'tenant', 'state')})"}, stacked=True),
    Chart("First in turn", "How long ago the first in turn was enqueued of those that are ready in a lane that is open.", "s", {"{{tenant}}": once("certmail_jobs_waiting_age_seconds", "tenant")}),
    Chart("Ready by lane", "Ready reminders by what their lane does: `open` leave at its pace, `suspended` need a person.", "short", {"{{lane}}": once("certmail_jobs_ready", "lane")}, stacked=True),
))

_UNCERTAIN: Final = Row("Uncertain", (
    Chart("Uncertain", "The part of requests to send of which nobody knows the outcome. The objective allows 0.1 % in a month.", "percentunit", {window: _UNKNOWN % window for window in ("1h", "6h", "3d")}),
    Chart("Nobody knows", "Reminders of which nobody knows whether they arrived: held for a person or not, and those that are looked up.", "short", {"held: {{held}}": once("certmail_jobs_uncertain", "held"), "looked up": once("certmail_lookups_waiting")}),
    Chart("Moved by the reaper", "Reminders that the reaper has moved per second, from which state to which: what lost workers held, for one.", "reqps", {"{{was}} to {{state}}": total("certmail_reaped_total", "was", "state")}),
))

_RECORD: Final = Row("Record", (
    Chart("Recorder's lag", "The age of the oldest event that is not in SQL yet.", "s", {"oldest": once("certmail_recorder_lag_seconds")}),
    Chart("Events", "Events that are not in SQL yet, all that are in Redis's stream, and those that the recorder brings to SQL per second.", "short", {"wait": once("certmail_recorder_lag_events"), "in the stream": once("certmail_stream_events"), "recorded per second": total("certmail_events_recorded_total")}),
    Chart("Recorder's batch", "How long SQL took for a batch of events.", "s", {"half within": quantile(0.5, "certmail_record_batch_seconds"), "99 % within": quantile(0.99, "certmail_record_batch_seconds")}),
    Chart("Stream", "The part of CERTMAIL_EVENTS_MAX that is in use. At 85 % nothing is taken in or sent.", "percentunit", {"used": once("certmail_stream_used_ratio")}),
    Chart("Set aside", "Events that could not be recorded and lie in the table set_aside.", "short", {"events": once("certmail_events_set_aside")}),
    Chart("Working copy behind", "Connections and tenants whose newest version in SQL is not in Redis yet.", "short", {"{{of}}": once("certmail_working_copy_behind", "of")}),
))

_STORES: Final = Row("Stores", (
    Chart("Redis's memory", "What is used of it, and what may be.", "bytes", {"used": once("certmail_redis_memory_used_bytes"), "limit": once("certmail_redis_memory_limit_bytes")}),
    Chart("Redis's memory, part used", "At 85 % nothing is taken in, at 95 % nothing is sent.", "percentunit", {"used": once("certmail_redis_memory_used_ratio")}),
    Chart("Stores that answer", "Whether Redis and the database answered each process within a second.", "none", {"{{store}}, {{instance}}": each("certmail_store_up")}),
    Chart("Pacer's step", "How long a step of the pacer took Redis and the way there, and how many reminders it leases per second.", "s", {"half within": quantile(0.5, "certmail_pacer_step_seconds"), "99 % within": quantile(0.99, "certmail_pacer_step_seconds")}),
    Chart("Leases", "Reminders that the pacer has leased per second.", "reqps", {"leased": total("certmail_leases_total")}),
    Chart("Replicas, and forgeries", "Replicas attached to Redis; places in Redis where something was found within a week that is not certmail's.", "short", {"replicas": once("certmail_redis_replicas"), "forged places": once("certmail_forged_places")}),
))

_CONNECTIONS: Final = Row("Connections", (
    Chart("Connections by state", "`attention` does not work, for a reason on record.", "short", {"{{state}}": once("certmail_connections", "state")}, stacked=True),
    Chart("Certificates by end", "Certificates in use by when they end.", "short", {"{{ends}}": once("certmail_certificates", "ends")}, stacked=True),
    Chart("First certificate to end", "How long it is still good.", "s", {"left": once("certmail_certificate_end_seconds")}, below_zero=True),
))

_KEEPER: Final = Row("Keeper", (
    Chart("Keeper", "Which worker is the keeper: it alone paces, reaps and records.", "none", {"somebody is": once("certmail_keeper_present"), "{{instance}}": each("certmail_keeper")}),
    Chart("Services", "How long ago each of the keeper's services last got on; retention rests for an hour.", "s", {"{{service}}": once("certmail_service_age_seconds", "service")}),
    Chart("Services that are late", "By how much each is later than it said it would be.", "s", {"{{service}}": once("certmail_service_late_seconds", "service")}),
    Chart("Services' failures", "Tries of the keeper's services that have failed, per second.", "reqps", {"{{service}}": total("certmail_service_failures_total", "service")}),
    Chart("Samples", "How long ago the keeper last counted the ledger and the database.", "s", {"{{of}}": once("certmail_sample_age_seconds", "of")}),
    Chart("Tenants", "Tenants in the working copy.", "short", {"tenants": once("certmail_tenants")}),
))

_CAMPAIGNS: Final = Row("Campaigns", (
    Chart("Not planned", "Campaigns that could not be planned when it was last tried. What was enqueued of them leaves, and no more.", "short", {"campaigns": once("certmail_campaigns_unplannable")}),
    Chart("Planner behind", "How long ago the campaign was due to be planned that waits longest.", "s", {"late": once("certmail_campaign_plan_late_seconds")}),
))

_WEBHOOKS: Final = Row("Webhooks", (
    Chart("Endpoints", "Endpoints of webhooks by state. Those that back off or are disabled need somebody at the receiver.", "short", {"{{state}}": once("certmail_webhooks", "state")}),
    Chart("Due, not sent", "How long ago the webhook was due that waits longest, of endpoints that are sent any.", "s", {"age": once("certmail_webhook_due_age_seconds")}),
    Chart("Sent", "Webhooks that were sent, per second, by what came of it.", "reqps", {"{{outcome}}": total("certmail_webhook_posts_total", "outcome")}),
    Chart("How long they take", "Until a receiver has answered, or was given up.", "s", {"half within": quantile(0.5, "certmail_webhook_post_seconds"), "99 % within": quantile(0.99, "certmail_webhook_post_seconds")}),
))

_PROCESSES: Final = Row("Processes", (
    Chart("Versions", "Processes by the version that they run: two versions at once are a rolling upgrade.", "none", {"{{process}} {{version}}": f"count by (process, version) ({each('certmail_build_info')})"}),
    Chart("Stood still", "The longest that each process's event loop was held up within a minute.", "s", {"{{instance}}": each("certmail_loop_lag_seconds")}),
    Chart("Clocks ahead", "How far each machine's clock is ahead of Redis's and of Google's.", "s", {"{{instance}}, of {{of}}": each("certmail_clock_ahead_seconds")}, below_zero=True),
    Chart("Memory", "Memory that each process has in use.", "bytes", {"{{instance}}": f"{each('process_resident_memory_bytes')} and on (instance) {each('certmail_build_info')}"}),
    Chart("CPU", "Seconds of CPU that each process takes per second.", "percentunit", {"{{instance}}": f"rate({each('process_cpu_seconds_total')}[$__rate_interval]) and on (instance) {each('certmail_build_info')}"}),
    Chart("Under way", "Deliveries under way in each worker, and of these those that have begun and are not settled yet.", "short", {"{{instance}}": each("certmail_deliveries_under_way"), "{{instance}}, begun": each("certmail_deliveries_unsettled")}),
))

_GATEWAY: Final = Row("Gateway", (
    Chart("Requests by status", "Requests per second by kind of status.", "reqps", {"{{status}}": total("certmail_http_requests_total", "status")}, stacked=True),
    Chart("Latency", "How long 99 % of requests took at most.", "s", {"{{part}}": quantile(0.99, "certmail_http_request_seconds", "part")}),
    Chart("Taken in", "Reminders that came by the HTTP API, per second, by what became of them.", "reqps", {"{{outcome}}": total("certmail_intake_total", "outcome")}),
    Chart("Connections of clients", "Open connections of browsers, proxies and clients.", "short", {"{{instance}}": each("certmail_http_connections")}),
))
# fmt: on

OPERATOR: Final = View(
    uid="certmail-operator",
    title="certmail: operator",
    description="Whether reminders leave, whether in time, and if not, why.",
    variables={"deployment": "label_values(certmail_build_info, deployment)"},
    rows=(
        _GLANCE,
        _PUNCTUALITY,
        _SENDING,
        _WAITING,
        _UNCERTAIN,
        _RECORD,
        _STORES,
        _CONNECTIONS,
        _KEEPER,
        _CAMPAIGNS,
        _WEBHOOKS,
        _PROCESSES,
        _GATEWAY,
    ),
)
