"""`certmail campaign show`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns import views
from certmail_config.admin.campaigns.documents import campaign_document
from certmail_config.campaigns.running.states import CampaignState
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.campaigns import list_campaigns
from certmail_worker.cli.campaign.named import find
from certmail_worker.cli.campaign.shown_running import (
    show_list,
    show_view,
    show_waits,
    view_json,
    waits_for,
)
from certmail_worker.cli.support.output import Json, out, print_json


def show(
    campaign: Annotated[
        str | None,
        typer.Argument(metavar="[CAMPAIGN]", help="TENANT/CAMPAIGN; without one, all of them."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Show a campaign that runs: its reviewers, what was planned, and what comes next. Without one, all."""
    with open_admin(Settings.from_env()) as admin:
        if campaign is None:
            return _all(admin, json=json)

        tenant, id_ = find(admin, campaign)
        view, now = views.view_campaign(admin, tenant, id_), datetime.now(UTC)
        summary = views.coming_of_campaign(admin, tenant, id_, now)
        stopped = view.kept.state is CampaignState.STOPPED
        waits = [] if stopped else waits_for(admin, view.kept.campaign)

    if json:
        print_json(view_json(view, summary))
    else:
        show_view(view, summary)
        show_waits(waits)
    return None


def _all(admin: Admin, *, json: bool) -> None:
    with admin.db() as db:
        found = list_campaigns(db)
    if json:
        print_json({"campaigns": [campaign_document(each) for each in found]})
    elif found:
        show_list(found)
    else:
        out.print(
            "No campaign runs. `certmail campaign run campaign.toml --reviewers reviewers.csv` "
            "runs one.",
            markup=False,
        )
