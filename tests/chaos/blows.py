"""Carrying a plan out against a running deployment; each blow is noted with its time."""

from __future__ import annotations

import heapq
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from chaos import reading
from chaos.cutter import Cutter
from chaos.facts import Trouble
from chaos.fleet import Fleet
from chaos.plan import LEASE_SECONDS, Blow, Cut, Fault, Kind
from support.halt import Process, kill
from support.restorable import Server
from support.town import Town

TICK_SECONDS: Final = 0.05
WORST_SECONDS: Final = 1.0
"""How long the worst moment is waited for."""
Action = Callable[[], None]


def nothing() -> None:
    """What some blows need for their end."""


@dataclass(slots=True)
class Blows:
    """What can be hit, and what was."""

    place: Town
    redis: Server
    between: Cutter
    fleet: Fleet
    tenants: Sequence[str]
    troubles: list[Trouble] = field(default_factory=list)
    gateway: Process | None = None
    _away: bool = False
    _locked: sqlite3.Connection | None = None
    _ends: list[tuple[float, int, Action]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def fall(self, plan: Sequence[Blow], tick: Action) -> None:
        """Carry the plan out; `tick` is called all the while."""
        began, rest = time.monotonic(), list(plan)
        while rest or self._ends:
            now = time.monotonic()
            while self._ends and self._ends[0][0] <= now:
                heapq.heappop(self._ends)[2]()
            while rest and began + rest[0].at <= now:
                blow = rest.pop(0)
                end = self._begin(blow)
                heapq.heappush(self._ends, (time.monotonic() + blow.seconds, next(self._numbers), end))
            self.fleet.mind()
            tick()
            time.sleep(TICK_SECONDS)

    def over(self) -> None:
        """End whatever is not over yet, and call Google's faults off."""
        while self._ends:
            heapq.heappop(self._ends)[2]()
        self.fleet.thaw()
        self.place.control("DELETE", "/faults")

    def _begin(self, blow: Blow) -> Action:
        """Strike; gives what ends it."""
        match blow.kind:
            case Kind.KILL:
                self.fleet.kill(blow.target)
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
                return self._lock()
            case Kind.GOOGLE:
                self._order(blow)
                return nothing

    def _noted(self, kind: Kind, end: Action) -> Action:
        began = time.time()

        def ended() -> None:
            end()
            self.troubles.append(Trouble(kind, began, time.time()))

        return ended

    def _worst(self, blow: Blow) -> int:
        """The worker that it is worst to stop for longer than a lease: one that is about to begin."""
        deadline = time.monotonic() + WORST_SECONDS
        while blow.seconds > LEASE_SECONDS and not self._away and time.monotonic() < deadline:
            found = self.fleet.place_of(reading.preparing(self.place.office.redis))
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

    def _lock(self) -> Action:
        if self._locked is not None:
            return nothing
        database = sqlite3.connect(self.place.data_dir / "certmail.sqlite", isolation_level=None, timeout=5)
        database.execute("BEGIN EXCLUSIVE")
        self._locked = database

        def release() -> None:
            database.execute("ROLLBACK")
            database.close()
            self._locked = None

        return self._noted(Kind.SQL, release)

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
    return {"status": status, "headers": {"Content-Type": "application/json"}, "body": {"error": error}}
