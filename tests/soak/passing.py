"""How days pass in a soak.

What certmail counts in seconds (leases, time-outs, limits, cool-downs) passes as ever. What it
counts in days is made to pass by hand, each compressed hour: the time that Redis keeps what has
ended is shortened, retention is asked what it would forget that much later, and a person looks after
what is held; each day one certificate is renewed. Records are read into the soak's own book before
they are forgotten.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from typing import Final, cast

from redis import Redis

from certmail_config.admin.settling.manual_resolution import ManualDecision, resolve
from certmail_config.base import redis_keys
from certmail_config.base.errors import StoresUnreachable
from certmail_config.sql import registry
from certmail_config.status.uncertain import list_uncertain
from certmail_config.tenants.models import DEFAULT_NAME
from certmail_worker.services.retention import forget
from chaos.retrying import BUSY
from soak.book import Book
from soak.facts import Tenants, mailbox_of
from soak.system import System
from soak.week import HOURS, NOON, Week

KEPT_FOR_DAYS: Final = (redis_keys.JOB, redis_keys.DEDUPE, redis_keys.IDEMPOTENCY)
PAGE: Final = 1_000
LOOK_SECONDS: Final = 10.0
"""What is uncertain for less long may still arrive: nobody looks for it yet."""
LEFT: Final = 5
"""Every so-many-th is left to retention, which closes it."""
DAY: Final = timedelta(days=1)


class Days(threading.Thread):
    """A thread that lets hours pass.

    Attributes:
        forgotten: How much retention has forgotten, of each kind.
        decided: How often a person decided what.
        renewed: How many certificates were renewed.
    """

    def __init__(
        self, system: System, week: Week, tenants: Tenants, book: Book, over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.forgotten: Counter[str] = Counter()
        self.decided: Counter[str] = Counter()
        self.renewed = 0
        self.wrong: list[str] = []
        self._system, self._week, self._book, self._over = system, week, book, over
        self._certificates = cycle(tenants.looked_up + tenants.blind)

    def run(self) -> None:
        for hour in count(1):
            if self._over.wait(max(self._week.hour, 1.0)):
                return
            try:
                self.pass_one()
                if hour % HOURS == NOON:
                    self._renew(next(self._certificates))
            except (*BUSY, StoresUnreachable) as error:
                self.wrong.append(f"an hour did not pass: {type(error).__name__}: {error}")

    def pass_one(self, *, everything: bool = False) -> None:
        """Let an hour pass; a person then looks after `everything`."""
        self._decide(everything=everything)
        kept = timedelta(seconds=self._week.remembered)
        _shorten(self._system.place.admin.redis, kept)

        # What is deleted was read before: of a later moment nothing is forgotten.
        now = datetime.now(UTC)
        self._book.read()
        done = forget(self._system.place.admin, now + DAY - kept)
        self.forgotten.update(records=done.records, payloads=done.payloads)

    def _renew(self, tenant: str) -> None:
        """Make a tenant's next certificate, and upload it; the caretaker lets it take over."""
        place = self._system.place
        with place.admin.db() as db:
            connection = registry.find_connection(db, tenant, DEFAULT_NAME)
        assert connection is not None, "nobody has removed it"
        made = place.admin.rotate(connection.id, valid_days=30)
        path = f"/service-accounts/{connection.service_account}/keys"
        place.control("POST", path, made.next_certificate)
        self.renewed += 1

    def _decide(self, *, everything: bool) -> None:
        """Look after what waits for a person, as one does: into the mailbox first."""
        admin = self._system.place.admin
        with admin.db() as db:
            found = list_uncertain(db, admin.redis, tenant=None, campaign=None, limit=PAGE)

        before = datetime.now(UTC) - timedelta(seconds=LOOK_SECONDS)
        waiting = [
            row
            for row in found
            if row["waits_for"] == "a person"
            and row["updated_at"] < before
            and (everything or int(row["job"][-4:], 16) % LEFT)
        ]
        for tenant in {row["tenant"] for row in waiting}:
            sent = self._sent(tenant)
            for row in waiting:
                if row["tenant"] == tenant:
                    decision = (
                        ManualDecision.ARRIVED if row["job"] in sent else ManualDecision.SEND_AGAIN
                    )
                    resolve(admin.redis, [row["job"]], decision, "settled_by_hand: by the soak")
                    self.decided[str(decision)] += 1

    def _sent(self, tenant: str) -> set[str]:
        path = f"/requests?mailbox={mailbox_of(tenant)}&path=/messages/send"
        asked = self._system.place.control("GET", path)
        return {str(item["certmail_id"]) for item in asked if item["accepted"]}


def _shorten(redis: Redis, kept: timedelta) -> None:
    """Let go sooner what is kept for days."""
    milliseconds = int(kept.total_seconds() * 1000)
    names = (
        name
        for name in redis.scan_iter(f"{redis_keys.TAG}:*", count=PAGE)
        if name.decode().startswith(KEPT_FOR_DAYS)
    )

    for page in _pages(names):
        with redis.pipeline(transaction=False) as pipe:
            for name in page:
                pipe.pttl(name)
            left = cast("list[int]", pipe.execute())
        with redis.pipeline(transaction=False) as pipe:
            for name, ms in zip(page, left, strict=True):
                if ms > milliseconds:
                    pipe.pexpire(name, milliseconds)
            pipe.execute()


def _pages(names: Iterator[bytes]) -> Iterator[Sequence[bytes]]:
    while page := list(islice(names, PAGE)):
        yield page
