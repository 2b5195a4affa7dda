"""Why: how many deliveries are in which state for which reason, by the code of the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import Select, func, select, union_all

from certmail_config.base.text.hidden_addresses import with_hidden_addresses
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.record.groups import STATES_OF, StateGroup
from certmail_config.sql.totals import asked, of_tenants

LOOKED_AT: Final = 20_000
"""Of each state so many deliveries are looked at."""
NOT_ACCEPTED: Final = tuple(
    state for group in StateGroup if group is not StateGroup.ACCEPTED for state in STATES_OF[group]
)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many are in a state for a reason; `code` is empty where none is on record.

    `words` are those of one of them, with addresses hidden.
    """

    state: State
    code: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class ReasonCounts:
    """The reasons, those of the most first; `capped`: not all of a state were looked at."""

    reasons: tuple[ReasonCount, ...]
    capped: bool


def count_reasons(
    db: Db,
    wanted: Filter,
    tenants: Collection[str] | None = None,
    *,
    states: Collection[State] = NOT_ACCEPTED,
    most: int = LOOKED_AT,
) -> ReasonCounts:
    """Count what is asked for by reason: of these states, all but `accepted` unless named.

    Each state is read by the index of its own page, as counts.py does.
    """
    read = [_counted(replace(wanted, state=state), tenants, most) for state in states]
    counts: defaultdict[tuple[State, str], int] = defaultdict(int)
    words: dict[tuple[State, str], str] = {}
    seen: defaultdict[State, int] = defaultdict(int)

    for name, reason, many in db.execute(union_all(*read)):
        state, (code, said) = State(name), parts_of(reason)
        counts[state, code] += int(many)
        seen[state] += int(many)
        words[state, code] = min(words.get((state, code), said), said)

    found = [
        ReasonCount(state, code, with_hidden_addresses(words[state, code]), count)
        for (state, code), count in counts.items()
    ]
    found.sort(key=lambda each: (-each.count, each.state, each.code))
    return ReasonCounts(tuple(found), capped=any(count >= most for count in seen.values()))


def _counted(
    wanted: Filter, tenants: Collection[str] | None, most: int
) -> Select[str, str | None, int]:
    """How many there are for each reason in the state that is asked for."""
    record = tables.deliveries.c
    found = (
        select(record.state, record.reason)
        .where(*asked(wanted), *of_tenants(tenants))
        .limit(most)
        .subquery()
    )
    return select(found.c.state, found.c.reason, func.count().label("many")).group_by(
        found.c.state, found.c.reason
    )


def parts_of(reason: str | None) -> tuple[str, str]:
    """The code of a reason, empty where it has none, and its words. Pure."""
    code, colon, words = (reason or "").partition(":")
    if colon and " " not in code:
        return code, words.strip()
    return ("", reason) if reason and " " in reason else (reason or "", "")
