"""The events of delivered mails, as the ledger's stream has them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, Final

from redis import Redis

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.ids import uuid7
from certmail_config.crypto.sealing import Sealer
from certmail_config.sql import registry
from certmail_config.tenants.models import GoogleLimits

TENANTS: Final = 50
UNDER_WAY: Final = 30
"""So many requests have begun and not ended yet, at any time."""
Entry = dict[Any, Any]


def entries(admin: Admin, mails: int) -> list[list[Entry]]:
    """The events of so many mails, in portions that happen together.

    First all are enqueued, then each is begun and settled, with others under way.
    """
    lanes = {f"t{n}": _add(admin, f"t{n}") for n in range(TENANTS)}
    taken: list[Entry] = []
    begun: list[Entry] = []
    ended: list[Entry] = []

    for n in range(mails):
        job, tenant = uuid7(round(time.time() * 1000)), f"t{n % TENANTS}"
        connection, sealer = lanes[tenant]
        of = {"job": job, "tenant": tenant, "connection": connection}
        taken.append(of | _enqueued(sealer, n, job, tenant))
        begun.append(of | {"type": "begun", "attempt": "1", "state": "sending", "worker": "host:1"})
        ended.append(of | _settled(n))

    late: list[list[Entry]] = [[]] * min(UNDER_WAY, mails) + [[each] for each in ended]
    early = [[each] for each in begun] + [[]] * min(UNDER_WAY, mails)
    return [taken, *(one + other for one, other in zip(early, late, strict=True))]


def _add(admin: Admin, tenant: str) -> tuple[str, Sealer]:
    admin.add_tenant(tenant)
    made = admin.add_customer_owned_app(
        tenant,
        "default",
        service_account=f"sa@{tenant}.iam.gserviceaccount.com",
        mailbox=f"reviews@{tenant}.example",
        limits=GoogleLimits(),
        valid_days=30,
    )
    admin.save(made.working(key_id=f"key of {tenant}"))
    with admin.db() as db:
        return made.id, Sealer(registry.get_tenant(db, tenant).public_key)


def _enqueued(sealer: Sealer, n: int, job: str, tenant: str) -> Entry:
    payload = {
        "tenant": tenant,
        "kind": "reminder",
        "to": f"Reviewer{n}@people.example",
        "name": f"Reviewer Number {n}",
        "campaign": "2026-q4",
        "campaign_name": "Quarterly access review",
        "due_at": "2099-12-11T17:00:00+01:00",
        "pending": n % 7 + 1,
        "completed": 3,
        "link": f"https://iga.example/reviews/{n}",
    }
    return {
        "type": "enqueued",
        "kind": "reminder",
        "campaign": "2026-q4",
        "state": "ready",
        "reason": "",
        "dedupe": f"{tenant}:{n:032x}",
        "fingerprint": f"{n:064x}",
        "send_at": "",
        "expires_at": "4100000000000",
        "priority": "5",
        "body": sealer.seal(json.dumps(payload).encode(), tenant=tenant, job=job, now=time.time()),
    }


def _settled(n: int) -> Entry:
    detail = {
        "outcome": "accepted",
        "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "http_status": 200,
        "gmail_id": f"{n:016x}",
        "gmail_thread_id": f"{n:016x}",
        "latency_ms": 150,
        "key_id": "key of the worker",
        "connection_version": 2,
    }
    return {
        "type": "settled",
        "attempt": "1",
        "outcome": "accepted",
        "state": "accepted",
        "reason": "",
        "detail": json.dumps(detail),
        "held": "0",
    }


def put(redis: Redis, portion: list[Entry]) -> None:
    """Append events to the ledger's stream, with the time."""
    with redis.pipeline(transaction=False) as pipe:
        for each in portion:
            pipe.xadd(redis_keys.EVENTS, {"at": str(round(time.time() * 1000)), **each})
        pipe.execute()
