"""`certmail campaign remind`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.campaigns.remind import Reminded, outside_hours, remind_now
from certmail_config.base.dates import moment
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_worker.cli.campaign.named import Named, find
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.for_good import Yes, ask
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
    wait_for_hours: Annotated[
        bool,
        typer.Option(
            "--within-hours", help="Wait, for each of them, until their working hours begin."
        ),
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remind reviewers of a campaign now, beside what is planned. Who is done is not reminded.

    It leaves at any hour; where that is night for some, a person is asked first.

    Ends with status 1 where the campaign has no such reviewer.
    """
    if everybody == bool(reviewers):
        raise WrongUse("wrong_use", "Name whom to remind.", "Give --reviewer ID, or --all.")
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        tenant, id_ = find(admin, campaign)
        if not (wait_for_hours or yes or json):
            _ask(*outside_hours(admin, tenant, id_, reviewers or None))
        done = remind_now(admin, tenant, id_, reviewers or None, wait_for_hours=wait_for_hours)

    if json:
        print_json(
            {
                "reminded": list(done.reminded),
                "complete": list(done.complete),
                "unknown": list(done.unknown),
                "later": {each: at.isoformat() for each, at in sorted(done.later.items())},
            }
        )
    else:
        left_out = f"; {_are(len(done.complete))} done" if done.complete else ""
        now = len(done.reminded) - len(done.later)
        out.print(f"{_are(now)} reminded now{_later(done)}{left_out}.", markup=False)
        for each in done.unknown:
            err.print(f"The campaign has no reviewer {each!r}.", markup=False)
    if done.unknown:
        raise typer.Exit(1)


def _ask(closed: int, of: int) -> None:
    """Say where it is outside the hours of some, and ask whoever sits there."""
    if not closed:
        return
    said = f"For {closed:,} of {of:,} it is outside their working hours: they get it now, too."
    err.print(f"{said} --within-hours waits for each one's hours.", markup=False)
    if sys.stdin.isatty():
        ask("Remind them now?", yes=False)


def _later(done: Reminded) -> str:
    if not done.later:
        return ""
    return f", {len(done.later):,} as their hours begin, until {moment(max(done.later.values()))}"


def _are(count: int) -> str:
    return f"{count:,} {'is' if count == 1 else 'are'}"
