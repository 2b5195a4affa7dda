"""Removing connections and tenants.

Nothing of them leaves any more, what is under way ends, then they are erased.

Read `remove_connection` and `remove_tenant` from top to bottom. Interrupted at any point, they are
run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from certmail_config.admin.admin import Admin
from certmail_config.admin.erasing import erase_connection, erase_tenant
from certmail_config.admin.suspension import set_tenant_state, suspend_connection
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import JobId
from certmail_config.base.redis_answers import members_of, scan_scored
from certmail_config.jobs.states import State
from certmail_config.ledger import Act, close, remove_lane, run, run_many
from certmail_config.ledger.cancelling import cancel_pages
from certmail_config.onboarding.worker_requests import workers_alive
from certmail_config.sql import registry
from certmail_config.tenants.models import Connection, TenantState
from certmail_config.tenants.working_copy_removal import hide_connection
from certmail_worker.connections.draining import (
    Patience,
    Progress,
    longest_wait,
    newest_event,
    pause,
    under_way,
    unrecorded,
)
from certmail_worker.connections.revocation import EndedAccess, end_access
from certmail_worker.connections.wiping import wipe
from certmail_worker.google.tokens import keys_of


@dataclass(frozen=True, slots=True)
class Removed:
    """What was called off, and what became of the access at Google.

    `uncertain` is of how many nobody knows what became of them. `remains` says where its keys still
    are, though nobody would find them there.
    """

    cancelled: int
    uncertain: int
    ended_access: list[EndedAccess]
    remains: tuple[str, ...] = ()

    @property
    def called_off(self) -> str:
        """How many were called off, as a sentence."""
        match self.cancelled:
            case 0:
                return "No reminder was waiting for it."
            case 1:
                return "1 reminder was called off."
            case many:
                return f"{many} reminders were called off."


def remove_connection(admin: Admin, connection: Connection, progress: Progress) -> Removed:
    """Remove a connection; raises Refused when something stays under way for too long.

    Uncertain reminders stay.
    """
    connection = suspend_connection(admin, connection.id)
    hide_connection(admin.redis, connection.tenant, connection.name, connection.id)

    # Nothing is left when the lane can be removed: until then something was enqueued meanwhile.
    drain = Drain(admin, connection.tenant, connection.id, "its connection was removed", progress)
    uncertain = drain.run()
    while run(admin.redis, remove_lane(connection.id, by=admin.actor)):
        uncertain = drain.again()

    ended_access = end_access(admin, [connection])
    erase_connection(admin, connection)
    admin.redis.delete(*keys_of(connection))

    return Removed(drain.cancelled, len(uncertain), ended_access, tuple(wipe(admin)))


def remove_tenant(admin: Admin, tenant: str, by: str, progress: Progress) -> Removed:
    """Remove a tenant with all that is known of its people; raises Refused as above.

    What it did stays on record.
    """
    set_tenant_state(admin, tenant, TenantState.SUSPENDED, by)
    with admin.db() as db:
        connections = registry.list_connections(db, tenant)

    drain = Drain(admin, tenant, "", "its tenant was removed", progress)
    closed = _close(admin, drain.run())
    while any(run(admin.redis, remove_lane(each.id, by=by)) for each in connections):
        closed += _close(admin, drain.again())

    # Nothing comes in any more. Workers that still remember the key must not record addresses after
    # they were erased.
    newest = newest_event(admin.redis)
    drain.wait(lambda: _left_to_record(admin, newest))

    ended_access = end_access(admin, connections)
    erase_tenant(admin, tenant, connections)
    for each in connections:
        admin.redis.delete(*keys_of(each))
    admin.record(Act.TENANT_REMOVED, tenant)

    return Removed(drain.cancelled, closed, ended_access, tuple(wipe(admin)))


class Drain:
    """Calls off all that waits, of a tenant or a connection, and waits for what is under way.

    `patience`: for so many seconds in all; without it for as long as what is under way may take.
    """

    def __init__(
        self,
        admin: Admin,
        tenant: str,
        connection: str,
        reason: str,
        progress: Progress,
        *,
        patience: float | None = None,
    ) -> None:
        self.cancelled = 0

        self._admin = admin
        self._scope = tenant, connection
        self._reason = f"cancelled: {reason}"
        self._patience = Patience(
            longest_wait(admin.settings) if patience is None else patience,
            progress,
            "Nothing more leaves, but nothing is erased yet.",
            "Start a worker (`certmail worker`), which brings that to an end; then run the command again.",
        )

    def run(self) -> list[JobId]:
        """Drain until nothing is left but what is uncertain, which it gives; raises Refused.

        And but what is enqueued meanwhile.
        """
        tenant, connection = self._scope
        done = cancel_pages(self._admin.redis, tenant, "", connection, self._reason)
        self.cancelled += done.cancelled
        self.wait(self._under_way)
        return _uncertain(self._admin, *self._scope)

    def again(self) -> list[JobId]:
        """Drain once more, since something was enqueued meanwhile.

        Raises Refused when there is no end to it.
        """
        if self._patience.is_over:
            raise Refused(
                "still_enqueued",
                "Reminders come in as fast as they are called off. Nothing leaves, but nothing is erased yet.",
                "Stop whoever sends them, and see `certmail doctor`; then run the command again.",
            )

        pause()
        return self.run()

    def wait(self, left: Callable[[], str]) -> None:
        """Wait until `left` gives no words any more; raises Refused when that takes too long."""
        self._patience.wait(left)

    def _under_way(self) -> str:
        redis = self._admin.redis
        with redis.pipeline(transaction=False) as pipe:
            for id_ in members_of(redis, redis_keys.LEASED):
                pipe.hmget(redis_keys.JOB + id_.decode(), ["tenant", "connection"])
            return under_way(sum(_matches(job, *self._scope) for job in pipe.execute()))


def _uncertain(admin: Admin, tenant: str, connection: str) -> list[JobId]:
    """The jobs of unknown outcome that nobody has decided about."""
    redis, cursor = admin.redis, 0
    found: list[JobId] = []

    while True:
        cursor, page = scan_scored(redis, redis_keys.DUE, cursor, 500)
        with redis.pipeline(transaction=False) as pipe:
            for id_, _ in page:
                pipe.hmget(redis_keys.JOB + id_.decode(), ["tenant", "connection", "state"])
            jobs = pipe.execute()

        for (id_, _), job in zip(page, jobs, strict=True):
            if _matches(job, tenant, connection) and job[2] == State.UNCERTAIN.encode():
                found.append(JobId(id_.decode()))

        if cursor == 0:
            return sorted(set(found))  # a scan may show one twice


def _matches(job: list[bytes | None], tenant: str, connection: str) -> bool:
    return job[0] == tenant.encode() and (not connection or job[1] == connection.encode())


def _close(admin: Admin, jobs: list[JobId]) -> int:
    """Close jobs that nobody can settle any more; gives how many.

    They stay on record as uncertain, without their content.
    """
    reason = "tenant_removed: what became of its request stays unknown"
    return sum(run_many(admin.redis, [close(job, reason) for job in jobs])[0])


def _left_to_record(admin: Admin, event: str) -> str:
    """What is left of recording all events up to one, in words.

    Only while a worker lives: without one nobody remembers the key.
    """
    return unrecorded(admin.engine, event) if workers_alive(admin.redis) else ""
