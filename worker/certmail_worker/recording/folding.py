"""A batch's events folded: what they mean together for each delivery and attempt; pure.

A reminder that began and ended within a batch is written once, as it is at its end. What the record
holds of it already decides how: `to_look_up` says of whom that must be known, `rows` what to write
then. The result is that of writing the events one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from certmail_worker.recording.rows import (
    REPORTED,
    Event,
    Row,
    change,
    end_of_attempt,
    new_attempt,
    new_delivery,
    reports_request,
)

Known = Mapping[str, AbstractSet[int]]
"""The deliveries on record among those looked up, each with the numbers of its attempts."""
_NO_END: Row = dict.fromkeys(("ended_at", "outcome", "reason", *REPORTED))


@dataclass(slots=True)
class Rows:
    """What to write, by how it is written; each delivery and attempt at most once in a list."""

    new: list[Row] = field(default_factory=list)
    """Deliveries; those that are there already stay as they are."""
    changed: list[Row] = field(default_factory=list)
    """States of deliveries without a new request."""
    requested: list[Row] = field(default_factory=list)
    """States of deliveries with the mailbox of their newest request."""
    doubled: list[Row] = field(default_factory=list)
    """Deliveries that may have arrived twice."""
    attempts: list[Row] = field(default_factory=list)
    """New ones, with what is known of their ends."""
    repeated: list[Row] = field(default_factory=list)
    """Attempts on record that were begun once more: told twice, to a server that had forgotten."""
    ends: list[list[Row]] = field(default_factory=list)
    """Ends of attempts on record; the first of each, then the second of each, and so on."""
    unknown: list[str] = field(default_factory=list)
    """Jobs of requests whose enqueueing is not on record: nothing is written of those."""


class Fold:
    """Takes events in their order; raises KeyError, ValueError, TypeError for one it cannot read."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._new: dict[str, Row] = {}
        self._changes: dict[str, Row] = {}
        self._mailboxes: dict[str, str | None] = {}
        self._doubled: dict[str, None] = {}
        self._requests: dict[tuple[str, int], Row] = {}
        self._ends: dict[tuple[str, int], list[Row]] = {}
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if event.type == "enqueued":
            # Again with the same id: a producer repeated it on a server that had forgotten it.
            made = new_delivery(event)
            self._new.setdefault(made["job"], made)
        elif row := change(event):
            before = self._changes.get(row["job"])
            # What came of a decision later does not make it undone.
            if before is not None and row["decided_by"] is None:
                row["decided_by"] = before["decided_by"]
            self._changes[row["job"]] = row

        if event.fields.get("possible_duplicate") == "1":
            self._doubled[event.fields["job"]] = None

        if reports_request(event.type, event.fields):
            request = new_attempt(event)
            self._mailboxes[request["job"]] = event.mailbox
            first = self._requests.setdefault((request["job"], request["n"]), request)
            first["worker"], first["begun_at"] = request["worker"], request["begun_at"]

        if end := end_of_attempt(event):
            self._ends.setdefault((end["job"], end["n"]), []).append(end)

    @property
    def to_look_up(self) -> AbstractSet[str]:
        """The deliveries of which it matters whether they are on record, and which attempts."""
        changed = self._changes.keys() | self._doubled.keys()
        return self._mailboxes.keys() | (self._new.keys() & changed)

    def rows(self, known: Known) -> Rows:
        """What to write, where this is on record."""
        rows = Rows()
        made = self._new.keys() & self.to_look_up - known.keys()

        for job, row in self._new.items():
            rows.new.append(self._as_it_ended(row) if job in made else row)
        for job, row in self._changes.items():
            if job in made:
                continue
            if job in self._mailboxes:
                rows.requested.append(row | {"mailbox": self._mailboxes[job]})
            else:
                rows.changed.append(row)
        rows.doubled = [{"job": job} for job in self._doubled if job not in made]

        self._add_attempts(rows, known)
        return rows

    def _as_it_ended(self, row: Row) -> Row:
        """The row of a new delivery, with what the same batch says of it."""
        job = row["job"]
        return {
            **row,
            **self._changes.get(job, {}),
            "mailbox": self._mailboxes.get(job),
            "possible_duplicate": job in self._doubled,
        }

    def _add_attempts(self, rows: Rows, known: Known) -> None:
        there = dict(self._ends)

        for (job, n), row in self._requests.items():
            if n in known.get(job, ()):
                rows.repeated.append(row)
            elif job in known or job in self._new:
                rows.attempts.append(_ended(row, there.pop((job, n), ())))
            else:
                rows.unknown.append(job)

        rounds = max(map(len, there.values()), default=0)
        rows.ends = [
            [ends[turn] for ends in there.values() if turn < len(ends)] for turn in range(rounds)
        ]


def _ended(request: Row, ends: Sequence[Row]) -> Row:
    """An attempt with its ends; what a later report leaves out stays as it was."""
    row = _NO_END | request

    for end in ends:
        row["outcome"], row["reason"] = end["outcome"], end["reason"]
        row["ended_at"] = end["reported_end"] or row["ended_at"] or end["event_at"]
        row |= {name: end[name] for name in REPORTED if end[name] is not None}

    return row
