"""What an answer of Google, or the lack of one, means for a mailbox and its project.

What it means for its job is in `settling.py`.
"""

from __future__ import annotations

from certmail_config.jobs.states import AttemptOutcome
from certmail_config.ledger import Pause
from support.model.meters import TRIPS
from support.model.values import Entry, ms
from support.model.wanting import Wanting


class Google(Wanting):
    """It is heeded at the time that is believed: a clock that leapt ends no pause."""

    def follow_up(
        self,
        entry: Entry,
        attempt: int,
        outcome: AttemptOutcome,
        pause: Pause | None,
        probe_in: float | None,
        reason: str,
        now: int,
    ) -> None:
        if entry.mailbox is None or entry.project is None:
            return  # never leased: a restored server has forgotten it

        now = self.believed(now)
        begun_at = entry.begun.get(attempt, entry.begun.get(entry.attempt, 0))
        mailbox, project = self.gates_of(entry.mailbox, entry.project)

        if outcome is AttemptOutcome.ACCEPTED:
            mailbox.works(now)
            project.works(now)
            self.tripped.pop(entry.project, None)

        if pause is not None:
            gate = project if pause.project else mailbox
            if gate.pause(
                ms(pause.until), named=pause.named, begun_at=begun_at, reason=reason, now=now
            ):
                gate.strikes += not pause.named
            if pause.crowded:
                self._lower_places(entry, begun_at, reason, now)
            elif pause.allowed is not None:
                self._slow_down(entry, pause.allowed, begun_at, reason, now, whole=pause.project)

        if probe_in is not None:
            self._count_unknown(entry.mailbox, entry.project, begun_at, now + ms(probe_in), now)

    def _slow_down(
        self, entry: Entry, told: int, begun_at: int, reason: str, now: int, *, whole: bool
    ) -> None:
        """A mailbox, or the `whole` project, has gone faster than Google allows."""
        track = self.tracks.get(entry.connection)
        if track is None:  # its limits went with it
            return

        assert entry.mailbox is not None
        assert entry.project is not None
        meter = self.meters_of(entry.mailbox, entry.project)[whole]
        units = track.project_units_per_minute if whole else track.units_per_minute
        share = meter.slow_down(units, told, begun_at, now)

        if share is not None:
            self.emit(
                now,
                "slowed",
                connection=entry.connection,
                tenant=entry.tenant,
                scope="project" if whole else "mailbox",
                share=f"{share:.3f}",
                reason=reason,
            )

    def _lower_places(self, entry: Entry, begun_at: int, reason: str, now: int) -> None:
        """Too many requests of a mailbox were under way at once."""
        track = self.tracks.get(entry.connection)
        if track is None:
            return

        places = self.mailboxes[str(entry.mailbox)].lower_places(track.in_flight, begun_at, now)
        if places is not None:
            self.emit(
                now,
                "slowed",
                connection=entry.connection,
                tenant=entry.tenant,
                scope="in_flight",
                places=str(places),
                reason=reason,
            )

    def _count_unknown(
        self, mailbox: str, project: str, begun_at: int, until: int, now: int
    ) -> None:
        """Count an unknown outcome of a mailbox and of its project.

        So many in a row stop a mailbox, and so many for each of so many mailboxes their project.
        """
        gate, whole = self.gates_of(mailbox, project)
        reason = "unknown_outcomes: Gmail does not say what becomes of the messages"
        gate.unknowns += 1
        whole.unknowns += 1
        self.tripped[project].add(mailbox)

        if gate.unknowns >= TRIPS:
            gate.pause(until, named=False, begun_at=begun_at, reason=reason, now=now)
        if whole.unknowns >= TRIPS * TRIPS and len(self.tripped[project]) >= TRIPS:
            whole.pause(until, named=False, begun_at=begun_at, reason=reason, now=now)
