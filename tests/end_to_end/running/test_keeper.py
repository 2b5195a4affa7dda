"""One worker of a fleet is the keeper.

Killed, frozen, or two at once: every reminder leaves once, and at Google's pace.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from certmail import Receipt, Reminder
from certmail_config.base import redis_keys
from certmail_config.sql import tables
from support.deployment.deployment import QUICK, STEADY, new_deployment, wait_for
from support.deployment.many_tenants import ManyTenants, many_tenants

TENANTS = ("amber", "birch", "cedar", "delta")
LEASE_SECONDS = 3
"""How long a keeper that says nothing is still the keeper."""
EACH = 16
"""So many reminders in each lane take half a minute, at the pace of their project."""
A_MINUTE = 120
"""So many requests may the project make; the mailboxes would a few more together."""


@dataclass(slots=True)
class Fleet:
    """Several workers, and four tenants whose mailboxes share one Google Cloud project."""

    many_tenants: ManyTenants

    def remind(self, each: int) -> list[str]:
        """Enqueue so many reminders in each lane; gives the jobs."""
        reminders = [
            Reminder(tenant=tenant, to=f"{n}@people.example")
            for n in range(each)
            for tenant in TENANTS
        ]
        receipts = list(self.many_tenants.mailer.send_many(reminders))
        return [receipt.id for receipt in receipts if isinstance(receipt, Receipt)]

    def keeper(self) -> str | None:
        """Who has the keeper's lease."""
        found = cast("bytes | None", self.many_tenants.admin.redis.get(redis_keys.KEEPER))
        return found.decode() if found else None

    def another_keeps(self, than: str, seconds: float = 10) -> str:
        """Wait until another has the lease; gives its name."""
        wait_for("another keeper", lambda: self.keeper() not in {None, than}, seconds)
        keeper = self.keeper()
        assert keeper is not None
        return keeper

    def leased(self) -> set[str]:
        """The jobs that a pacer let leave, and that have not ended yet."""
        found = cast("set[bytes]", self.many_tenants.admin.redis.smembers(redis_keys.LEASED))
        return {job.decode() for job in found}

    def arrived(self) -> set[str]:
        """The jobs whose mail is in Google's hands."""
        return set(self.many_tenants.deployment.copies())

    def has_a_request_under_way(self, worker: str) -> bool:
        """Whether the ledger knows of a request that this worker has begun."""
        jobs = [self.many_tenants.job(job) for job in self.leased()]
        return any(job["state"] == "sending" and job["worker"] == worker for job in jobs if job)

    def refused(self) -> list[dict[str, Any]]:
        """What the sandbox refused because a limit was reached."""
        asked = self.many_tenants.deployment.control("GET", "/requests")
        return [item for item in asked if item["status"] in {403, 429}]

    def seconds(self) -> float:
        """From the first mail's arrival to the last's."""
        times = [
            datetime.fromisoformat(message["at"]).timestamp()
            for message in self.many_tenants.deployment.messages()
        ]
        return max(times) - min(times)

    def limit(self, *, mailbox: int, project: int) -> None:
        """Set the units a minute of each mailbox and of their project, at Google and with us."""
        limits = {"units_per_minute": mailbox, "project_units_per_minute": project}
        self.many_tenants.deployment.control("PUT", "/limits", limits)
        for connection in self.many_tenants.connections.values():
            self.many_tenants.admin.change_limits(connection.id, limits)


@contextmanager
def fleet(folder: Path, *, workers: int, **settings: str) -> Iterator[Fleet]:
    with new_deployment(folder, **settings) as deployment, many_tenants(deployment) as made:
        for tenant in TENANTS:
            made.add(tenant, in_flight=4)
        for n in range(workers):
            deployment.start("certmail_worker", "worker", log=f"worker-{n}.log")
        found = Fleet(made)
        wait_for("all workers", lambda: deployment.workers() == workers)
        wait_for("a keeper", lambda: found.keeper() is not None)
        yield found


def pid(worker: str) -> int:
    """The process of a worker: it is part of its name."""
    return int(worker.split(":")[-2])


def kill_between_requests(ships: Fleet, worker: str) -> float:
    """SIGKILL for a worker while it has no request under way; gives when it did its last thing.

    That is a `time.monotonic()`. Of a request under way nobody could know what became of it.
    """
    while True:
        os.kill(pid(worker), signal.SIGSTOP)
        stopped = time.monotonic()
        time.sleep(0.05)  # what it wrote before is read by now

        if not ships.has_a_request_under_way(worker):
            os.kill(pid(worker), signal.SIGKILL)
            return stopped

        os.kill(pid(worker), signal.SIGCONT)
        time.sleep(0.02)


