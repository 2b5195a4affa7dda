"""One worker of a fleet is the keeper.

Killed, frozen, or two at once: every reminder leaves once, and at Google's pace.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import select

from certmail import Receipt, Reminder
from certmail_config.base import redis_keys
from certmail_config.sql import tables
from certmail_worker.services import keeper
from support.deployment.deployment import STEADY, new_deployment, wait_for
from support.deployment.many_tenants import ManyTenants, many_tenants
from support.processes.halt import Process, freeze, thaw

TENANTS = ("amber", "birch", "cedar", "delta")
EACH = 8
"""So many reminders in each lane take a quarter of a minute, at the pace of their project."""
A_MINUTE = 120
"""So many requests may the project make; the mailboxes would a few more together."""
MADE_UP_SECONDS = 5
"""A fleet makes up for 2.5 s of its own lateness, and for as much again that reminders give back."""
PROMISED_SECONDS = 5
"""After so long another than a killed keeper has let mail leave."""
PATIENT = {  # a request under way in a worker that is frozen is neither given up nor in doubt
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": "90",
    "CERTMAIL_SEND_WINDOW_SECONDS": "6",
    "CERTMAIL_LEASE_SECONDS": "120",
}
UNDER_ONE_NAME = """
from certmail_worker.services import keeper
ask = keeper.keep
keeper.keep = lambda worker, *, seconds: ask("any", seconds=seconds)
"""
"""Who asks for the lease under the name that another has it by is told that he is the keeper."""


@dataclass(slots=True)
class Fleet:
    """Several workers, and four tenants whose mailboxes share one Google Cloud project."""

    many_tenants: ManyTenants
    workers: list[Process]

    def remind(self, each: int) -> list[str]:
        """Enqueue so many new reminders in each lane; gives the jobs."""
        reminders = [
            Reminder(tenant=tenant, to=f"{uuid4().hex}@people.example")
            for _ in range(each)
            for tenant in TENANTS
        ]
        receipts = list(self.many_tenants.mailer.send_many(reminders))
        return [receipt.id for receipt in receipts if isinstance(receipt, Receipt)]

    def process(self, worker: str) -> Process:
        """The process of a worker: its number is part of the worker's name."""
        [found] = [each for each in self.workers if each.pid == int(worker.split(":")[-2])]
        return found

    def lease_holder(self) -> str | None:
        """Who has the keeper's lease."""
        found = cast("bytes | None", self.many_tenants.admin.redis.get(redis_keys.KEEPER))
        return found.decode() if found else None

    def another_keeper(self, than: str = "") -> str:
        """Wait until another has the lease; gives its name."""
        found: list[str] = []

        def has_it() -> bool:
            if (holder := self.lease_holder()) and holder != than:
                found.append(holder)
            return bool(found)

        wait_for("a keeper", has_it)
        return found[0]

    def lease_left(self) -> float:
        """For how many seconds more the keeper's lease holds, if nobody renews it."""
        left: Any = self.many_tenants.admin.redis.pttl(redis_keys.KEEPER)
        return float(left) / 1000

    def reported(self) -> dict[str, float]:
        """When each worker last said that it lives, as it does before it asks for the lease."""
        alive: Any = self.many_tenants.admin.redis.zrange(
            redis_keys.WORKERS, 0, -1, withscores=True
        )
        return {worker.decode(): ends / 1000 - keeper.ADVERTISED_SECONDS for worker, ends in alive}

    def let_leave(self, jobs: Sequence[str]) -> list[float]:
        """When each of these was last let leave, on the ledger's clock, the earliest first."""
        with self.many_tenants.admin.redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.hget(redis_keys.JOB + job, "dispatched_at")
            return sorted(int(at) / 1000 for at in pipe.execute() if at)

    def times_begun(self) -> list[int]:
        """How often each worker began to be a keeper: more than once if it ceased to be one."""
        folder = self.many_tenants.deployment.data_dir
        logs = [(folder / f"worker-{n}.log").read_text() for n in range(len(self.workers))]
        lines = [[json.loads(line) for line in log.splitlines()] for log in logs]
        return [sum(line["event"] == "keeper" for line in log) for log in lines]

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

    def limit(self, *, mailbox: int, project: int) -> None:
        """Set the units a minute of each mailbox and of their project, at Google and with us."""
        limits = {"units_per_minute": mailbox, "project_units_per_minute": project}
        self.many_tenants.deployment.control("PUT", "/limits", limits)
        for connection in self.many_tenants.connections.values():
            self.many_tenants.admin.change_limits(connection.id, limits)


@contextmanager
def fleet(folder: Path, *, workers: int, before: str = "", **settings: str) -> Iterator[Fleet]:
    """Start so many workers; `before` is Python that each executes first."""
    with new_deployment(folder, **settings) as deployment, many_tenants(deployment) as made:
        for tenant in TENANTS:
            made.add(tenant, in_flight=4, project="certmail-it")
        found = Fleet(made, [])
        for n in range(workers):
            process = deployment.start(
                "certmail_worker", "worker", log=f"worker-{n}.log", before=before
            )
            found.workers.append(process)
        wait_for("all workers", lambda: deployment.workers() == workers)
        found.another_keeper()
        yield found


