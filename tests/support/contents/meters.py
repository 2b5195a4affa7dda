"""What a ledger in Redis has counted, which pauses it keeps, and what is wrong with either."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from certmail_config.base import redis_keys
from support.contents.dump import Dump
from support.model.meters import Day, Gate, Meter


def meters(dump: Dump) -> dict[str, Meter]:
    """Minutes and paces."""
    paces, windows = dump.hashes(redis_keys.PACE), dump.scores(redis_keys.WINDOW)
    return {
        name: _meter(paces.get(name, {}), windows.get(name, {}))
        for name in paces.keys() | windows.keys()
    }


def _meter(told: Mapping[str, str], window: dict[str, float]) -> Meter:
    return Meter(
        next=float(told.get("next", 0)),
        waited=float(told.get("waited", 0)),
        share=float(told.get("share", 1)),
        lowered_at=int(told.get("lowered_at", 0)),
        told=int(told.get("told", 0)),
        told_until=int(told.get("told_until", 0)),
        window=window,
    )


def days(dump: Dump) -> dict[str, Day]:
    """Slots in which something is counted."""
    return {
        name: Day(
            {
                int(slot): int(count)
                for slot, count in told.items()
                if slot.isdigit() and count != "0"
            }
        )
        for name, told in dump.hashes(redis_keys.DAY).items()
    }


def gates(dump: Dump, prefix: str) -> dict[str, Gate]:
    """Pauses of mailboxes or of projects."""
    return {
        name: Gate(
            cooling=int(told.get("cooling", 0)),
            cooled_at=int(told.get("cooled_at", 0)),
            cool_reason=told.get("cool_reason"),
            probe=told.get("probe") == "1",
            strikes=int(told.get("strikes", 0)),
            unknowns=int(told.get("unknowns", 0)),
            places=int(told["places"]) if "places" in told else None,
            places_at=int(told.get("places_at", 0)),
        )
        for name, told in dump.hashes(prefix).items()
    }


def faults(dump: Dump) -> Iterator[str]:
    """A sentence for each thing that is kept wrongly."""
    for name, told in dump.hashes(redis_keys.DAY).items():
        slots = {int(slot): int(count) for slot, count in told.items() if slot.isdigit()}
        if int(told["total"]) != sum(slots.values()):
            yield f"day of {name}: the total is not that of its slots: {told}"
        if any(slot < int(told["oldest"]) for slot in slots):
            yield f"day of {name}: older than the oldest: {told}"
        if min(slots.values(), default=0) < 0:
            yield f"day of {name}: given back more than there was: {told}"

    for prefix in (
        redis_keys.PACE,
        redis_keys.WINDOW,
        redis_keys.DAY,
        redis_keys.MAILBOX,
        redis_keys.PROJECT,
        redis_keys.TRIPPED,
    ):
        yield from (
            f"{prefix}{name} is kept for ever"
            for name, ttl in dump.lives(prefix).items()
            if ttl < 0
        )

    now = time.time() * 1000

    for prefix in (redis_keys.MAILBOX, redis_keys.PROJECT):
        lives, pauses = dump.lives(prefix), gates(dump, prefix)
        for name, gate in pauses.items():
            if now + lives[name] < gate.cooling:
                yield f"{prefix}{name} is forgotten before its pause is over"
