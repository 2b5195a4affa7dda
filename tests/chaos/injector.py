"""Carrying a plan out against a running deployment; each blow is noted with its time."""

from __future__ import annotations

import heapq
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, Final

from chaos import reading
from chaos.abuser import NICENESS
from chaos.cutter import Cutter
from chaos.facts import Trouble
from chaos.fleet import Fleet
from chaos.garbage import GarbageThrower
from chaos.plan import LEASE_SECONDS, Blow, Cut, Fault, Kind
from chaos.retrying import BUSY, patiently
from support.deployment.deployment import Deployment
from support.processes.halt import Process, kill
from support.servers.postgres import Postgres
from support.servers.restorable import Server

TICK_SECONDS: Final = 0.05
WORST_SECONDS: Final = 1.0
"""How long the worst moment for a freeze is waited for."""
LOCK_SECONDS: Final = 0.3
"""So long the storm stands still for the database's lock, each time that it tries."""
AGAIN_SECONDS: Final = 0.5
"""The pause before what did not come about is tried again.

Others hold the database, or a process is slow.
"""
LAST_SECONDS: Final = 60.0
"""So long a blow, or its end, is tried; then it is noted as one that did not fall."""
Action = Callable[[], None]


def nothing() -> None:
    """What some blows need for their end."""


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """An action that is due at a time of its own, and tried until another.

    One that `ends` a blow must not be left out.
    """

    at: float
    number: int
    act: Action = field(compare=False)
    what: str = field(compare=False)
    until: float = field(compare=False)
    ends: bool = field(compare=False, default=False)


