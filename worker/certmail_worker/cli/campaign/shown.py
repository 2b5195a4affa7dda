"""A plan for people: a strip of the days, who gets what when and why, and who does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from certmail_config.campaigns import calendar, why
from certmail_config.campaigns.changes import PlanChange
from certmail_config.campaigns.moments_of_day import zone
from certmail_config.campaigns.plan import Enrolment, Plan
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.why import WHY_NOT
from certmail_worker.cli.campaign.strip import strip
from certmail_worker.cli.support.output import err, fields, out, table

_ROWS = 40
"""Rows of a table, if not all are asked for."""
_BAD = 20


def show(enrolments: Sequence[Enrolment], plan: Plan, now: datetime, *, whole: bool) -> None:
    """Print a plan."""
    zones = {
        (each.campaign.tenant, each.campaign.id, row.id): zone(
            row.time_zone or each.campaign.time_zone
        )
        for each in enrolments
        for row in each.reviewers
    }
    for each in enrolments:
        _head(each)
    fields([("now", _local(now, zone(enrolments[0].campaign.time_zone))), *_made_with(plan)])

    out.print()
    marks = {
        day: word
        for each in enrolments
        for day, word in (
            (each.campaign.start.astimezone(zone(each.campaign.time_zone)).date(), "start"),
            (each.campaign.due.astimezone(zone(each.campaign.time_zone)).date(), "due"),
        )
    }
    for line in strip(Counter(each.date for each in plan.moments), marks):
        out.print(line, markup=False)

    _going(plan, zones, whole=whole)
    _not_going(plan, whole=whole)
    _notes(enrolments, plan)


def show_changes(found: Sequence[tuple[PlanChange, int]]) -> None:
    """Print how the plan differs from the one of the files as they are."""
    out.print("\nWhat changes:" if found else "\nNothing changes.")
    if found:
        table(
            ["rule", "as it is", "as it would be", "reviewers"],
            [
                [
                    f"{each.rule} {each.ordinal}",
                    each.before and why.day(each.before),
                    each.after and why.day(each.after),
                    count,
                ]
                for each, count in found
            ],
        )


def show_bad(bad: Sequence[tuple[str, BadRow]]) -> None:
    """Say on stderr which rows are no reviewers."""
    for file, each in bad[:_BAD]:
        named = f", {each.field}" if each.field else ""
        err.print(f"{file}, line {each.row}{named}: {each.message} ({each.code})", markup=False)
    if len(bad) > _BAD:
        err.print(f"{len(bad) - _BAD} more rows are wrong; --json names all.")
    if bad:
        err.print("They are not planned for: correct them, and plan again.")


def _head(each: Enrolment) -> None:
    campaign = each.campaign
    local = zone(campaign.time_zone)
    out.print(
        f"{campaign.name or campaign.id} ({campaign.tenant}, {campaign.id}): "
        f"{_local(campaign.start, local)} to {_local(campaign.due, local)}, {campaign.time_zone}; "
        f"{len(each.reviewers):,} reviewer{'' if len(each.reviewers) == 1 else 's'}",
        markup=False,
    )


def _made_with(plan: Plan) -> list[tuple[str, object]]:
    kinds = Counter(each.kind for each in plan.moments)
    named = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    made = plan.versions
    return [
        ("mails", f"{len(plan.moments):,}{f' ({named})' if named else ''}"),
        ("made with", f"holidays {made.holidays}, tzdata {made.tzdata}, certmail {made.certmail}"),
    ]


def _going(plan: Plan, zones: Mapping[tuple[str, str, str], ZoneInfo], *, whole: bool) -> None:
    shown = plan.moments if whole else plan.moments[:_ROWS]
    out.print("\nWho gets what, in their own time:" if shown else "\nNobody gets anything.")
    if shown:
        table(
            ["when", "reviewer", "mail", "to", "rule", "why"],
            [
                [
                    _local(each.at, zones[each.tenant, each.campaign, each.reviewer]),
                    each.reviewer,
                    each.kind,
                    each.to,
                    f"{each.rule} {each.ordinal}",
                    each.why,
                ]
                for each in shown
            ],
        )
    _more(len(plan.moments) - len(shown))


def _not_going(plan: Plan, *, whole: bool) -> None:
    if not plan.non_moments:
        return

    shown = plan.non_moments if whole else plan.non_moments[:_ROWS]
    out.print("\nWhat does not go:")
    table(
        ["day", "reviewer", "rule", "why not"],
        [
            [
                why.day(each.date),
                each.reviewer,
                f"{each.rule} {each.ordinal}",
                f"{each.why}: {WHY_NOT[each.why]}",
            ]
            for each in shown
        ],
    )
    _more(len(plan.non_moments) - len(shown))


def _more(count: int) -> None:
    if count > 0:
        out.print(f"and {count:,} more: --all, --reviewer ID, or --json", markup=False)


def _notes(enrolments: Sequence[Enrolment], plan: Plan) -> None:
    """What a plan rests on that may turn out otherwise."""
    days = [each.date for each in plan.moments]
    if not days:
        return

    notes: dict[str, None] = {}
    for each in enrolments:
        nowhere = sum(row.time_zone is None for row in each.reviewers)
        if nowhere:
            zone_name = each.campaign.time_zone
            who = "1 reviewer names" if nowhere == 1 else f"{nowhere:,} reviewers name"
            notes[f"{who} no time zone: {zone_name} is assumed."] = None
        for place in {(row.country, row.subdivision) for row in each.reviewers}:
            found = calendar.estimated(each.campaign.calendar.of(*place), min(days), max(days))
            for day, name in found.items():
                notes[f"{why.day(day)} is an estimate: {name}."] = None

    if notes:
        out.print()
    for note in notes:
        out.print(note, markup=False)


def _local(instant: datetime, local: ZoneInfo) -> str:
    found = instant.astimezone(local)
    return f"{why.day(found.date())}, {found:%H:%M}"
