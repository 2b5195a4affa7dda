"""`certmail campaign plan`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.calendar import NoWorkingDay
from certmail_config.campaigns.changes import changes
from certmail_config.campaigns.departures import MailboxPace, late
from certmail_config.campaigns.plan import Plan, make_plan, versions
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.process.release import release
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.cli.campaign import shown, shown_json, shown_late
from certmail_worker.cli.campaign.files import Read, read_files
from certmail_worker.cli.campaign.what_if import what_if
from certmail_worker.cli.connections import limits as of
from certmail_worker.cli.support.output import Json
from certmail_worker.cli.support.times import parse_time


def plan(
    *,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="CAMPAIGN...", help="The campaign (TOML); several, to see them together."
        ),
    ],
    reviewers: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="Its reviewers, CSV or JSON lines; one file for each campaign, in their order. `-` is standard input.",
        ),
    ],
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As if it were this time (RFC 3339); else the present."),
    ] = None,
    due: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="What if it were due then: the plan, and what changes."),
    ] = None,
    cadence: Annotated[
        str | None,
        typer.Option(
            metavar="PRESET|FILE",
            help="What if it had the rules of a preset, or of a TOML file: the plan, and what changes.",
        ),
    ] = None,
    sent: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What went already, JSON lines of reviewer, rule, ordinal, at, kind.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--reviewer", metavar="ID", help="Show only this reviewer; may be repeated."),
    ] = None,
    units_per_minute: of.UnitsPerMinute = None,
    per_day: of.PerDay = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Print every row, however many there are.")
    ] = False,
    json: Json = False,
) -> None:
    """Say who would be reminded when and why, and who not. Needs no server, and sends nothing.

    A table for people ends after some rows; --json has all of them.
    """
    at = parse_time(now, "--now") or datetime.now(UTC)
    read = read_files(files, reviewers, sent)
    asked = what_if(read, due=parse_time(due, "--due"), cadence=cadence)

    before = _plan(read, at, only) if asked and not json else None
    after = _plan(asked or read, at, only)
    limits = replace(GoogleLimits(), **of.given(units_per_minute=units_per_minute, per_day=per_day))
    pace = MailboxPace(limits.units_per_minute / SEND_UNITS, limits.per_day)
    too_late = late((asked or read).enrolments, after.moments, pace)

    if json:
        shown_json.show(after, too_late, read.bad)
    else:
        shown.show((asked or read).enrolments, after, at, whole=whole)
        shown_late.show(too_late, pace, whole=whole)
        if before is not None:
            shown.show_changes(changes(before, after))
        shown.show_bad(read.bad)

    if read.bad:
        raise typer.Exit(1)


def _plan(read: Read, now: datetime, only: list[str] | None) -> Plan:
    if only:
        known = {row.id for each in read.enrolments for row in each.reviewers}
        if unknown := [name for name in only if name not in known]:
            wrong = (
                f", or it is in one of {len(read.bad):,} rows that are wrong" if read.bad else ""
            )
            raise WrongUse(
                "unknown_reviewer",
                f"The files have no reviewer {', '.join(map(repr, unknown))}{wrong}.",
                "Plan without --reviewer to see what is wrong with rows."
                if read.bad
                else "Write the id as it stands in the file.",
            )
    try:
        found = make_plan(read.enrolments, now, versions(release(None).version))
    except NoWorkingDay as error:
        raise WrongUse(
            "no_working_day",
            f"The calendar has no working day within three years of {error.args[0]}.",
            "Look at days and closed in [calendar].",
        ) from None

    return found.of(set(only)) if only else found
