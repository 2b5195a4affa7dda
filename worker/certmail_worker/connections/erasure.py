"""Erasing a person: reminders that wait are called off, and the record forgets the address.

Read `erase` from top to bottom. Interrupted at any point, it is run again. What an application
enqueues afterwards is new.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from certmail_config.admin.admin import Admin
from certmail_config.admin.campaigns.forgetting import forget_person
from certmail_config.base import redis_keys
from certmail_config.base.addresses import recorded_address
from certmail_config.base.ids import JobId
from certmail_config.jobs.states import FINAL, State
from certmail_config.ledger import Cancellation, cancel, close, run
from certmail_config.sql import tables
from certmail_worker.connections.draining import (
    Patience,
    Progress,
    longest_wait,
    newest_event,
    under_way,
    unrecorded,
)
from certmail_worker.connections.payloads import with_payload
from certmail_worker.connections.wiping import wipe
from certmail_worker.recording.writer import read_cursor


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done about the deliveries to an address.

    Of how many the recipient was taken out; how many were called off, and how many closed as
    unknown; how many reviewers of campaigns that run were removed.

    `remains` says where the address still is, though nobody would find it there.
    """

    deliveries: int
    cancelled: int
    uncertain: int
    remains: tuple[str, ...] = ()
    reviewers: int = 0


def erase(
    admin: Admin, address: str, by: str, progress: Progress, *, patience: float | None = None
) -> Erased:
    """Erase an address from both stores; raises Refused when something takes too long.

    That is, when something stays under way, or unrecorded. `patience`: for so many seconds; without
    it for as long as what is under way may take.
    """
    waiting = Patience(
        longest_wait(admin.settings) if patience is None else patience,
        progress,
        "Nothing is erased yet.",
        "See that a worker runs and reaches the database (`certmail doctor`); then run the command again.",
    )
    reason, address = f"erased: {by}", recorded_address(address)

    # First: the planner would make others of what is called off.
    forgotten = forget_person(admin, address)
    # Only the record knows whom a reminder is for: what it has not read yet would not be found.
    _wait_for_record(admin, waiting)

    jobs = with_payload(admin.redis, _unfinished(admin, address))
    results = [run(admin.redis, cancel(job, reason)) for job in jobs]
    called_off = results.count(Cancellation.CANCELLED)
    waiting.wait(lambda: _sending(admin, jobs))
    closed = [run(admin.redis, close(job, reason)) for job in jobs]
    _wait_for_record(admin, waiting)

    record = tables.deliveries
    with admin.db() as db:
        erased = db.execute(
            update(record).where(record.c.recipient == address).values(recipient=None)
        )
    _cut_stream(admin)

    owned = [
        f"The campaign {each} names it as its owner: run it again with another owner, or remove it."
        for each in forgotten.owned
    ]
    remains = (*owned, *wipe(admin))
    return Erased(erased.rowcount, called_off, sum(closed), remains, forgotten.reviewers)


def _unfinished(admin: Admin, address: str) -> list[JobId]:
    record = tables.deliveries.c
    ended = sorted(FINAL)
    with admin.db() as db:
        found = db.execute(
            select(record.job).where(record.recipient == address, record.state.not_in(ended))
        ).scalars()
        return [JobId(job) for job in found]


def _sending(admin: Admin, jobs: list[JobId]) -> str:
    """What is left of requests that are under way."""
    with admin.redis.pipeline(transaction=False) as pipe:
        for job in jobs:
            pipe.hget(redis_keys.JOB + job, "state")
        return under_way(pipe.execute().count(State.SENDING.encode()))


def _wait_for_record(admin: Admin, waiting: Patience) -> None:
    """Wait until all that has happened by now is recorded; raises Refused."""
    known = newest_event(admin.redis)
    waiting.wait(lambda: unrecorded(admin.engine, known))


def _cut_stream(admin: Admin) -> None:
    """Cut the stream just before the cursor's event.

    It keeps some of what is recorded for a while, sealed contents among it.
    """
    admin.redis.xtrim(redis_keys.EVENTS, minid=read_cursor(admin.engine), approximate=False)