@dataclass(slots=True)
class Injector:
    """What can be hit, and what was."""

    place: Deployment
    redis: Server
    between: Cutter
    fleet: Fleet
    tenants: Sequence[str]
    troubles: list[Trouble] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """What of the storm's own did not come about, and why."""
    database: Postgres | None = None
    """Where the record is; None: SQLite, in the place's folder."""
    gateway: Process | None = None
    garbage: GarbageThrower | None = None
    _away: bool = False
    _stopped: bool = False
    _gateway_again: float = 0.0
    _locked: sqlite3.Connection | None = None
    _next: list[Step] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def fall(self, plan: Sequence[Blow], tick: Action) -> None:
        """Carry the plan out; `tick` is called all the while."""
        began, rest = time.monotonic(), list(plan)
        while rest or self._next:
            now = time.monotonic()
            while self._next and self._next[0].at <= now:
                self._try(heapq.heappop(self._next))

            while rest and began + rest[0].at <= now:
                blow = rest.pop(0)
                self._try(
                    self._step(0, partial(self._strike, blow), f"{blow.kind} {blow.what}".strip())
                )

            self._guarded(self.mind, "minding the processes")
            self._guarded(tick, "saying how it goes")
            time.sleep(TICK_SECONDS)

    def mind(self) -> None:
        """Start again what ended by itself: workers, and a gateway that found no database."""
        self.fleet.mind()
        ended = self.gateway is not None and self.gateway.poll() not in {None, -signal.SIGKILL}
        if ended and time.monotonic() >= self._gateway_again:
            self._gateway_again = time.monotonic() + AGAIN_SECONDS
            self._start_gateway()

    def over(self) -> None:
        """End whatever is not over yet, and call Google's faults off."""
        while self._next:
            step = heapq.heappop(self._next)
            if step.ends:
                self._last(step.act, step.what)
        self._last(self.fleet.thaw, "thawing the workers")
        self._last(lambda: self.place.control("DELETE", "/faults"), "calling Google's faults off")

    def _strike(self, blow: Blow) -> None:
        end = self._begin(blow)
        what = f"the end of {blow.kind} {blow.what}".strip()
        heapq.heappush(self._next, self._step(blow.seconds, end, what, ends=True))

    def _step(self, seconds: float, act: Action, what: str, *, ends: bool = False) -> Step:
        at = time.monotonic() + seconds
        return Step(at, next(self._numbers), act, what, until=at + LAST_SECONDS, ends=ends)

    def _try(self, step: Step) -> None:
        """Do it; what the load of the storm hinders is tried again, while the storm goes on."""
        try:
            step.act()
        except BUSY as error:
            again = time.monotonic() + AGAIN_SECONDS
            if again < step.until:
                heapq.heappush(self._next, replace(step, at=again))
            else:
                self._miss(step.what, error)

    def _guarded(self, act: Action, what: str) -> None:
        try:
            act()
        except BUSY as error:
            self._miss(what, error)

    def _last(self, act: Callable[[], object], what: str) -> None:
        try:
            patiently(act, seconds=LAST_SECONDS)
        except BUSY as error:
            self._miss(what, error)

    def _miss(self, what: str, error: Exception) -> None:
        words = str(error).strip().splitlines()
        self.missed.append(f"{what}: {type(error).__name__}{f': {words[0]}' if words else ''}")

    def _begin(self, blow: Blow) -> Action:
        """Strike; gives what ends it."""
        match blow.kind:
            case Kind.KILL:
                self.fleet.kill(blow.target)
                return nothing
            case Kind.KEEPER:
                keeper = self.fleet.place_of(reading.keeper(self.redis.url))
                self.fleet.kill(blow.target if keeper is None else keeper)
                return nothing
            case Kind.FREEZE:
                return self.fleet.freeze(self._worst(blow))
            case Kind.REDIS:
                return self._kill_redis()
            case Kind.CUT:
                return self._cut(Cut(blow.what))
            case Kind.GATEWAY:
                return self._kill_gateway()
            case Kind.SQL:
                return self._lock() if self.database is None else self._stop(self.database)
            case Kind.GOOGLE:
                self._order(blow)
                return nothing
            case Kind.GARBAGE:
                return self.garbage.throw(blow) if self.garbage else nothing

    def _noted(self, kind: Kind, end: Action) -> Action:
        began = time.time()

        def ended() -> None:
            end()
            self.troubles.append(Trouble(kind, began, time.time()))

        return ended

    def _worst(self, blow: Blow) -> int:
        """The worker to freeze: for longer than a lease, best one that is about to begin."""
        deadline = time.monotonic() + WORST_SECONDS
        while blow.seconds > LEASE_SECONDS and not self._away and time.monotonic() < deadline:
            found = self.fleet.place_of(reading.preparing(self.place.admin.redis))
            if found is not None:
                return found
        return blow.target

    def _kill_redis(self) -> Action:
        if self._away:
            return nothing

        def back() -> None:
            self.redis.start()
            self._away = False

        end = self._noted(Kind.REDIS, back)
        self._away = True
        self.redis.kill()
        return end

    def _cut(self, how: Cut) -> Action:
        end = self._noted(Kind.CUT, self.between.mend)
        match how:
            case Cut.CUT:
                self.between.cut()
            case Cut.SWALLOW:
                self.between.lose_answers()
            case Cut.HOLD:
                self.between.hold()
        return end

    def _kill_gateway(self) -> Action:
        if self.gateway is None or self.gateway.poll() is not None:
            return self._start_gateway
        end = self._noted(Kind.GATEWAY, self._start_gateway)
        kill(self.gateway)
        self.gateway.wait()
        return end

    def _start_gateway(self) -> None:
        if self.gateway is None or self.gateway.poll() is not None:
            url = {"CERTMAIL_REDIS_URL": self.between.url}
            self.gateway = self.place.start("certmail_worker", "gateway", log="gateway.log", **url)
            make_way(self.gateway)

    def _lock(self) -> Action:
        """Lock the database, if nobody else has it.

        Where others write all the time this is tried again and again, while the storm goes on.
        """
        if self._locked is not None:
            return nothing

        database = sqlite3.connect(
            self.place.data_dir / "certmail.sqlite", isolation_level=None, timeout=LOCK_SECONDS
        )
        try:
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            database.close()
            raise

        self._locked = database

        def release() -> None:
            database.execute("ROLLBACK")
            database.close()
            self._locked = None

        return self._noted(Kind.SQL, release)

    def _stop(self, database: Postgres) -> Action:
        if self._stopped:
            return nothing

        def back() -> None:
            database.start()
            self._stopped = False

        end = self._noted(Kind.SQL, back)
        self._stopped = True
        database.stop()
        return end

    def _order(self, blow: Blow) -> None:
        mailbox = f"reviews@{self.tenants[blow.target]}.example"
        self.place.control("POST", "/faults", _as_ordered(Fault(blow.what), mailbox, blow))


def _as_ordered(fault: Fault, mailbox: str, blow: Blow) -> dict[str, Any]:
    """A fault as the sandbox takes it."""
    hits = {"mailbox": mailbox, "path": "/messages/send"}
    order: dict[str, Any] = {"match": hits, "fault": str(fault), "times": blow.times}

    match fault:
        case Fault.SLOWER:
            return order | {"fault": _answer(429, "rateLimitExceeded", "Rate Limit Exceeded")}
        case Fault.SERVER_ERROR:
            return order | {"fault": _answer(500, "backendError", "Internal error encountered.")}
        case Fault.REFUSED:
            return order | {"fault": _answer(400, "invalidArgument", "Invalid To header")}
        case Fault.NO_TOKEN:
            return order | {"fault": "503", "match": {"mailbox": mailbox, "path": "/token"}}
        case Fault.DEADLINE:
            return {"match": hits, "fault": str(fault), "seconds": blow.seconds}
        case Fault.LATE | Fault.SLOW:
            return order | {"seconds": blow.seconds}
        case _:
            return order


def _answer(status: int, reason: str, message: str) -> dict[str, Any]:
    """An answer in Google's own form."""
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return {
        "status": status,
        "headers": {"Content-Type": "application/json"},
        "body": {"error": error},
    }


def make_way(gateway: Process) -> None:
    """Let a gateway leave the cores to whoever delivers: elsewhere it has a machine of its own."""
    os.setpriority(os.PRIO_PROCESS, gateway.pid, NICENESS)
