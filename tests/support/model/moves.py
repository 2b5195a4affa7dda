"""The moves that several of the model's transitions have in common."""

from __future__ import annotations

from typing import Final

from certmail_config.jobs.states import State
from support.model.lanes import Lanes
from support.model.values import Entry

REMOVED: Final = "connection_removed: its connection was removed, so it cannot be sent any more"


class Moves(Lanes):
    """Where a job can go, and what stays of it there."""

    def wait(self, entry: Entry, now: int, *, until: int | None = None) -> str | None:
        """Back to its lane, or not before a time. Without a lane it ends; gives why then."""
        if entry.connection not in self.tracks:
            self.end(entry, State.FAILED, REMOVED, now)
            self.emit_job(now, "orphaned", entry, "held", reason=REMOVED)
            return REMOVED

        entry.state = State.READY if until is None else State.SCHEDULED
        entry.at, entry.held, entry.nonce, entry.worker, entry.look_at = (
            until,
            False,
            None,
            None,
            None,
        )
        entry.would_be = None
        if until is None:
            self.wake_lane(entry.connection, now)
        return None

    def doubt(self, entry: Entry, reason: str, at: int | None, now: int) -> None:
        """Unknown: sent again at a time, or held for a person."""
        entry.state, entry.reason, entry.held = State.UNCERTAIN, reason, at is None
        entry.at = now + entry.keep if at is None else at
        entry.nonce, entry.worker, entry.would_be = None, None, None
        track = self.tracks.get(entry.connection)
        if track is not None and track.verify:
            entry.look_at = now + 1_000

    def end(self, entry: Entry, state: State, reason: str, now: int) -> None:
        """Final, unless a copy may be out that the record would deny then."""
        if state is not State.ACCEPTED and entry.unknown and not entry.accepted:
            doubt = f"{reason}; what became of an earlier request is unknown"
            if entry.unfinished:
                self.doubt(entry, doubt, None, now)
            entry.reason, entry.would_be = doubt, (state, reason)
            return

        entry.state, entry.reason, entry.finished_at, entry.would_be = state, reason, now, None
        entry.at, entry.held, entry.nonce, entry.worker, entry.look_at = (
            None,
            False,
            None,
            None,
            None,
        )

        entry.day, entry.wants = None, ""

    def expire(self, entry: Entry, now: int) -> None:
        reason = "its time passed while it waited"
        self.end(entry, State.EXPIRED, reason, now)
        self.emit_job(now, "expired", entry, "held", reason=reason)

    def by_due(self) -> list[Entry]:
        """All unfinished jobs, in the order in which they are looked at."""
        return sorted(
            (entry for entry in self.entries.values() if entry.unfinished),
            key=lambda entry: (entry.due or 0, entry.id),
        )
