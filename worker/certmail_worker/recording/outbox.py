"""The outbox of webhooks: what endpoints are told is written with the event that it tells of.

In the same transaction: what is on record is told, and what is told is on record. Where nobody
wants to be told, one short question is asked of an empty table, and nothing else happens.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json
from sqlalchemy import Connection as Db

from certmail_config.webhooks.catalogue import (
    EVERY_TYPE,
    REMINDER_TYPES,
    WebhookType,
    payload,
)
from certmail_worker.recording import statements
from certmail_worker.recording.rows import Event, Row, written

_LANE_TYPES: Final = {
    "suspended": WebhookType.CONNECTION_ATTENTION,
    "opened": WebhookType.CONNECTION_ACTIVE,
    "certificate_expiring": WebhookType.CONNECTION_CERTIFICATE_EXPIRING,
}
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
EVERY_TENANT: Final = "*"
Wishes = Mapping[str, Sequence[tuple[str, Collection[str]]]]
"""Who wants to be told of a tenant: endpoints, each with the types that it asked for."""


class Told(NamedTuple):
    """An event that endpoints may be told of."""

    kind: WebhookType
    event: Event


def told_of(events: Iterable[Event]) -> list[Told]:
    """Those of the events that are told at all."""
    return [Told(kind, event) for event in events if (kind := type_of(event)) is not None]


def type_of(event: Event) -> WebhookType | None:
    """The type by which an event is told; None if it is not.

    What a repair takes over from the record was told when it was recorded, but for what is
    uncertain by the repair.
    """
    kind = REMINDER_TYPES.get(event.fields.get("state", ""))
    if kind is None:
        return _LANE_TYPES.get(event.type)
    if "job" not in event.fields or not event.fields.get("tenant"):
        return None
    if event.type == "restored" and kind is not WebhookType.REMINDER_UNCERTAIN:
        return None
    return kind


def write_outbox(db: Db, events: Sequence[Event], now: datetime | None = None) -> int:
    """Write messages for whoever wants to be told of these events, which are on record already.

    Gives how many.
    """
    told = told_of(events)
    if not told:
        return 0
    wishes = _wishes(db, {each.event.fields.get("tenant", "") for each in told})
    if not wishes:
        return 0

    jobs = {each.event.fields["job"] for each in told if "job" in each.event.fields}
    sequences = sequences_of(events, _counts(db, jobs), jobs)
    rows = messages(told, wishes, sequences, now or datetime.now(UTC))
    statements.ADD_MESSAGES.run(db, rows)
    return len(rows)


def sequences_of(
    events: Iterable[Event], counts: Mapping[str, int], jobs: Collection[str]
) -> dict[str, int]:
    """The place of each of these events among all of its reminder, by the event's id.

    `counts` says how many each reminder has on record, these among them.
    """
    ours: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if (job := event.fields.get("job")) in jobs and job is not None:
            ours[job].append(event.id)

    return {
        id_: counts.get(job, len(ids)) - len(ids) + place
        for job, ids in ours.items()
        for place, id_ in enumerate(ids, 1)
    }


def messages(
    told: Iterable[Told], wishes: Wishes, sequences: Mapping[str, int], now: datetime
) -> list[Row]:
    """The rows of what is told; pure."""
    rows, due = [], written(now)

    for kind, event in told:
        tenant = event.fields.get("tenant", "")
        endpoints = [
            endpoint
            for endpoint, types in {*_pairs(wishes, tenant), *_pairs(wishes, EVERY_TENANT)}
            if EVERY_TYPE in types or kind in types
        ]
        if not endpoints:
            continue

        ms, _, n = event.id.partition("-")
        body = payload(kind, event.at, _data(kind, event, sequences))
        rows += [
            {
                "endpoint": endpoint,
                "ms": int(ms),
                "n": int(n),
                "type": str(kind),
                "tenant": tenant,
                "job": event.fields.get("job"),
                "body": body,
                "state": "waiting",
                "attempts": 0,
                "due_at": due,
                "ended_at": None,
                "status": None,
                "error": None,
            }
            for endpoint in sorted(endpoints)
        ]

    return rows


def _pairs(wishes: Wishes, tenant: str) -> Iterable[tuple[str, frozenset[str]]]:
    return ((endpoint, frozenset(types)) for endpoint, types in wishes.get(tenant, ()))


def _data(kind: WebhookType, event: Event, sequences: Mapping[str, int]) -> dict[str, Any]:
    fields = event.fields
    if "job" in fields:
        return {
            "tenant": fields["tenant"],
            "reminder": fields["job"],
            "state": fields["state"],
            "sequence": sequences[event.id],
            "reason": code_in(fields.get("reason", "")),
            "held": fields.get("held") == "1",
            "possible_duplicate": fields.get("possible_duplicate") == "1",
        }

    of = {
        "tenant": fields.get("tenant", ""),
        "connection": fields.get("connection", ""),
        "version": int(fields.get("version") or 0),
    }
    if kind is WebhookType.CONNECTION_CERTIFICATE_EXPIRING:
        return of | {"not_after": fields["not_after"], "days": int(fields["days"])}
    return of | {"code": code_in(fields.get("code", ""))}


def code_in(reason: str) -> str | None:
    """The code that a reason begins with, without its words, which may name people."""
    code = reason.partition(":")[0]
    return code if _CODE.fullmatch(code) else None


_WISHES: Final = (
    "SELECT s.tenant, e.id, e.types FROM webhook_subscriptions s "
    "JOIN webhook_endpoints e ON e.id = s.endpoint WHERE s.tenant IN "
)
_COUNTS: Final = "SELECT job, count(*) FROM events WHERE job IN "
_OURS, _THEIRS = "(SELECT value FROM json_each(?))", "(SELECT json_array_elements_text(%s))"


def _wishes(db: Db, tenants: Collection[str]) -> Wishes:
    found: defaultdict[str, list[tuple[str, Collection[str]]]] = defaultdict(list)
    for tenant, endpoint, types in _ask(db, _WISHES, [*sorted(tenants), EVERY_TENANT]):
        found[tenant].append((endpoint, from_json(types)))
    return found


def _counts(db: Db, jobs: Collection[str]) -> dict[str, int]:
    rows = _ask(db, _COUNTS, sorted(jobs), " GROUP BY job") if jobs else ()
    return dict(rows)


def _ask(db: Db, query: str, values: Sequence[str], rest: str = "") -> Iterable[Any]:
    among = _OURS if db.dialect.name == "sqlite" else _THEIRS
    return db.exec_driver_sql(query + among + rest, (to_json(values).decode(),)).all()
