"""Endpoints: where messages go, what each is told, and how it takes them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update
from sqlalchemy import Connection as Db

from certmail_config.base.errors import Refused
from certmail_config.sql import tables
from certmail_config.webhooks.catalogue import EVERY_TYPE
from certmail_config.webhooks.health import SENDING, EndpointState, Health

EVERY_TENANT: Final = "*"
EVERY_STATE: Final = frozenset(EndpointState)
_TABLE: Final = tables.webhook_endpoints
_OF: Final = tables.webhook_subscriptions
_HEALTH: Final = tuple(field.name for field in fields(Health))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it is kept; `error` is why it last did not take a message.

    `tenants` holds EVERY_TENANT for all, also those that come later; `types` EVERY_TYPE likewise.
    """

    id: str
    name: str
    url: str
    tenants: frozenset[str]
    types: frozenset[str]
    secret: bytes
    health: Health
    version: int
    created_at: datetime
    previous_secret: bytes | None = None
    previous_until: datetime | None = None
    error: str | None = None


def add_endpoint(db: Db, endpoint: Endpoint) -> None:
    """Keep a new endpoint."""
    db.execute(insert(_TABLE).values(id=endpoint.id, **_row(endpoint)))
    db.execute(
        insert(_OF), [{"tenant": each, "endpoint": endpoint.id} for each in endpoint.tenants]
    )


def list_endpoints(
    db: Db,
    after: str = "",
    limit: int | None = None,
    *,
    tenant: str | None = None,
    states: Collection[EndpointState] = EVERY_STATE,
) -> list[Endpoint]:
    """Endpoints in the order in which they were made, those after one.

    Of a `tenant` those that are told of it, also as one of all.
    """
    query = select(_TABLE).where(_TABLE.c.id > after)
    if tenant is not None:
        told = select(_OF.c.endpoint).where(_OF.c.tenant.in_([tenant, EVERY_TENANT]))
        query = query.where(_TABLE.c.id.in_(told))
    if states != EVERY_STATE:
        query = query.where(_TABLE.c.state.in_(sorted(states)))
    return _read(db, query.limit(limit))


def get_endpoint(db: Db, id_: str) -> Endpoint:
    """One endpoint; raises Refused."""
    # No id holds what a database cannot even be asked for.
    found = (
        _read(db, select(_TABLE).where(_TABLE.c.id == id_))
        if id_.isascii() and "\0" not in id_
        else []
    )
    if not found:
        raise Refused(
            "unknown_webhook", f"There is no webhook {id_!r}.", "See `certmail webhooks list`."
        )
    return found[0]


def change_endpoint(db: Db, endpoint: Endpoint) -> bool:
    """Write what somebody has changed of an endpoint, with the next version; its tenants stay.

    False if it was changed or removed since it was read.
    """
    values = _row(endpoint) | {"version": endpoint.version + 1}
    return db.execute(update(_TABLE).where(_same(endpoint)).values(**values)).rowcount == 1


def note_health(db: Db, before: Endpoint, after: Endpoint) -> bool:
    """Write only how it takes its messages; the version stays, and so do its secrets.

    False if somebody has changed or removed it since it was read, or has brought it into another
    state: of several senders one does that, and tells of it.
    """
    as_it_was = (_TABLE.c.state == before.health.state) & _TABLE.c.since.is_not_distinct_from(
        before.health.since
    )
    values = _health(after.health) | {"error": after.error}
    changed = update(_TABLE).where(_same(before) & as_it_was).values(**values)
    return db.execute(changed).rowcount == 1


def remove_endpoint(db: Db, id_: str) -> None:
    """Remove an endpoint, and what waits for it."""
    db.execute(delete(tables.webhook_messages).where(tables.webhook_messages.c.endpoint == id_))
    db.execute(delete(_OF).where(_OF.c.endpoint == id_))
    db.execute(delete(_TABLE).where(_TABLE.c.id == id_))


