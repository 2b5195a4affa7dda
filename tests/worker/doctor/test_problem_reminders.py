"""What somebody ought to know of, from the record, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from certmail_config.sql.engine import open_database
from certmail_worker.doctor.problem_reminders import RECENT, find_problem_reminders
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import at, begun, enqueued, settled


def held(event: Event) -> Event:
    return event._replace(fields={**event.fields, "held": "1"})


def test_those_that_wait_for_a_person_and_those_that_failed_by_why(ready_database: str) -> None:
    engine = open_database(ready_database)
    with engine.connect() as db:
        none = find_problem_reminders(db, at(1))
    assert (none.held, none.failed, none.failed_since) == (0, (), None)

    bad, gone = "bad_message: Gmail says Invalid To header", "compose_failed: a link that is none"
    events = [enqueued(n, f"j{n}") for n in range(1, 6)]
    events += [
        begun(10, job="j1"),
        held(settled(11, "uncertain", "unknown", job="j1", reason="no_answer: lost")),
    ]
    events += [
        begun(12, job="j2"),
        settled(13, "uncertain", "unknown", job="j2", reason="no_answer: lost"),
    ]
    for n, (job, reason) in enumerate([("j3", bad), ("j4", gone), ("j5", bad)]):
        events += [
            begun(20 + 2 * n, job=job),
            settled(21 + 2 * n, "failed", "rejected", job=job, reason=reason),
        ]
    write(engine, read_cursor(engine), events)

    with engine.connect() as db:
        found = find_problem_reminders(db, at(30))
        later = find_problem_reminders(db, at(30) + RECENT + timedelta(days=1))
    engine.dispose()
    assert (found.held, found.held_since) == (1, at(11))
    assert found.failed == (("bad_message", 2), ("compose_failed", 1))
    assert found.failed_since == at(21)
    assert (later.held, later.failed) == (1, ())
