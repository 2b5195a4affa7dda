"""Deliveries and attempts as the events alone make them: a judge of the recorder.

It shares no code with the recorder.

What is not in the events (recipients, mailboxes, the certificate that the recorder looked up) is
left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import Table, select

from certmail_config.sql import tables

NOT_TOLD = {"deliveries": {"recipient", "mailbox"}, "attempts": {"key_id"}}


@dataclass(slots=True)
class Refolded:
    """Rows by their keys."""

    deliveries: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)


def in_tables(db: Db) -> Refolded:
    """What the recorder made of them."""
    deliveries = {row["job"]: row for row in _rows(db, tables.deliveries)}
    return Refolded(deliveries, {(row["job"], row["n"]): row for row in _rows(db, tables.attempts)})


def refold(db: Db) -> Refolded:
    """What they make when they are read again, one after the other."""
    made = Refolded()
    order = (tables.events.c.stream_ms, tables.events.c.stream_n)
    for row in db.execute(select(tables.events).order_by(*order)).mappings():
        if row["job"] is not None:
            _take(made, row["type"], row["at"], row["job"], row["tenant"], json.loads(row["data"]))
    return made


def _take(
    made: Refolded, kind: str, at: datetime, job: str, tenant: str, data: dict[str, str]
) -> None:
    if kind == "enqueued":
        made.deliveries.setdefault(
            job,
            {
                "job": job,
                "tenant": tenant,
                "held": False,
                "possible_duplicate": False,
                "decided_by": None,
                "enqueued_at": at,
                "updated_at": at,
                "state": data["state"],
                "reason": data["reason"] or None,
                "campaign": data["campaign"] or None,
                **{name: _moment(data[name]) for name in ("send_at", "expires_at")},
                **{name: data[name] for name in ("connection", "kind", "dedupe", "fingerprint")},
            },
        )

        return

    delivery = made.deliveries[job]

    if "state" in data:
        reason = data.get("reason") or None
        held = data.get("held") == "1"
        delivery |= {"state": data["state"], "reason": reason, "held": held, "updated_at": at}
        for decision in ("cancelled: ", "settled_by_hand: "):
            if reason and reason.startswith(decision):
                delivery["decided_by"] = reason.removeprefix(decision)

    if data.get("possible_duplicate") == "1":
        delivery["possible_duplicate"] = True

    if kind == "begun":
        blank = dict.fromkeys(tables.attempts.c.keys())
        known = {"job": job, "n": int(data["attempt"]), "worker": data["worker"], "begun_at": at}
        made.attempts[job, int(data["attempt"])] = _told("attempts", blank | known)
    elif "attempt" in data and kind in {"settled", "reaped"}:
        _end(made.attempts[job, int(data["attempt"])], at, data)


def _end(attempt: dict[str, Any], at: datetime, data: dict[str, str]) -> None:
    detail = json.loads(data.get("detail", "{}"))
    ended = (
        datetime.fromisoformat(detail["ended_at"])
        if "ended_at" in detail
        else attempt["ended_at"] or at
    )
    attempt |= {
        "outcome": data.get("outcome", "unknown"),
        "reason": data.get("reason") or None,
        "ended_at": ended,
    }
    attempt |= {
        name: value
        for name, value in detail.items()
        if name in attempt and name not in {"outcome", "ended_at"}
    }


def _rows(db: Db, table: Table) -> Iterable[dict[str, Any]]:
    return [_told(table.name, dict(row)) for row in db.execute(select(table)).mappings()]


def _told(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in NOT_TOLD[table]}


def _moment(ms: str) -> datetime | None:
    return datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None
