"""Taking reminders in.

All times are seconds since 1970 on the Python side and milliseconds inside Lua. `clock` supplies
the server's time in tests and simulations; in production it stays None.
"""

from __future__ import annotations

from collections.abc import Sequence

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import State
from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, Value, load
from certmail_config.ledger.values import Enqueued


def enqueue(
    *,
    id: JobId,  # noqa: A002 - the job contract's own word
    tenant: str,
    connection: ConnectionId,
    dedupe: str,
    fingerprint: str,
    state: State,
    reason: str,
    send_at: float | None,
    expires_at: float,
    priority: int,
    kind: str,
    campaign: str,
    keep_seconds: float,
    body: bytes,
    max_per_tenant: int = 0,
    clock: float | None = None,
) -> Call[Enqueued]:
    """Take a reminder in, once per dedupe key.

    With `max_per_tenant`, it is refused where its tenant has so many already.
    """

    def read(answer: list[list[bytes]]) -> Enqueued:
        code, *rest = (part.decode() for part in answer[0])
        return Enqueued(
            code=code,  # type: ignore[arg-type]  # the script's own words
            id=JobId(rest[0]) if rest else id,
            state=State(rest[1]) if len(rest) > 1 else None,
        )

    args = (
        id,
        tenant,
        connection,
        dedupe,
        fingerprint,
        state,
        reason,
        ms(send_at),
        ms(expires_at),
        priority,
        kind,
        campaign,
    )
    return Call(load("enqueue"), (*args, ms(keep_seconds), body, max_per_tenant, ms(clock)), read)


def enqueue_many(calls: Sequence[Call[Enqueued]], max_per_tenant: int = 0) -> Call[list[Enqueued]]:
    """Make several calls of `enqueue` one, atomic as a whole.

    It is for some dozens, since nothing else is served meanwhile.
    """

    def read(answers: list[list[bytes]]) -> list[Enqueued]:
        return [call.read([answer]) for call, answer in zip(calls, answers, strict=True)]

    reminders: list[Value] = []
    for call in calls:
        *reminder, _, clock = call.args
        reminders += reminder
    return Call(load("enqueue"), (*reminders, max_per_tenant, clock), read)