def kill_between_requests(ships: Fleet, worker: str) -> float:
    """SIGKILL for a worker while it has no request under way; gives when it did its last thing.

    That is on the ledger's clock, which is this machine's. Of a request under way nobody could know
    what became of it.
    """
    process = ships.process(worker)
    while True:
        wait_for("its requests to end", lambda: not ships.has_a_request_under_way(worker))
        freeze(process)
        stopped = time.time()
        time.sleep(0.05)  # what it wrote before is read by now

        if not ships.has_a_request_under_way(worker):
            process.kill()
            return stopped

        thaw(process)


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


def check_that_they_left_no_faster_than_one_lets_them(ships: Fleet, jobs: Sequence[str]) -> None:
    """The pace is that of one keeper: two that know nothing of each other would take half as long.

    However slow the machine is, it is never faster.
    """
    times = ships.let_leave(jobs)
    assert len(times) == len(jobs)

    for first, last in combinations(range(len(times)), 2):
        seconds = (last - first) * 60 / A_MINUTE
        assert times[last] - times[first] > seconds - MADE_UP_SECONDS
    assert ships.refused() == []


def test_when_the_keeper_is_killed_another_lets_mail_leave_in_five_seconds_and_each_arrives_once(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, workers=3, **STEADY) as ships:
        ships.limit(mailbox=15_000, project=200 * A_MINUTE)
        jobs = ships.remind(each=5)
        wait_for("mail from all", lambda: len(ships.arrived()) >= 2 * len(TENANTS))
        killed = ships.another_keeper()
        stopped = kill_between_requests(ships, killed)
        let_leave_before = ships.let_leave(jobs)
        arrived_before = ships.arrived() | ships.leased()
        assert ships.lease_left() <= keeper.LEASE_SECONDS
        jobs += ships.remind(each=4)
        reported: defaultdict[str, set[float]] = defaultdict(set)

        def another_let_leave() -> bool:
            for worker, at in ships.reported().items():
                reported[worker].add(at)
            return ships.let_leave(jobs)[-1] > let_leave_before[-1]

        wait_for("mail that another lets leave", another_let_leave)
        first = min(at for at in ships.let_leave(jobs) if at > let_leave_before[-1])
        # On a machine that makes each second of theirs a longer one it takes longer by as much.
        seconds = [
            after - at for times in reported.values() for at, after in pairwise(sorted(times))
        ]
        slowness = max(1.0, *seconds) / keeper.RENEW_SECONDS
        assert first - stopped < PROMISED_SECONDS * slowness

        wait_for("its arrival", lambda: bool(ships.arrived() - arrived_before))
        check_that_each_was_sent_and_recorded_once(ships, jobs)


@pytest.mark.timeout(240)
def test_a_keeper_that_was_frozen_for_longer_than_its_lease_wakes_beside_another_and_does_no_harm(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, workers=2, **PATIENT) as ships:
        ships.limit(mailbox=3_200, project=100 * A_MINUTE)
        jobs: list[str] = []

        for _ in range(2):
            freeze_and_wake_the_keeper(ships, jobs)

        check_that_each_was_sent_and_recorded_once(ships, jobs)
        check_that_they_left_no_faster_than_one_lets_them(ships, jobs)


def freeze_and_wake_the_keeper(ships: Fleet, jobs: list[str]) -> None:
    """While mail waits; adds to the jobs. The other lets mail leave beside it, before and after."""
    let_leave_before = len(jobs)
    jobs += ships.remind(each=2)
    wait_for(
        "mail that the keeper let leave", lambda: len(ships.let_leave(jobs)) > let_leave_before
    )
    frozen = ships.another_keeper()
    process = ships.process(frozen)
    freeze(process)

    try:
        since = time.monotonic()
        left = ships.lease_left()
        let_leave_before = len(ships.let_leave(jobs))
        jobs += ships.remind(each=2)
        ships.another_keeper(than=frozen)
        assert time.monotonic() - since >= left, "as long as the lease held there was no other"

        wait_for(
            "mail that the other let leave", lambda: len(ships.let_leave(jobs)) > let_leave_before
        )
        reported = ships.reported().get(frozen, 0)
        jobs += ships.remind(each=1)
    finally:
        thaw(process)

    # That it does no harm is what is looked for.
    wait_for("it to ask for the lease", lambda: ships.reported().get(frozen, 0) > reported)
    wait_for("all mail to leave", lambda: len(ships.let_leave(jobs)) == len(jobs))


@pytest.mark.timeout(240)
def test_two_keepers_at_once_send_each_reminder_once_and_no_faster_than_one(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path, workers=2, before=UNDER_ONE_NAME, **STEADY) as ships:
        ships.limit(mailbox=3_200, project=100 * A_MINUTE)
        wait_for("two keepers", lambda: ships.times_begun() == [1, 1])
        jobs = ships.remind(each=EACH)

        check_that_each_was_sent_and_recorded_once(ships, jobs)
        check_that_they_left_no_faster_than_one_lets_them(ships, jobs)
        assert ships.times_begun() == [1, 1], "each was a keeper all the time"