def check_that_each_was_sent_and_recorded_once(ships: Fleet, jobs: Sequence[str]) -> None:
    """Each is once in Google's hands, and once on record with all that happened to it."""
    many_tenants = ships.many_tenants
    many_tenants.deployment.wait_recorded(jobs, {"accepted"}, seconds=120)
    assert many_tenants.deployment.copies() == dict.fromkeys(jobs, 1)

    with many_tenants.admin.db() as db:
        events = db.execute(
            select(tables.events.c.type, tables.events.c.job, tables.events.c.data)
        ).all()
        attempts = db.execute(select(tables.attempts.c.job, tables.attempts.c.n)).all()

    happened = Counter(
        (event.type, event.job, json.loads(event.data).get("attempt"))
        for event in events
        if event.type in {"enqueued", "begun", "settled"}
    )
    assert set(happened.values()) == {1}
    assert {job for kind, job, _ in happened if kind == "enqueued"} == set(jobs)

    tried = {(job, str(n)) for job, n in attempts}
    assert {job for job, _ in tried} == set(jobs)
    assert {(job, n) for kind, job, n in happened if kind == "begun"} == tried
    assert {(job, n) for kind, job, n in happened if kind == "settled"} == tried

    doctor = many_tenants.deployment.ask("doctor")
    assert doctor["ok"], doctor


def check_that_they_left_no_faster_than_one_lets_them(ships: Fleet) -> None:
    """The pace is that of one keeper: two that know nothing of each other would take half as long.

    A little less than it should be is a machine that is slow at first.
    """
    assert ships.seconds() > 0.75 * len(TENANTS) * EACH * 60 / A_MINUTE
    assert ships.refused() == []


def test_when_the_keeper_is_killed_another_lets_mail_leave_in_five_seconds_and_each_arrives_once(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, workers=3, **QUICK) as ships:
        ships.limit(mailbox=15_000, project=1_200_000)
        jobs = ships.remind(each=25)
        wait_for("mail from all", lambda: len(ships.arrived()) >= 2 * len(TENANTS))
        keeper = ships.keeper()
        assert keeper is not None
        killed = kill_between_requests(ships, keeper)
        let_leave_before = ships.arrived() | ships.leased()
        assert len(let_leave_before) < len(jobs), "reminders wait in the lanes"

        ships.another_keeps(than=keeper, seconds=5)
        wait_for("mail that it let leave", lambda: bool(ships.arrived() - let_leave_before), 5)
        assert time.monotonic() - killed < 5
        check_that_each_was_sent_and_recorded_once(ships, jobs)


@pytest.mark.timeout(240)
def test_a_keeper_that_was_frozen_for_longer_than_its_lease_wakes_beside_another_and_does_no_harm(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, workers=2, **STEADY) as ships:
        ships.limit(mailbox=3_200, project=100 * A_MINUTE)
        jobs = ships.remind(each=EACH)

        for _ in range(2):
            frozen = ships.keeper()
            assert frozen is not None
            os.kill(pid(frozen), signal.SIGSTOP)

            try:
                since = time.monotonic()
                ships.another_keeps(than=frozen)
                before = ships.arrived() | ships.leased()
                # The function is called at once, while `before` is what it is here.
                wait_for("mail that the other let leave", lambda: bool(ships.arrived() - before))  # noqa: B023

                assert time.monotonic() - since > LEASE_SECONDS - 1.1, (
                    "it had renewed within the last second"
                )
            finally:
                os.kill(pid(frozen), signal.SIGCONT)

            time.sleep(4)  # that it does no harm is what is looked for

        assert len(ships.arrived()) < len(jobs), "it went on for as long as there was mail"
        check_that_each_was_sent_and_recorded_once(ships, jobs)
        check_that_they_left_no_faster_than_one_lets_them(ships)


@dataclass(slots=True)
class LostLease:
    """Takes the keeper's lease away as soon as anybody has it, so that all who want it get it.

    Notes who had it, and when: a worker asks for it each second, and runs its services from one yes
    to the next answer.
    """

    ships: Fleet
    taken: dict[str, list[float]] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def lost(self) -> Iterator[None]:
        thread = threading.Thread(target=self._take)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _take(self) -> None:
        redis = self.ships.many_tenants.admin.redis
        while not self._ended.wait(0.005):
            holder = cast("bytes | None", redis.getdel(redis_keys.KEEPER))
            if holder:
                self.taken.setdefault(holder.decode(), []).append(time.monotonic())


@pytest.mark.timeout(240)
def test_two_keepers_at_once_send_each_reminder_once_and_no_faster_than_one(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, workers=2, **STEADY) as ships:
        ships.limit(mailbox=3_200, project=100 * A_MINUTE)
        lease = LostLease(ships)
        with lease.lost():
            wait_for("two keepers", lambda: len(lease.taken) == 2)
            began = time.monotonic()
            jobs = ships.remind(each=EACH)
            wait_for("all mail", lambda: len(ships.arrived()) == len(jobs), 150)
            seconds = time.monotonic() - began
            check_that_each_was_sent_and_recorded_once(ships, jobs)

        check_that_they_left_no_faster_than_one_lets_them(ships)

        for worker, times in lease.taken.items():
            kept = [at for at in times if began <= at < began + seconds]
            assert len(kept) > 0.8 * seconds, f"{worker} was a keeper nearly all the time"
