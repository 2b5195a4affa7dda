"""Taking reminders in.

All times are seconds since 1970 on the Python side and milliseconds inside Lua. `clock` supplies
the server's time in tests and simulations; in production it stays None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from redis.exceptions import RedisError

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import State
from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, Value, load
from certmail_config.ledger.values import Enqueued

_STATES: Final = {state.encode(): state for state in State}


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
    wants: str = "",
    max_per_tenant: int = 0,
    clock: float | None = None,
) -> Call[Enqueued]:
    """Take a reminder in, once per dedupe key.

    With `max_per_tenant`, it is refused where its tenant has so many already. `wants` is what a
    campaign wants it for, as `unwanted.references` writes it.
    """

    def read(answers: list[Any]) -> Enqueued:
        found = _read(id, answers[0])
        if isinstance(found, RedisError):
            raise found
        return found

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
    return Call(
        load("enqueue"), (*args, ms(keep_seconds), wants, body, max_per_tenant, ms(clock)), read
    )


def enqueue_many(
    calls: Sequence[Call[Enqueued]], max_per_tenant: int = 0
) -> Call[list[Enqueued | RedisError]]:
    """Make several calls of `enqueue` one, atomic as a whole.

    Each has its own answer: one that the server refuses does not spoil the others. It is for some
    dozens, since nothing else is served meanwhile.
    """

    def read(answers: list[Any]) -> list[Enqueued | RedisError]:
        return [
            _read(cast("JobId", call.args[0]), answer)
            for call, answer in zip(calls, answers, strict=True)
        ]

    reminders: list[Value] = []
    for call in calls:
        reminders += call.args[:-2]
    clock = calls[-1].args[-1]
    return Call(load("enqueue"), (*reminders, max_per_tenant, clock), read)


def _read(job: JobId, answer: Any) -> Enqueued | RedisError:
    """The answer to one reminder; `job` is the id that it was given."""
    if isinstance(answer, RedisError):
        return answer

    code, *rest = answer
    word: Any = code.decode()  # the script's own words
    if len(rest) < 2:
        return Enqueued(word, JobId(rest[0].decode()) if rest else job, None)
    id_, state, *ahead = rest
    return Enqueued(word, JobId(id_.decode()), _STATES[state], ahead[0] if ahead else None)
