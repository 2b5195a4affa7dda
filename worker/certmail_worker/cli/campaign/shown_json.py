"""A plan as one JSON document, a row a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from certmail_config.campaigns.departures import Late
from certmail_config.campaigns.plan import Moment, NonMoment, Plan
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.written_days import written_instant
from certmail_worker.cli.support.output import print_long_json


def show(plan: Plan, too_late: Sequence[Late], bad: Sequence[tuple[str, BadRow]]) -> None:
    """Print it."""
    print_long_json(document(plan, too_late, bad))


def document(
    plan: Plan, too_late: Sequence[Late], bad: Sequence[tuple[str, BadRow]]
) -> dict[str, Any]:
    """Its members; `campaign` stands in each row only where there are several of them.

    `late` and `rejected` are there only where there are any.
    """
    campaigns = {each.campaign for each in plan.moments}
    several = len(campaigns | {each.campaign for each in plan.non_moments}) > 1
    members: dict[str, Any] = {
        "moments": (_moment(each, several=several) for each in plan.moments),
        "not": (_non_moment(each, several=several) for each in plan.non_moments),
        "versions": plan.versions._asdict(),
    }
    if too_late:
        members["late"] = (_late(each, several=several) for each in too_late)
    if bad:
        members["rejected"] = _bad(bad)
    return members


def _moment(each: Moment, *, several: bool) -> dict[str, Any]:
    row = {
        "reviewer": each.reviewer,
        "rule": each.rule,
        "ordinal": each.ordinal,
        "at": written_instant(each.at),
        "kind": each.kind,
        "to": each.to,
        "why": each.why,
    }
    if each.parts:
        row["parts"] = [part._asdict() for part in each.parts]
    return {"campaign": each.campaign, **row} if several else row


def _non_moment(each: NonMoment, *, several: bool) -> dict[str, Any]:
    row = {
        "reviewer": each.reviewer,
        "rule": each.rule,
        "ordinal": each.ordinal,
        "date": each.date.isoformat(),
        "why": each.why,
    }
    return {"campaign": each.campaign, **row} if several else row


def _late(each: Late, *, several: bool) -> dict[str, Any]:
    moment = each.moment
    row = {
        "reviewer": moment.reviewer,
        "rule": moment.rule,
        "ordinal": moment.ordinal,
        "at": written_instant(moment.at),
        "leaves": written_instant(each.leaves),
        "after_due": each.after_due,
    }
    return {"campaign": moment.campaign, **row} if several else row


def _bad(bad: Sequence[tuple[str, BadRow]]) -> Iterator[dict[str, Any]]:
    for file, each in bad:
        yield {"file": file, **each._asdict()}
