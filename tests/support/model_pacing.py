"""The model's lanes, mailboxes and workers: what may leave, and when; and its time and events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, overload

from certmail_config.ids import ConnectionId, JobId
from certmail_config.ledger import Dispatched, Lane, Stop, Suspension, Tick
from certmail_config.ledger import transitions as real
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.states import State
from support.model_values import LEASED, Entry, Mailbox, Track

LEAP: Final = 60_000


@overload
def ms(seconds: float) -> int: ...
@overload
def ms(seconds: None) -> None: ...
@overload
def ms(seconds: float | None) -> int | None: ...
def ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


class Pacing:
    """The part of the model that knows no job's life."""

    noted: int
    checked: bool
    entries: dict[str, Entry]
    tracks: dict[str, Track]
    mailboxes: defaultdict[str, Mailbox]
    workers: dict[str, tuple[int, int]]
    visited: Sequence[str]
    events: list[dict[str, str]]

    def time(self, clock: float) -> tuple[int, bool]:
        """The ledger's time, which never goes back, and whether the clock has leapt ahead of it."""
        given = ms(clock)
        return max(given, self.noted), 0 < self.noted < given - LEAP

    def emit(self, now: int, kind: str, /, **fields: str) -> None:
        """Append an event; with it the time is noted, unless it leapt."""
        if self.noted == 0 or now <= self.noted + LEAP:
            self.noted = now
        self.events.append({"type": kind, "at": str(now), **fields})

    def tell(self, now: int, kind: str, entry: Entry, /, *names: str, **fields: str) -> None:
        """An event of a job: its state, what else is named of it as it is now, and more."""
        said = {name: getattr(entry, name) for name in names}
        if "held" in said:
            said["held"] = int(entry.held)
        described = {name: str(value) for name, value in said.items()}
        self.emit(now, kind, job=entry.id, tenant=entry.tenant, state=entry.state, **described, **fields)

    def dispatch(self, most: int, *, clock: float) -> Dispatched:
        now, leapt = self.time(clock)
        if leapt or not self.checked:
            return Dispatched((), None, Stop.CLOCK_LEAPT if leapt else Stop.UNCHECKED)
        self.workers = {name: (size, until) for name, (size, until) in self.workers.items() if until > now}
        leased = [entry for entry in self.entries.values() if entry.state in LEASED]
        capacity = sum(size for size, _ in self.workers.values()) - len(leased)
        bells = len(self.workers) * real.UNANSWERED_PER_WORKER - sum(entry.ringing for entry in leased)
        room, rung = min(capacity, bells, most), list[JobId]()
        for lane in self.visited:
            if len(rung) >= room:
                break
            rung += self._next_of(lane, now)
        return Dispatched(tuple(rung), None)

    def _next_of(self, lane: str, now: int) -> list[JobId]:
        """Lease the next job of a lane, if it may send now."""
        track = self.tracks[lane]
        mailbox, flying = self.mailboxes[track.mailbox], self.flying(track.mailbox)
        if track.state != "open" or max(mailbox.cooling, mailbox.next) > now:
            return []
        if len(flying) >= (1 if mailbox.probe else track.in_flight):
            return []
        for entry in self.waiting(lane):
            if entry.expires_at <= now:
                self.expire(entry, now)
                continue
            entry.state, entry.dispatched_at, entry.mailbox = State.DISPATCHED, now, track.mailbox
            entry.nonce, entry.worker = None, None
            entry.at = now + ms(real.DOORBELL_LEASE_SECONDS)
            mailbox.step(now, track.interval)
            return [JobId(entry.id)]
        return []

    def expire(self, entry: Entry, now: int) -> None:
        raise NotImplementedError

    def waiting(self, lane: str) -> list[Entry]:
        """The jobs of a lane, in the order in which they leave."""
        ready = (
            entry
            for entry in self.entries.values()
            if entry.state is State.READY and entry.connection == lane
        )
        return sorted(ready, key=lambda entry: entry.turn)

    def mailbox_of(self, entry: Entry) -> Mailbox:
        """That which it was leased for."""
        assert entry.mailbox is not None, entry
        return self.mailboxes[entry.mailbox]

    def flying(self, mailbox: str) -> list[Entry]:
        return [
            entry for entry in self.entries.values() if entry.state in LEASED and entry.mailbox == mailbox
        ]

    def advertise(
        self, worker: str, capacity: int, *, seconds: float, believe: bool = False, clock: float
    ) -> Tick:
        now, leapt = self.time(clock)
        leapt = leapt and not believe
        if not leapt:
            self.noted = now
        if capacity == 0:
            self.workers.pop(worker, None)
        elif not leapt:
            self.workers[worker] = (capacity, now + ms(seconds))
        return Tick(now / 1000, leapt)

    def set_lane(self, lane: Lane, *, code: str, message: str) -> bool:
        new = lane.connection not in self.tracks
        limits = (lane.tenant, lane.mailbox, lane.units_per_minute, lane.in_flight, lane.verify)
        if new:
            self.tracks[lane.connection] = Track(*limits, lane.version, "suspended", code, message)
        else:
            track = self.tracks[lane.connection]
            track.tenant, track.mailbox, track.units_per_minute, track.in_flight, track.verify = limits
        return new

    def open_lane(self, connection: ConnectionId, version: int, *, clock: float) -> bool:
        now, _ = self.time(clock)
        track = self.tracks[connection]
        if track.version > version:
            return False
        if track.state != "open" or track.version != version:
            track.state, track.version, track.code, track.message = "open", version, None, None
            self.emit(now, "opened", connection=connection, tenant=track.tenant, version=str(version))
        return True

    def suspend_lane(self, connection: ConnectionId, suspension: Suspension, *, clock: float) -> bool:
        now, _ = self.time(clock)
        track = self.tracks[connection]
        if track.version > suspension.version:
            return False
        track.version = suspension.version
        self.suspend(connection, suspension, now)
        track.code, track.message = suspension.code, suspension.message
        return True

    def suspend(self, connection: str, why: Suspension | None, now: int) -> None:
        """Stop an open lane, if this is about the account that it has now."""
        track = self.tracks[connection]
        if why is None or track.state != "open" or track.version != why.version:
            return
        track.state, track.code, track.message = "suspended", why.code, why.message
        self.emit(
            now,
            "suspended",
            connection=connection,
            tenant=track.tenant,
            version=str(why.version),
            code=why.code,
            message=why.message,
        )

    def spend(self, connection: ConnectionId, units: int, *, nonce: str, clock: float) -> bool:
        now, leapt = self.time(clock)
        track = self.tracks[connection]
        mailbox, slots = self.mailboxes[track.mailbox], -(-units // SEND_UNITS)
        if f"{nonce}:1" in mailbox.begins:
            return True
        if leapt or mailbox.cooling > now:
            return False
        if mailbox.begun_within_a_minute(now) + slots > track.begins_per_minute:
            return False
        mailbox.begins |= {f"{nonce}:{n}": now for n in range(1, slots + 1)}
        mailbox.next = max(mailbox.next, now) + slots * track.interval
        return True
