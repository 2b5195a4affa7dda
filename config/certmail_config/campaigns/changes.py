"""How one plan differs from another: what is moved, new, and no longer there. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from certmail_config.campaigns.plan import Moment, Plan

_Identity = tuple[str, str, str, str, int]


class PlanChange(NamedTuple):
    """What happens to one ordinal of a rule: from a date (none: it is new) to another."""

    campaign: str
    rule: str
    ordinal: int
    before: date | None
    after: date | None


def changes(before: Plan, after: Plan) -> list[tuple[PlanChange, int]]:
    """Each change with for how many reviewers, in order of dates."""
    old, new = _by_identity(before), _by_identity(after)
    found = Counter(
        PlanChange(key[1], key[3], key[4], old.get(key), new.get(key))
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    )
    return sorted(found.items(), key=_order)


def _by_identity(plan: Plan) -> Mapping[_Identity, date]:
    return {_identity(each): each.date for each in plan.moments}


def _identity(each: Moment) -> _Identity:
    return each.tenant, each.campaign, each.reviewer, each.rule, each.ordinal


def _order(item: tuple[PlanChange, int]) -> tuple[date, str, str, int]:
    each = item[0]
    day = each.after or each.before
    assert day is not None, "one of both is there"
    return day, each.campaign, each.rule, each.ordinal
