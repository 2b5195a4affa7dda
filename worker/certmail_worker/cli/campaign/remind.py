"""`certmail campaign remind`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.campaigns.remind import remind_now
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_worker.cli.campaign.named import Named, find
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json


def remind(
    campaign: Named,
    *,
    reviewers: Annotated[
        list[str] | None,
        typer.Option("--reviewer", metavar="ID", help="Remind this one; may be repeated."),
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Remind all who have something left.")
    ] = False,
    json: Json = False,
) -> None:
    """Remind reviewers of a campaign now, beside what is planned. Who is done is not reminded.

    Ends with status 1 where the campaign has no such reviewer.
    """
    if everybody == bool(reviewers):
        raise WrongUse("wrong_use", "Name whom to remind.", "Give --reviewer ID, or --all.")
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        tenant, id_ = find(admin, campaign)
        done = remind_now(admin, tenant, id_, reviewers or None)

    if json:
        print_json(
            {
                "reminded": list(done.reminded),
                "complete": list(done.complete),
                "unknown": list(done.unknown),
            }
        )
    else:
        left_out = f"; {len(done.complete):,} are done" if done.complete else ""
        out.print(f"{len(done.reminded):,} are reminded now{left_out}.", markup=False)
        for each in done.unknown:
            err.print(f"The campaign has no reviewer {each!r}.", markup=False)
    if done.unknown:
        raise typer.Exit(1)
