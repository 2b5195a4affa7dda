"""The places that a job has in all that is counted, from its lease to its end.

And who waits for such a place.
"""

from __future__ import annotations

import math

from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger.lanes import SEND_UNITS
from support.model.ledger_state import PROJECT, LedgerState
from support.model.meters import MINUTE, SLOT, fine
from support.model.values import LEASED, Entry


class Counting(LedgerState):
    """A leased job has its place in the minute and in the day of its mailbox and of its project."""

    def count_in(
        self, entry: Entry, mailbox: str, project: str, steps: tuple[float, float], now: int
    ) -> None:
        entry.mailbox, entry.project, entry.steps, entry.day = mailbox, project, steps, now // SLOT
        for meter in self.meters_of(mailbox, project):
            meter.window[entry.id] = math.inf
        for day in self.days_of(mailbox, project):
            day.count(entry.day, 1)

    def free(self, entry: Entry, now: int, outcome: AttemptOutcome | None = None) -> None:
        """A leased job ends, or goes back; who waited for its place is visited."""
        assert entry.mailbox is not None
        assert entry.project is not None
        assert entry.state in LEASED
        self._count_out(entry, entry.mailbox, entry.project, outcome, now)
        for lane in self.blocked.pop(entry.mailbox, ()):
            self.wake_lane(lane, now)
        if self.queues[entry.project] and PROJECT + entry.project not in self.wake:
            self.wake[PROJECT + entry.project] = self.believed(now)
            self.woken = True

    def _count_out(
        self, entry: Entry, mailbox: str, project: str, outcome: AttemptOutcome | None, now: int
    ) -> None:
        """What Google may have seen stays in its minute.

        What never left gives place and time back.
        """
        assert entry.steps is not None
        seen = entry.state is State.SENDING and outcome is not AttemptOutcome.NOT_SENT

        for meter, step in zip(self.meters_of(mailbox, project), entry.steps, strict=True):
            del meter.window[entry.id]
            if seen:
                meter.window[f"{entry.id}:{entry.attempt}"] = self.believed(now) + MINUTE
            else:
                meter.next = fine(meter.next - step)

        if not seen and entry.connection in self.wake:
            self.wake[entry.connection] -= entry.steps[0]
        entry.steps = None
        if not seen or outcome is AttemptOutcome.REJECTED:
            self.uncount_day(entry)

    def uncount_day(self, entry: Entry) -> None:
        """It became no message."""
        if entry.day is None:
            return
        assert entry.mailbox is not None
        assert entry.project is not None
        for day in self.days_of(entry.mailbox, entry.project):
            day.count(entry.day, -1)
        entry.day = None

    def wake_lane(self, lane: str, now: int) -> None:
        """Let the pacer visit it, unless it has a time already, or waits for its project."""
        track = self.tracks[lane]
        if track.state == "open" and lane not in {*self.queues[track.project], *self.wake}:
            self.wake[lane] = self.believed(now)
            self.woken = True

    def spend(self, connection: ConnectionId, units: int, *, nonce: str, clock: float) -> bool:
        """Requests other than sends take the place of as many sends."""
        now, leapt = self.time(clock)
        track = self.tracks[connection]
        places = -(-units // SEND_UNITS)
        meters = self.meters_of(track.mailbox, track.project)
        if f"{nonce}:1" in meters[0].window:
            return True
        if leapt or any(gate.cooling > now for gate in self.gates_of(track.mailbox, track.project)):
            return False

        configured = (track.units_per_minute, track.project_units_per_minute)
        for meter, allowed in zip(meters, configured, strict=True):
            if meter.used(now) + places > meter.limit(allowed, now):
                return False

        for meter, allowed in zip(meters, configured, strict=True):
            meter.move_on(max(meter.next, now) + places * meter.step(allowed, now))
            meter.window |= {f"{nonce}:{n}": now + MINUTE + 1_000 for n in range(1, places + 1)}

        return True
