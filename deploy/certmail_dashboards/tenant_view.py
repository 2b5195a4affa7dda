"""A tenant's dashboard: what waits of it, how it leaves, and what holds up everybody.

Metrics name the few tenants with the most to send (CERTMAIL_METRICS_TENANTS), all others together;
what a single one sent is asked of the record (`certmail tenants show`, the API), not of Prometheus.
"""

from __future__ import annotations

from typing import Final

from certmail_dashboards.view import Chart, Number, Row, View, once, quantile, total

_MINE: Final = 'tenant=~"$tenant"'
_WAITING: Final = once("certmail_jobs_waiting", "tenant", "state", where=_MINE)
_READY: Final = once("certmail_jobs_waiting", "tenant", "state", where=f'{_MINE}, state="ready"')
_AGE: Final = once("certmail_jobs_waiting_age_seconds", "tenant", where=_MINE)
_ALL: Final = f"sum({once('certmail_jobs_waiting', 'tenant', 'state')})"
_CHANGE: Final = f"sum by (tenant) (deriv({_WAITING}[5m:]))"

# fmt: off
_OF_THE_TENANT: Final = Row("$tenant", (
    Number("Wait", "Its reminders that are ready or scheduled.", "short", f"sum({_WAITING})", width=6),
    Number("Ready", "Those whose time has come: they leave at the pace of its mailboxes.", "short", f"sum({_READY})", width=6),
    Number("First in turn", "How long ago the first in turn was enqueued, of those that are ready in a lane that is open.", "s", f"max({_AGE})", width=6),
    Number("Part of all", "Its part of all reminders that wait in this deployment.", "percentunit", f"sum({_WAITING}) / ({_ALL} > 0) or vector(0)", width=6),
    Chart("Waiting", "Its reminders that wait: `ready` may leave, `scheduled` have their time ahead.", "short", {"{{tenant}}, {{state}}": _WAITING}, width=12, stacked=True),
    Chart("Age", "How long ago the first in turn was enqueued. It grows while a mailbox works off a campaign, and falls to nothing when that is done.", "s", {"{{tenant}}": _AGE}, width=12),
    Chart("More, or fewer", "By how many the waiting reminders change per second: below nothing they leave faster than they come.", "short", {"{{tenant}}": _CHANGE}, width=12, below_zero=True),
    Chart("Ready by lane, of all tenants", "Ready reminders by what their lane does: one that is `suspended` needs a person.", "short", {"{{lane}}": once("certmail_jobs_ready", "lane")}, width=12, stacked=True),
))

_CONCERNS_ALL: Final = Row("What concerns every tenant", (
    Chart("Lateness", "From the moment when pace, quota and Google's pauses let a reminder leave to its begin: of all tenants.", "s", {"half within": quantile(0.5, "certmail_send_lateness_seconds"), "99 % within": quantile(0.99, "certmail_send_lateness_seconds")}),
    Chart("Sends by outcome", "Requests to send of all tenants, by what is known of them.", "reqps", {"{{outcome}}": total("certmail_sends_total", "outcome")}, stacked=True),
    Chart("Stopped, or paused", "Whether nothing leaves: by certmail, with a code, or by an operator.", "none", {"{{code}}": once("certmail_pacing_stopped", "code"), "paused": once("certmail_paused"), "tenants paused": once("certmail_paused_tenants")}),
))
# fmt: on

TENANT: Final = View(
    uid="certmail-tenant",
    title="certmail: a tenant",
    description="What waits of a tenant, how it leaves, and what holds up everybody. A tenant that is not offered is in `other`.",
    variables={
        "deployment": "label_values(certmail_build_info, deployment)",
        "tenant": 'label_values(certmail_jobs_waiting{deployment=~"$deployment"}, tenant)',
    },
    rows=(_OF_THE_TENANT, _CONCERNS_ALL),
)
