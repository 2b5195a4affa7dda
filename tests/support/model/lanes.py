"""The model's lanes and workers: what may leave at all, and who is there to send it."""

from __future__ import annotations

from collections.abc import Sequence

from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import State
from certmail_config.ledger import Lane, Suspension, Tick
from support.model.counting import Counting
from support.model.ledger_state import PROJECT
from support.model.values import LEASED, Track, ms


class Lanes(Counting):
    """The part of the model that knows no job's life."""

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
        track = Track(
            tenant=lane.tenant,
            mailbox=lane.mailbox,
            project=lane.project,
            units_per_minute=lane.units_per_minute,
            in_flight=lane.in_flight,
            verify=lane.verify,
            per_day=lane.per_day,
            project_units_per_minute=lane.project_units_per_minute,
            project_units_per_day=lane.project_units_per_day,
            warm_up_days=lane.warm_up_days,
        )

        old = self.tracks.get(lane.connection)
        self.tracks[lane.connection] = track
        if old is None:
            track.version, track.state, track.code, track.message = (
                lane.version,
                "suspended",
                code,
                message,
            )
            return True

        track.version, track.state, track.code, track.message = (
            old.version,
            old.state,
            old.code,
            old.message,
        )
        track.leased_at = old.leased_at
        track.sends_since = old.sends_since if old.mailbox == track.mailbox else 0
        self._look_anew(lane.connection, old, track)

        return False

    def _look_anew(self, lane: str, old: Track, track: Track) -> None:
        """What a lane waited for may be no more."""
        waited = set[str]()

        if old.mailbox != track.mailbox:
            waited |= self.blocked[old.mailbox] & {lane}
            self.blocked[old.mailbox].discard(lane)

        if old.project != track.project:
            waited |= self.queues[old.project].keys() & {lane}
            self.queues[old.project].pop(lane, None)

        if waited:
            self.wake_lane(lane, self.noted)

        for name in (lane, PROJECT + track.project):
            if self.wake.get(name, 0) > self.noted:
                self.wake[name], self.woken = self.noted, True

    def open_lane(
        self, connection: ConnectionId, version: int, *, careful: bool = False, clock: float
    ) -> bool:
        now, _ = self.time(clock)
        track = self.tracks[connection]
        if track.version > version:
            return False

        if track.state != "open" or track.version != version:
            if careful and track.state != "open":
                self.mailboxes[track.mailbox].probe = True
            track.state, track.version, track.code, track.message = "open", version, None, None
            if self.waiting(connection):
                self.wake_lane(connection, now)
            self.emit(
                now,
                "opened",
                connection=connection,
                tenant=track.tenant,
                version=str(version),
                by="",
            )

        return True

    def remove_lane(self, connection: ConnectionId, *, clock: float) -> int:
        now, _ = self.time(clock)
        here = {State.READY, State.SCHEDULED} | LEASED
        busy = sum(
            entry.connection == connection and entry.state in here
            for entry in self.entries.values()
        )
        if busy or connection not in self.tracks:
            return busy

        track = self.tracks.pop(connection)
        self.wake.pop(connection, None)
        self.queues[track.project].pop(connection, None)
        self.blocked[track.mailbox].discard(connection)
        self.emit(now, "removed", connection=connection, tenant=track.tenant, by="")

        return 0

    def pause(
        self,
        tenant: str | None,
        *,
        on: bool,
        reason: str = "",
        connections: Sequence[ConnectionId] = (),
        clock: float,
    ) -> bool:
        now, _ = self.time(clock)
        name = tenant or "*"
        changed = (name in self.paused) is not on

        if on:
            self.paused.add(name)
        else:
            self.paused.discard(name)
            for lane in connections:
                if self.waiting(lane):
                    self.wake_lane(lane, now)

        if changed:
            self.emit(now, "paused" if on else "resumed", tenant=name, reason=reason, by="")
        return changed

    def suspend_lane(
        self, connection: ConnectionId, suspension: Suspension, *, clock: float
    ) -> bool:
        now, _ = self.time(clock)
        track = self.tracks[connection]
        if track.version > suspension.version:
            return False
        track.version = suspension.version
        self.suspend(connection, suspension, now)
        track.code, track.message = suspension.code, suspension.words
        return True

    def suspend(self, connection: str, why: Suspension | None, now: int) -> None:
        """Stop an open lane, if this is about the account that it has now."""
        track = self.tracks.get(connection)
        if why is None or track is None or track.state != "open" or track.version != why.version:
            return

        track.state, track.code, track.message = "suspended", why.code, why.words
        self.wake.pop(connection, None)
        self.queues[track.project].pop(connection, None)
        self.emit(
            now,
            "suspended",
            connection=connection,
            tenant=track.tenant,
            version=str(why.version),
            code=why.code,
            message=why.words,
            by="",
        )
