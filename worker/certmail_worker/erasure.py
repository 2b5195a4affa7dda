"""Erasing a person: what waits for an address is called off, and the record forgets whom it was about.

Read `erase` from top to bottom. Interrupted at any point, it is run again. What an application enqueues afterwards is new.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import select, update

from certmail_config import keys
from certmail_config.addresses import recorded_address
from certmail_config.errors import Refused
from certmail_config.ids import JobId
from certmail_config.ledger import Cancellation, cancel, close, run
from certmail_config.office import Office
from certmail_config.sql import tables
from certmail_config.states import FINAL, State
from certmail_worker.contents import with_content
from certmail_worker.lineage import order
from certmail_worker.record import START, read_cursor
from certmail_worker.wiping import wipe

MARGIN_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.25
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Erased:
    """Of how many deliveries the recipient was taken out; how many were called off, and how many closed as unknown.

    `remains` says where the address still is, though nobody would find it there.
    """

    deliveries: int
    cancelled: int
    uncertain: int
    remains: tuple[str, ...] = ()


def erase(
    office: Office, address: str, by: str, progress: Progress, *, patience: float | None = None
) -> Erased:
    """Erase an address from both stores; raises Refused when something stays under way, or unrecorded, for too long.

    `patience`: for so many seconds; without it for as long as what is under way may take.
    """
    deadline = time.monotonic() + (patience or office.settings.lease_seconds + MARGIN_SECONDS)
    reason, address = f"erased: {by}", recorded_address(address)
    # Only the record knows whom a reminder is for: what it has not read yet would not be found.
    known = _newest_event(office)
    _wait(lambda: _unrecorded(office, known), deadline, progress)
    jobs = with_content(office.redis, _unfinished(office, address))
    results = [run(office.redis, cancel(job, reason)) for job in jobs]
    _wait(lambda: _sending(office, jobs), deadline, progress)
    closed = [run(office.redis, close(job, reason)) for job in jobs]
    ended = _newest_event(office)
    _wait(lambda: _unrecorded(office, ended), deadline, progress)
    record = tables.deliveries
    with office.db() as db:
        erased = db.execute(update(record).where(record.c.recipient == address).values(recipient=None))
    _cut_stream(office)
    called_off = results.count(Cancellation.CANCELLED)
    return Erased(erased.rowcount, called_off, sum(closed), tuple(wipe(office)))


def _unfinished(office: Office, address: str) -> list[JobId]:
    record = tables.deliveries.c
    ended = sorted(FINAL)
    with office.db() as db:
        found = db.execute(
            select(record.job).where(record.recipient == address, record.state.not_in(ended))
        ).scalars()
        return [JobId(job) for job in found]


def _sending(office: Office, jobs: list[JobId]) -> str:
    """What is left of requests that are under way."""
    with office.redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(keys.JOB + job, "state")
        count = pipe.execute().count(State.SENDING.encode())
    return f"reminders that are under way: {count}" if count else ""


def _newest_event(office: Office) -> str:
    newest = cast("list[Any]", office.redis.xrevrange(keys.EVENTS, count=1))
    return str(newest[0][0].decode()) if newest else START


def _unrecorded(office: Office, event: str) -> str:
    return "the record is not up to date yet" if order(read_cursor(office.engine)) < order(event) else ""


def _cut_stream(office: Office) -> None:
    """The stream keeps some of what is recorded for a while, sealed contents among it: cut it just before the cursor's event."""
    office.redis.xtrim(keys.EVENTS, minid=read_cursor(office.engine), approximate=False)


def _wait(left: Callable[[], str], deadline: float, progress: Progress) -> None:
    shown = ""
    while words := left():
        if time.monotonic() > deadline:
            raise Refused(
                "still_under_way",
                f"Waited in vain: {words}. Nothing is erased yet.",
                "See that a worker runs and reaches the database (`certmail doctor`); then run the command again.",
            )
        if words != shown:
            progress(f"Waiting: {words}")
            shown = words
        time.sleep(PAUSE_SECONDS)
