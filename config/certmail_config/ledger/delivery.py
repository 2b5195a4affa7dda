"""The calls of a delivery: a job is leased, claimed, begun and settled, or released before that.

Times as in intake.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from redis.exceptions import RedisError

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import State
from certmail_config.ledger.arguments import flag, ms
from certmail_config.ledger.script import Call, load
from certmail_config.ledger.values import (
    Begun,
    Claimed,
    Dispatched,
    Job,
    Pause,
    RefusedBy,
    Settlement,
    Stop,
    Suspension,
)

DOORBELL_SECONDS = 2.0
"""A doorbell older than this is not answered: what was decided when it rang may no longer hold."""
DOORBELL_LEASE_SECONDS = 4.0
"""How long a dispatched job waits to be claimed before it returns to its lane."""
UNANSWERED_PER_WORKER = 32
"""Doorbells that may be unanswered at once, for each live worker, whatever is known of them.

At 60 ms a mail, far more than one costs, the last of them is still answered within
DOORBELL_SECONDS.
"""


class UncheckedError(RedisError):
    """Nobody has checked yet that this server holds what was recorded."""

    def __init__(self) -> None:
        super().__init__("this run of the server is unchecked")


def dispatch(limit: int, *, unanswered: int = 0, clock: float | None = None) -> Call[Dispatched]:
    """Lease what may leave now, at most `limit` jobs, as far as live workers have room.

    `unanswered` doorbells may be out at once, where that is more than UNANSWERED_PER_WORKER.
    """

    def read(answer: list[bytes]) -> Dispatched:
        if answer[0] == b"stopped":
            return Dispatched((), None, Stop(answer[1].decode()))

        wait, ringing, *jobs = answer
        return Dispatched(
            tuple(JobId(job.decode()) for job in jobs),
            float(wait) / 1000 if wait else None,
            unanswered=int(ringing),
        )

    return Call(
        load("dispatch"),
        (limit, ms(DOORBELL_LEASE_SECONDS), UNANSWERED_PER_WORKER, unanswered, ms(clock)),
        read,
    )


def claim(
    id: JobId,  # noqa: A002 - the job contract's own word
    *,
    worker: str,
    nonce: str,
    lease_seconds: float,
    clock: float | None = None,
) -> Call[Claimed | RefusedBy]:
    """Answer a doorbell."""

    def read(answer: list[bytes]) -> Claimed | RefusedBy:
        if answer[0] != b"claimed":
            return RefusedBy(answer[1].decode())

        _, fence, body, seal, *flat = answer
        field = _fields(flat)
        return Claimed(
            Job(
                id=id,
                tenant=field["tenant"],
                connection=ConnectionId(field["connection"]),
                fence=int(fence),
                nonce=nonce,
                failures=int(field.get("failures", "0")),
                refreshed=field.get("reason", "").startswith("token_expired"),
                resent=field.get("possible_duplicate") == "1",
                strikes=_count(field["strikes"]),
                project_strikes=_count(field["project_strikes"]),
                enqueued_at=int(field["enqueued_at"]) / 1000,
                expires_at=int(field["expires_at"]) / 1000,
                body=body,
                connection_seal=seal,
                refused_token=_refused_token(field.get(f"attempt:{field['attempt']}", "{}")),
                campaign=field.get("campaign", ""),
                leave_at=_moment(field.get("leave_at", "")),
            )
        )

    return Call(
        load("claim"), (id, worker, nonce, ms(lease_seconds), ms(DOORBELL_SECONDS), ms(clock)), read
    )


def begin(
    job: Job,
    *,
    lease_seconds: float,
    not_after: float | None = None,
    resend_after: float | None = None,
    clock: float | None = None,
) -> Call[Begun | RefusedBy]:
    """Make the write-ahead record; after it the request may leave.

    Should its worker be lost, it is sent once more so many seconds after its lease, or held if that
    is None.
    """

    def read(answer: list[bytes]) -> Begun | RefusedBy:
        if answer[0] != b"begun":
            return RefusedBy(answer[1].decode(), int(answer[2]) if len(answer) > 2 else None)
        return Begun(attempt=int(answer[1]), at=int(answer[2]) / 1000)

    args = (job.id, _claim(job), ms(lease_seconds), ms(not_after), ms(resend_after), ms(clock))
    return Call(load("begin"), args, read)


def settle(
    id: JobId,  # noqa: A002 - as above
    attempt: int,
    then: Settlement,
    *,
    detail: str,
    clock: float | None = None,
) -> Call[State | None]:
    """Record what became of an attempt, however late.

    Gives the job's state, or None for a job long forgotten.

    `detail` is the record's own, as JSON. Reading the answer raises UncheckedError where a restored
    server may have forgotten it: to be settled again later.
    """

    def read(answer: list[bytes]) -> State | None:
        if answer[0] == b"unchecked":
            raise UncheckedError
        return State(answer[1].decode()) if len(answer) > 1 else None

    known = (id, attempt, then.outcome, detail)
    follows = (
        then.to,
        then.reason,
        ms(then.at),
        flag(then.counts),
        *_pause(then.pause),
        ms(then.probe_in),
    )
    return Call(load("settle"), (*known, *follows, *_suspend(then.suspension), ms(clock)), read)


def release(
    job: Job,
    *,
    to: State,
    reason: str,
    at: float | None = None,
    counts: bool = False,
    suspension: Suspension | None = None,
    clock: float | None = None,
) -> Call[State | RefusedBy]:
    """End a delivery before begin."""

    def read(answer: list[bytes]) -> State | RefusedBy:
        return (
            RefusedBy(answer[1].decode()) if answer[0] == b"refused" else State(answer[1].decode())
        )

    args = (job.id, _claim(job), to, reason, ms(at), flag(counts), *_suspend(suspension), ms(clock))
    return Call(load("release"), args, read)


def _claim(job: Job) -> str:
    return f"{job.fence}:{job.nonce}"


def _pause(pause: Pause | None) -> tuple[str, str, str, str]:
    if pause is None:
        return "", "", "", ""
    allowed = "" if pause.allowed is None else str(pause.allowed)
    if pause.crowded:
        allowed = "places"
    return ms(pause.until), flag(pause.named), flag(pause.project), allowed


def _suspend(suspension: Suspension | None) -> tuple[str, str, int | str]:
    return (suspension.code, suspension.words, suspension.version) if suspension else ("", "", "")


def _fields(flat: Sequence[bytes]) -> dict[str, str]:
    """A job's fields.

    The script has seen to those that count; of the others none may keep a worker from its job.
    """
    pairs = zip(flat[0::2], flat[1::2], strict=True)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in pairs}


def _count(text: str) -> int:
    """How often in a row; 0 where something else stands."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _moment(text: str) -> float | None:
    """A time, in seconds; None where there is none, or something else stands."""
    return int(text) / 1000 if text.isascii() and text.isdigit() and len(text) < 16 else None


def _refused_token(detail: str) -> str | None:
    """Which token the last attempt met as expired, if its detail says so."""
    try:
        read = json.loads(detail)
    except (ValueError, RecursionError):
        return None
    token = read.get("token") if isinstance(read, dict) else None
    return token if isinstance(token, str) else None
