"""A large record, made by the database itself.

One tenant has a tenth of all, many are small, and most of it was accepted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, text

from certmail_config.jobs.states import State

BIG: Final = "tenant-0"
BIG_CAMPAIGN: Final = "campaign-0"
RARE: Final = State.UNCERTAIN
QUIET: Final = "quiet"
"""A tenant with a twentieth of all, the oldest."""
SOMEBODY: Final = "reviewer-4242@people.example"

_DELIVERIES: Final = """
INSERT INTO deliveries (job, tenant, connection, kind, campaign, recipient, mailbox,
    state, reason, held, possible_duplicate,
    enqueued_at, expires_at, updated_at, dedupe, fingerprint)
SELECT id, tenant, 'c-' || tenant, 'reminder', 'campaign-' || (n / 10 % 20),
    'reviewer-' || (n % 100000) || '@people.example', 'reviews@' || tenant || '.example',
    state, CASE state WHEN 'accepted' THEN NULL ELSE 'mailbox_limited: Google refused it.' END,
    state = 'uncertain', false,
    at, at + interval '14 days', at + interval '3 seconds', tenant || ':' || md5(id), md5(n::text)
FROM (
    SELECT n,
        format(
            '01936b5e-%s-7000-8000-%s', lpad(to_hex(n / 65536), 4, '0'), lpad(n::text, 12, '0')
        ) AS id,
        CASE
            WHEN n <= CAST(:count AS bigint) / 20 THEN 'quiet'
            WHEN n % 10 = 0 THEN 'tenant-0'
            ELSE 'tenant-' || (n % 999 + 1)
        END AS tenant,
        CASE
            WHEN n % 1009 = 0 THEN 'uncertain'
            WHEN n % 101 = 0 THEN 'failed'
            WHEN n % 53 = 0 THEN 'expired'
            ELSE 'accepted'
        END AS state,
        CAST(:now AS timestamptz)
            - (CAST(:count AS bigint) - n) * interval '1 second'
            * (7776000.0 / CAST(:count AS bigint)) AS at
    FROM generate_series(1, CAST(:count AS bigint)) AS n
) AS numbers
"""
_ATTEMPTS: Final = """
INSERT INTO attempts
    (job, n, worker, begun_at, ended_at, outcome, http_status, gmail_id, latency_ms)
SELECT job, 1, 'host:1', enqueued_at + interval '1 second', updated_at, 'accepted', 200, md5(job), 180
FROM deliveries
"""
_EVENTS: Final = """
INSERT INTO events (stream_ms, stream_n, type, at, tenant, job, data)
SELECT row_number() OVER () + 1700000000000, part, happened,
    enqueued_at + part * interval '1 second', tenant, job,
    '{"state": "' || happened
        || '", "connection": "c", "reason": "", "attempt": "1", "worker": "host:1"}'
FROM deliveries, (VALUES (0, 'enqueued'), (1, 'begun'), (2, 'settled')) AS parts (part, happened)
"""


def fill(engine: Engine, count: int, now: datetime) -> None:
    """Fill empty tables with three months of so many deliveries.

    Each has an attempt and three events.
    """
    with engine.begin() as db:
        db.execute(text(_DELIVERIES), {"count": count, "now": now})
        db.execute(text(_ATTEMPTS))
        db.execute(text(_EVENTS))


def some_job(n: int) -> str:
    """The id of the n-th."""
    return f"01936b5e-{n // 65536:04x}-7000-8000-{n:012}"
