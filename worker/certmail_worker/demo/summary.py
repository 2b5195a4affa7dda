"""The demo's summary: what was enqueued, what arrived, what is on record.

And whether the three agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from certmail_config.jobs.states import State
from certmail_worker.demo.campaign_sums import CampaignResult
from certmail_worker.demo.ledger import Seen

ENDS = (
    State.ACCEPTED,
    State.UNCERTAIN,
    State.SUPPRESSED,
    State.FAILED,
    State.EXPIRED,
    State.CANCELLED,
)
"""Where a job may be when the demo is over."""


@dataclass(frozen=True, slots=True)
class TenantResult:
    """One tenant's part; `ledger` and `record` map each job to what Redis and SQL say of it."""

    tenant: str
    kind: str
    report: Mapping[str, Any]
    ledger: Mapping[str, Seen]
    record: Mapping[str, State]


def disagreements(
    rows: int,
    results: Sequence[TenantResult],
    messages: Sequence[Mapping[str, Any]],
    campaigns: Sequence[CampaignResult] = (),
) -> list[str]:
    """Everything that is not as it should be, in words; empty when all is well."""
    found = []
    parts: list[TenantResult | CampaignResult] = [*results, *campaigns]
    ledger = {job: seen for part in parts for job, seen in part.ledger.items()}
    accounted = sum(
        r.report["enqueued"] + r.report["duplicates"] + len(r.report["rejected"]) for r in results
    )
    if accounted != rows:
        found.append(f"the file has {rows} rows, but {accounted} are accounted for")
    found += [
        f"job {job} is still {seen.state}" for job, seen in ledger.items() if seen.state not in ENDS
    ]
    found += [
        f"job {job} is {seen.state} in the ledger, but {result.record.get(job, 'missing')} on record"
        for result in parts
        for job, seen in result.ledger.items()
        if result.record.get(job) != seen.state
    ]

    recorded = sum(len(part.record) for part in parts)
    if recorded != len(ledger):
        found.append(f"{len(ledger)} jobs were enqueued, but {recorded} are on record")

    copies = Counter(str(message["certmail_id"]) for message in messages)
    for job, count in copies.items():
        if job not in ledger:
            found.append(f"a message of unknown job {job} arrived")
        elif count > (2 if ledger[job].possible_duplicate else 1):
            found.append(f"job {job} arrived {count} times")

    for job, seen in ledger.items():
        if seen.state is State.ACCEPTED and not copies[job]:
            found.append(f"job {job} is accepted, but no mailbox holds it")
        if copies[job] and seen.state not in {State.ACCEPTED, State.UNCERTAIN}:
            found.append(f"job {job} arrived, but is {seen.state}")

    return found


def summary(
    *,
    problems: Sequence[str],
    results: Sequence[TenantResult],
    campaigns: Sequence[CampaignResult],
    messages: Sequence[Mapping[str, Any]],
    faults: Sequence[Mapping[str, Any]],
    seconds: float,
    urls: Mapping[str, str | None],
    data_dir: str,
) -> dict[str, Any]:
    """The document that `certmail demo --json` prints."""
    parts: list[TenantResult | CampaignResult] = [*results, *campaigns]
    recorded = Counter(state for part in parts for state in part.record.values())

    return {
        "ok": not problems,
        "problems": list(problems),
        "tenants": [_tenant(result) for result in results],
        "campaigns": [campaign.as_json() for campaign in campaigns],
        "rejected": [
            {"tenant": result.tenant, **item}
            for result in results
            for item in result.report["rejected"]
        ],
        "mailbox": {
            "messages": len(messages),
            "unique_ids": len({message["certmail_id"] for message in messages}),
        },
        "recorded": {str(state): recorded[state] for state in State if recorded[state]},
        "faults": list(faults),
        "seconds": round(seconds, 1),
        "urls": dict(urls),
        "data_dir": data_dir,
    }


def _tenant(result: TenantResult) -> dict[str, Any]:
    states = Counter(seen.state for seen in result.ledger.values())
    return {
        "tenant": result.tenant,
        "kind": result.kind,
        "enqueued": result.report["enqueued"],
        "duplicates": result.report["duplicates"],
        "rejected": len(result.report["rejected"]),
        **{str(state): states[state] for state in ENDS},
    }
