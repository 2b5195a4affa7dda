"""Why: how many deliveries are in which state for which reason, by the code of the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.base.text.hidden_addresses import with_hidden_addresses
from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.record.groups import STATES_OF, StateGroup
from certmail_config.sql.totals import asked, in_states, of_tenants

LOOKED_AT: Final = 20_000
"""Of so many deliveries, the newest, the reasons are counted."""
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
    """The reasons, those of the most first; `capped`: they are those of the newest only."""

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
    """Count what is asked for by reason: of these states, all but `accepted` unless named."""
    record = tables.deliveries.c
    newest = (
        select(record.state, record.reason)
        .where(*asked(wanted), *of_tenants(tenants), *in_states(states))
        .order_by(record.enqueued_at.desc(), record.job.desc())
        .limit(most + 1)
    )
    counts: defaultdict[tuple[State, str], int] = defaultdict(int)
    words: dict[tuple[State, str], str] = {}

    rows = db.execute(newest).all()
    for state, reason in rows[:most]:
        code, said = parts_of(reason)
        counts[State(state), code] += 1
        words.setdefault((State(state), code), said)

    found = [
        ReasonCount(state, code, with_hidden_addresses(words[state, code]), count)
        for (state, code), count in counts.items()
    ]
    found.sort(key=lambda each: (-each.count, each.state, each.code))
    return ReasonCounts(tuple(found), capped=len(rows) > most)


def parts_of(reason: str | None) -> tuple[str, str]:
    """The code of a reason, empty where it has none, and its words. Pure."""
    code, colon, words = (reason or "").partition(":")
    if colon and " " not in code:
        return code, words.strip()
    return ("", reason) if reason and " " in reason else (reason or "", "")
