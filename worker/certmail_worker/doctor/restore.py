"""Restoring the ledger from the record.

restore_reader.py reads both stores, restore_plan.py decides, and `carry_out` does it.

Pacing stands still meanwhile, because the server's run is unchecked; producers may go on.
Interrupted, it is run again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from redis import Redis

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import JobId
from certmail_config.base.redis_answers import field_of, value_of
from certmail_config.jobs.states import State
from certmail_config.ledger import close, run_many
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.ledger.upkeep import CheckedError, Restored, restore
from certmail_config.sql import registry
from certmail_worker.doctor.restore_plan import (
    COULD_HAVE_LEFT,
    RestorePlan,
    RestoreStep,
    StepKind,
    WaitingJob,
    could_have_left,
    hold,
)
from certmail_worker.doctor.restore_reader import (
    chunks,
    forgotten_jobs,
    newest_surviving_event,
    server_ended_by,
    steps_since,
    waiting_jobs,
)
from certmail_worker.recording.consistency import Traces, confirm_consistency, run_id
from certmail_worker.recording.writer import (
    START,
    CursorMovedError,
    RecordPosition,
    read_position,
    write_position,
)


def make_plan(admin: Admin, *, stopped_at: datetime | None = None) -> RestorePlan:
    """Find out what would have to be done; changes nothing.

    `stopped_at` is when the former server ended, if that is known.
    """
    run, position = run_id(admin.redis), read_position(admin.engine)
    last = newest_surviving_event(admin.redis, position.cursor)
    until = stopped_at or server_ended_by(admin.redis, position.seen_at)

    with admin.db() as db:
        steps = {
            step.job: step
            for step in steps_since(db, admin.redis, last, admin.settings.dedupe_days)
        }
        connections = registry.list_connections(db)
        lost: dict[str, list[WaitingJob]] = defaultdict(list)
        for connection_id, each in forgotten_jobs(
            db, [step for step in steps.values() if step.kind is StepKind.LOSE]
        ):
            lost[connection_id].append(each)

    present = waiting_jobs(admin.redis, connections, until)
    for connection in connections:
        undecided = [
            each
            for each in present.get(connection.id, [])
            if each.job not in steps or steps[each.job].kind is StepKind.KEEP
        ]
        held = could_have_left(
            undecided + lost[connection.id],
            since=position.seen_at,
            until=until,
            per_minute=connection.limits.units_per_minute / SEND_UNITS,
            in_flight=connection.limits.in_flight,
            held_before=int(field_of(admin.redis, redis_keys.HELD_BACK, connection.id) or 0),
        )

        for job in held:
            steps[job] = hold(job, steps.get(job))

    planned = tuple(steps.values())
    looked_up = _looked_up(admin.redis, planned, {each.id for each in connections if each.verify})
    return RestorePlan(run, position.cursor, last, position.seen_at, until, planned, looked_up)


def _looked_up(
    redis: Redis, steps: Sequence[RestoreStep], verified: Collection[str]
) -> frozenset[JobId]:
    """The jobs that are held, of connections whose sent mails may be looked through."""
    held = [step for step in steps if step.kind is StepKind.HOLD and not step.closed]

    with redis.pipeline(transaction=False) as pipe:
        for step in held:
            pipe.hget(redis_keys.JOB + step.job, "connection")
        found = pipe.execute()

    of = {
        step.job: step.known.connection if step.known else (connection or b"").decode()
        for step, connection in zip(held, found, strict=True)
    }
    return frozenset(job for job, connection in of.items() if connection in verified)


def carry_out(admin: Admin, plan: RestorePlan) -> list[State | None]:
    """Do what the plan says, and let pacing go on.

    Gives the state that each job of the plan is in then, None if it is forgotten.

    Raises Refused where something has changed since the plan was made.
    """
    position = read_position(admin.engine)
    if (run_id(admin.redis), position.cursor) != (plan.run, plan.cursor):
        raise _changed()

    admin.projector.publish_missing()
    since = plan.since.timestamp() if plan.since else 0.0
    done: list[Restored] = []

    for steps in chunks(plan.steps):
        calls = [
            restore(
                step.job,
                to=step.to,
                reason=step.reason,
                attempts=step.attempts,
                known=step.known,
                could_have_left=since if step.reason == COULD_HAVE_LEFT else None,
            )
            for step in steps
        ]

        try:
            done += run_many(admin.redis, calls)[0]
        except CheckedError:
            raise _changed() from None

        run_many(admin.redis, [close(step.job, step.reason) for step in steps if step.closed])

    now = replace(position, cursor=plan.survived)
    try:
        write_position(admin.engine, position, now)
    except CursorMovedError:
        raise _changed() from None

    confirm_consistency(admin.redis, admin.engine, _traces(admin.redis, now), plan.run)
    return [each.state for each in done]


def accept_gap(admin: Admin) -> None:
    """Let the record go on with what the stream still holds; raises SQLAlchemyError."""
    run, position = run_id(admin.redis), read_position(admin.engine)
    epoch = value_of(admin.redis, redis_keys.EPOCH)
    now = RecordPosition(START, epoch.decode() if epoch else None, position.seen_at)
    write_position(admin.engine, position, now)
    admin.redis.delete(redis_keys.RECORDED)
    confirm_consistency(admin.redis, admin.engine, _traces(admin.redis, now), run)


def _changed() -> Refused:
    return Refused(
        "changed_meanwhile",
        "The server or the record has changed since the plan was made; what was done so far holds.",
        "Look again: `certmail doctor`.",
    )


def _traces(redis: Redis, position: RecordPosition) -> Traces:
    epoch = value_of(redis, redis_keys.EPOCH)
    return Traces(position, epoch.decode() if epoch else None, None, has_cursor=True)
