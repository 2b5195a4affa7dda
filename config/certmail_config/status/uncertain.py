"""The reminders of unknown outcome: on record, and of these which nobody has decided about yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import Select, func, literal, select, tuple_

from certmail_config.base import redis_keys
from certmail_config.jobs.states import State
from certmail_config.sql import tables

BATCH_SIZE: Final = 500


def list_uncertain(
    db: Db, redis: Redis, *, tenant: str | None, campaign: str | None, limit: int
) -> list[dict[str, Any]]:
    """The uncertain deliveries that are still open, the oldest first; raises RedisError.

    `waits_for` says who is to decide.
    """
    rows = uncertain_rows(db, tenant=tenant, campaign=campaign)
    still_open: list[dict[str, Any]] = []

    for start in range(0, len(rows), BATCH_SIZE):
        if len(still_open) >= limit:
            break
        still_open += _still_open(redis, rows[start : start + BATCH_SIZE])

    return still_open[:limit]


def open_uncertain(
    db: Db,
    redis: Redis,
    *,
    tenants: Collection[str] | None = None,
    campaign: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """As `list_uncertain`, read some at a time: no more than `limit` needs, and what closed.

    However many were closed or settled in the course of years. Of these `tenants` only, None means
    all.
    """
    record = tables.deliveries.c
    place = (record.enqueued_at, record.job)
    query = _uncertain(tenants, campaign).where(record.decided_by.is_(None)).order_by(*place)
    query = query.add_columns(record.enqueued_at).limit(BATCH_SIZE)
    found: list[dict[str, Any]] = []
    after: tuple[Any, Any] | None = None

    while len(found) < limit:
        page = query if after is None else query.where(tuple_(*place) > _place(after))
        rows = [dict(row) for row in db.execute(page).mappings()]
        found += _still_open(redis, rows)
        if len(rows) < BATCH_SIZE:
            break
        after = rows[-1]["enqueued_at"], rows[-1]["job"]

    return found[:limit]


def _place(after: tuple[Any, Any]) -> Any:
    record = tables.deliveries.c
    return tuple_(literal(after[0], record.enqueued_at.type), literal(after[1], record.job.type))


def uncertain_rows(db: Db, *, tenant: str | None, campaign: str | None) -> list[dict[str, Any]]:
    """The deliveries that are on record as uncertain, closed or not, the oldest first."""
    tenants = None if tenant is None else [tenant]
    query = _uncertain(tenants, campaign).order_by(tables.deliveries.c.job)
    return [dict(row) for row in db.execute(query).mappings()]


def _uncertain(tenants: Collection[str] | None, campaign: str | None) -> Select[Any]:
    record = tables.deliveries.c
    names = ("job", "tenant", "campaign", "kind", "recipient", "reason", "possible_duplicate")
    connections = tables.connections.c

    # Of a request that nobody saw begin, the record has no mailbox: it is the connection's, as long
    # as there is one.
    mailbox = func.coalesce(record.mailbox, connections.mailbox).label("mailbox")
    query = (
        select(*(record[name] for name in names), mailbox, record.updated_at)
        .select_from(
            tables.deliveries.outerjoin(tables.connections, record.connection == connections.id)
        )
        .where(record.state == State.UNCERTAIN)
    )

    if tenants is not None:
        query = query.where(record.tenant.in_(sorted(tenants)))
    if campaign is not None:
        query = query.where(record.campaign == campaign)

    return query


def _still_open(redis: Redis, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those of the rows that nobody has decided about yet."""
    with redis.pipeline(transaction=False) as pipe:
        for row in rows:
            pipe.hmget(redis_keys.JOB + row["job"], ["state", "finished_at", "held"])
            pipe.zscore(redis_keys.UNSURE, row["job"])
        answers = pipe.execute()

    for row, (state, finished, held), looked_for in zip(
        rows, answers[0::2], answers[1::2], strict=True
    ):
        if state == State.UNCERTAIN.encode() and finished is None:
            yield row | {
                "waits_for": _waits_for(held=held == b"1", looked_for=looked_for is not None)
            }


def _waits_for(*, held: bool, looked_for: bool) -> str:
    if looked_for:
        return "looking among the sent mails"
    return "a person" if held else "the rule that sends it again"