def forget_tenant_in_webhooks(db: Db, tenant: str) -> None:
    """Forget what endpoints were or are to be told of a tenant, and endpoints for it alone."""
    told = select(_OF.c.endpoint).where(_OF.c.tenant.in_([tenant, EVERY_TENANT]))
    messages = tables.webhook_messages
    theirs = messages.c.endpoint.in_(told) & (messages.c.tenant == tenant)
    db.execute(delete(messages).where(theirs))

    own = list(db.execute(select(_OF.c.endpoint).where(_OF.c.tenant == tenant)).scalars())
    db.execute(delete(_OF).where(_OF.c.tenant == tenant))
    for id_ in own:
        if db.execute(select(_OF.c.tenant).where(_OF.c.endpoint == id_).limit(1)).first() is None:
            remove_endpoint(db, id_)


def deliverable(db: Db, now: datetime, after: str, limit: int) -> list[Endpoint]:
    """The next endpoints after one that may be sent something, and for which something is due."""
    messages = tables.webhook_messages.c
    waits = select(messages.ms).where(
        messages.endpoint == _TABLE.c.id, messages.state == "waiting", messages.due_at <= now
    )
    query = select(_TABLE).where(
        _TABLE.c.id > after,
        _TABLE.c.state.in_(sorted(SENDING)),
        or_(_TABLE.c.next_at.is_(None), _TABLE.c.next_at <= now),
        waits.exists(),
    )
    return _read(db, query.limit(limit))


def neighbours(db: Db, endpoint: Endpoint, kind: str) -> list[Endpoint]:
    """The other endpoints for all of its tenants that are told of a type."""
    return [
        each
        for each in list_endpoints(db)
        if each.id != endpoint.id
        and (EVERY_TENANT in each.tenants or endpoint.tenants <= each.tenants)
        and (EVERY_TYPE in each.types or kind in each.types)
    ]


def any_endpoint(db: Db) -> bool:
    """Whether there is an endpoint at all."""
    return db.execute(select(_TABLE.c.id).limit(1)).first() is not None


def count_of_tenant(db: Db, tenant: str) -> int:
    """How many are told of a tenant by its name, or of all for EVERY_TENANT."""
    query = select(func.count()).select_from(_OF).where(_OF.c.tenant == tenant)
    return int(db.execute(query).scalar_one())


def count_endpoints(db: Db) -> dict[str, int]:
    """How many are in each state."""
    query = select(_TABLE.c.state, func.count()).group_by(_TABLE.c.state)
    found = {EndpointState(state): count for state, count in db.execute(query)}
    return {str(state): found.get(state, 0) for state in EndpointState}


def longest_due(db: Db) -> datetime | None:
    """When the message was due that waits longest, of endpoints that are sent any."""
    messages = tables.webhook_messages.c
    first = (
        select(func.min(messages.due_at))
        .where(messages.endpoint == _TABLE.c.id, messages.state == "waiting")
        .scalar_subquery()
    )
    found = db.execute(select(first).where(_TABLE.c.state.in_(sorted(SENDING)))).scalars()
    return min((each for each in found if each is not None), default=None)


def _read(db: Db, query: Select[Any]) -> list[Endpoint]:
    rows = db.execute(query.order_by(_TABLE.c.id)).mappings().all()
    tenants = _tenants(db, [row["id"] for row in rows])
    return [_endpoint(dict(row), tenants[row["id"]]) for row in rows]


def _tenants(db: Db, ids: Sequence[str]) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for tenant, id_ in db.execute(select(_OF).where(_OF.c.endpoint.in_(ids))) if ids else ():
        found[id_].add(tenant)
    return found


def _endpoint(row: dict[str, Any], tenants: Iterable[str]) -> Endpoint:
    health = {name: row.pop(name) for name in _HEALTH}
    health["state"] = EndpointState(health["state"])
    types = frozenset(json.loads(row.pop("types")))
    return Endpoint(**row, tenants=frozenset(tenants), types=types, health=Health(**health))


def _row(endpoint: Endpoint) -> dict[str, Any]:
    whole = {
        field.name: getattr(endpoint, field.name)
        for field in fields(endpoint)
        if field.name not in {"id", "tenants", "types", "health"}
    }
    return whole | _health(endpoint.health) | {"types": json.dumps(sorted(endpoint.types))}


def _health(health: Health) -> dict[str, Any]:
    return {name: getattr(health, name) for name in _HEALTH}


def _same(endpoint: Endpoint) -> ColumnElement[bool]:
    return (_TABLE.c.id == endpoint.id) & (_TABLE.c.version == endpoint.version)
