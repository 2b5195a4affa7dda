"""The calls of upkeep: inspecting every key, mending what is wrong, restoring from the record.

Not part of a reminder's life; `certmail doctor` makes them, and `act` whoever does something. Times are seconds since 1970 here,
milliseconds inside Lua.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from certmail_config.base.ids import JobId
from certmail_config.jobs.states import State
from certmail_config.ledger.arguments import ms
from certmail_config.ledger.script import Call, load
from certmail_config.ledger.values import Act


class CheckedError(Exception):
    """The server is in use: somebody has repaired it, or restored the right data, meanwhile."""


EVERY_JOB = "keys"
"""What to inspect: jobs, payloads, dedupe keys and lanes.

Any other word is the name of a zset or set of jobs.
"""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look found: (code, subject); cursor 0 is the end."""

    cursor: int
    looked_at: int
    found: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownAttempt:
    """An attempt as the record knows it; `detail` is the ledger's own JSON."""

    n: int
    begun_at: float
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job as the record knows it: enough for the ledger to remember that it was."""

    tenant: str
    connection: str
    kind: str
    campaign: str
    dedupe: str
    fingerprint: str
    enqueued_at: float
    expires_at: float
    keep_seconds: float


@dataclass(frozen=True, slots=True)
class Restored:
    """The state that a job was put in, None if the server does not know it.

    `called_off` is a job that was the same reminder.
    """

    state: State | None
    called_off: JobId | None = None


def inspect(what: str, cursor: int, *, count: int = 500) -> Call[Findings]:
    """Look at a page of what there is."""

    def read(answer: list[bytes]) -> Findings:
        cursor, looked_at, *words = (word.decode() for word in answer)
        return Findings(
            int(cursor), int(looked_at), tuple(zip(words[0::2], words[1::2], strict=True))
        )

    return Call(load("inspect"), (what, cursor, count), read)


def mend(
    what: Literal["job", "key", "lane", "project", "tenant", "member"],
    subject: str,
    *,
    clock: float | None = None,
) -> Call[str]:
    """Mend what is wrong with the given keys.

    Make every index of a job anew from its own fields; remove what belongs to no job or not into
    its index; wake a lane or project; count a tenant anew.
    """
    return Call(load("mend"), (what, subject, ms(clock)), lambda answer: str(answer.decode()))


def restore(
    id: JobId,  # noqa: A002 - the job contract's own word
    *,
    to: State,
    reason: str,
    attempts: Sequence[KnownAttempt] = (),
    known: KnownJob | None = None,
    could_have_left: float | None = None,
    clock: float | None = None,
) -> Call[Restored]:
    """Put a job where the record says it is; `ready` leaves one that waits where it is.

    `could_have_left` is since when it could have, unrecorded: that is why it is held.
    """

    def read(answer: list[bytes]) -> Restored:
        if answer[0] == b"checked":
            raise CheckedError
        if answer[0] == b"missing":
            return Restored(None)
        return Restored(State(answer[1].decode()), JobId(answer[2].decode()) if answer[2] else None)

    made = [
        {
            "n": attempt.n,
            "begun_at": ms(attempt.begun_at),
            "outcome": attempt.outcome,
            "detail": attempt.detail,
        }
        for attempt in attempts
    ]
    return Call(
        load("restore"),
        (id, to, reason, json.dumps(made), _known(known), ms(could_have_left), ms(clock)),
        read,
    )


def _known(job: KnownJob | None) -> str:
    if job is None:
        return ""

    given: dict[str, Any] = {
        "tenant": job.tenant,
        "connection": job.connection,
        "kind": job.kind,
        "campaign": job.campaign,
        "priority": "5",
        "dedupe": job.dedupe,
        "fingerprint": job.fingerprint,
        "enqueued_at": ms(job.enqueued_at),
        "expires_at": ms(job.expires_at),
        "keep": ms(job.keep_seconds),
    }

    return json.dumps(given)


EVERYTHING = "*"
"""Stands for a tenant where the whole deployment is meant."""


def act(
    what: Act,
    tenant: str = EVERYTHING,
    *,
    connection: str = "",
    reason: str = "",
    by: str = "",
    clock: float | None = None,
) -> Call[None]:
    """Note what somebody did; `reason` says more of it, and names no reviewer.

    Empty, `by` is certmail itself.
    """
    args = (what, tenant, connection, reason, by, ms(clock))
    return Call(load("act"), args, lambda _: None)
