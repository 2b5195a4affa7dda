"""`certmail campaigns`: what became of each campaign's reminders."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from certmail_config.jobs.states import State
from certmail_config.settings import Settings
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.engine import reachable, ready_database
from certmail_config.sql.totals import CampaignTotals, count_campaigns
from certmail_worker.cli.support.filters import Tenant
from certmail_worker.cli.support.output import Json, err, print_json, table

SHOWN = ("tenant", "campaign", "total", *State, "held")


def list_(
    *,
    tenant: Tenant = None,
    campaign: Annotated[str | None, typer.Option(help="Only this campaign.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    after: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="TENANT CAMPAIGN", help="Go on behind this one, where a page ended."),
    ] = None,
    json: Json = False,
) -> None:
    """Count the reminders of each campaign, by state."""
    wanted = Filter(tenant=tenant, campaign=campaign)
    with ready_database(Settings.from_env()) as engine, reachable(engine), engine.connect() as db:
        page = count_campaigns(db, wanted, after=after, limit=limit)
    if json:
        return print_json(
            {"campaigns": [_value(each) for each in page.campaigns], "more": page.more}
        )

    shown = [
        column
        for column in SHOWN
        if column not in set(State) or _any(page.campaigns, State(column))
    ]
    table(shown, [[_cells(each)[column] for column in shown] for each in page.campaigns])

    if page.more:
        last = page.campaigns[-1]
        err.print(
            f"\nThere are more. Go on with: --after {last.tenant} {last.campaign!r}", markup=False
        )

    return None


def _value(each: CampaignTotals) -> dict[str, object]:
    totals = asdict(each.totals) | {"states": dict(each.totals.states)}
    return {
        "tenant": each.tenant,
        "campaign": each.campaign,
        **totals,
        "enqueued_at": each.enqueued_at,
        "updated_at": each.updated_at,
    }


def _cells(each: CampaignTotals) -> dict[str, object]:
    counted: dict[str, object] = {state: each.totals.states.get(state) for state in State}
    held = each.totals.held or None
    return counted | {
        "tenant": each.tenant,
        "campaign": each.campaign,
        "total": each.totals.total,
        "held": held,
    }


def _any(campaigns: tuple[CampaignTotals, ...], state: State) -> bool:
    return any(state in each.totals.states for each in campaigns)
