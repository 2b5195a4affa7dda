"""Why reminders were not sent, or wait: counted above the list, and said at each of its lines.

Reading blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from redis import Redis
from sqlalchemy import Connection as Db

from certmail.gateway.console.record import words
from certmail.gateway.console.record.filter_form import ListFilter, ListLinks
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import State
from certmail_config.sql.deliveries import Row
from certmail_config.sql.record.counts import COUNT_MAX
from certmail_config.sql.record.groups import states_named
from certmail_config.sql.record.reasons import NOT_ACCEPTED, count_reasons
from certmail_config.status.lane_status import read_lanes
from certmail_config.tenants.pauses import EVERYTHING, pause_of, paused_in

SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class ListedReason:
    """So many are in a state for a reason, in words; `link` leads to all in that state."""

    count: int
    tone: str
    state: str
    words: str
    link: str


def reasons_of(db: Db, links: ListLinks) -> tuple[ListedReason, ...]:
    """Why not all of what is asked for was accepted; nothing unless a campaign or state is."""
    wanted = links.wanted
    states = [s for s in states_named(wanted.state) if s in NOT_ACCEPTED] if wanted.state else []
    if not _asks_why(wanted) or (wanted.state and not states):
        return ()

    found = count_reasons(db, wanted.question(), states=states or NOT_ACCEPTED, most=COUNT_MAX)
    said = [each for each in found.reasons if each.words or each.code]
    return tuple(
        ListedReason(
            each.count,
            *words.STATES[each.state],
            sentence_case(each.words or each.code.replace("_", " ")),
            links.to(state=each.state.value),
        )
        for each in said[:SHOWN]
    )


def why_waiting(redis: Redis, rows: Sequence[Row]) -> Mapping[str, str]:
    """What stops reminders that wait for their turn, by job; raises RedisError."""
    ready = [row for row in rows if row["state"] == State.READY]
    if not ready:
        return {}

    ids = list(dict.fromkeys(ConnectionId(row["connection"]) for row in ready))
    stopped = {
        id_: lane.message
        for id_, lane in zip(ids, read_lanes(redis, ids), strict=True)
        if lane.stopped
    }
    paused = paused_in(redis)
    why = {}

    for row in ready:
        tenant, message = row["tenant"], stopped.get(row["connection"], "")
        if paused & {EVERYTHING, tenant}:
            message = (pause_of(redis, tenant) or (message, ""))[0]
        if message:
            why[row["job"]] = sentence_case(message)

    return why


def sentence_case(text: str) -> str:
    """A sentence that began within another."""
    return text[:1].upper() + text[1:]


def _asks_why(wanted: ListFilter) -> bool:
    return bool(wanted.campaign or wanted.state) and not wanted.to
