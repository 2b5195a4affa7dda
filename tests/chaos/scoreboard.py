"""The scoreboard: from what was read on both sides after a storm to what certmail did wrong. Pure.

Each promise is a rule, and each rule says for which job it was broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from chaos.facts import Attempt, Read, Request, Trouble

SLACK_SECONDS: Final = 1.0
"""How far apart two clocks' notes of the same moment may be."""
SETTLE_SECONDS: Final = 3.0
"""How long after Google's answer the ledger has it, on a slow machine too."""
AGAIN_SECONDS: Final = 6.0
"""How long after Redis is back whoever waits has tried again (backoff.STORE)."""


class Rule(StrEnum):
    """What must hold."""

    SENT_TWICE = "sent_twice"
    """Two copies only where `possible_duplicate` is on record."""
    COPY_DENIED = "copy_denied"
    """A copy's job is `accepted` or `uncertain`."""
    NEVER_SENT = "never_sent"
    """An accepted job has a copy."""
    DOUBT_WITHOUT_CAUSE = "doubt_without_cause"
    """What is uncertain was hit by something: a fault, or a kill or freeze of its worker."""
    DOUBT_LEFT = "doubt_left"
    """Where one may look, what was sent is found.

    With `negatives_verified`, what was not sent is sent again.
    """
    MISSING = "missing"
    """Each receipt has a job, and it has come to an end."""
    STRAY = "stray"
    """Nothing is sent or recorded for which no receipt was given."""
    DOCTOR = "doctor"
    """Doctor finds no error."""
    RECORDS_DIFFER = "records_differ"
    """Ledger and SQL say the same of each job."""
    OVER_LIMIT = "over_limit"
    """Google refuses nothing for a limit that certmail knows."""
    WORKER_ENDED = "worker_ended"
    """No worker ends that was at work, and none that could not begin says that all was well."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken."""

    rule: Rule
    message: str
    job: str | None = None


def findings(read: Read, *, negatives_verified: bool = False) -> list[Finding]:
    """What was found; empty after a storm that was weathered."""
    return [
        *_copies(read),
        *_ends(read),
        *_doubts(read),
        *_left(read, negatives_verified=negatives_verified),
        *_records(read),
        *_around(read),
    ]


def _copies(read: Read) -> Iterator[Finding]:
    for job, count in Counter(read.copies).items():
        if job in read.garbage:
            continue  # some of it can be understood, and is sent

        here = read.ledger.get(job)
        if job not in read.receipts:
            yield Finding(Rule.STRAY, f"{count} copies, but no receipt", job)
        elif here is not None and here.state not in {State.ACCEPTED, State.UNCERTAIN}:
            yield Finding(Rule.COPY_DENIED, f"{count} copies, but it is {here.state}", job)

        if count > 1 and not (here and here.possible_duplicate):
            yield Finding(
                Rule.SENT_TWICE, f"{count} copies, and no possible duplicate on record", job
            )


def _ends(read: Read) -> Iterator[Finding]:
    sent = set(read.copies)
    for job in (*read.receipts, *(read.garbage & read.ledger.keys())):
        here = read.ledger.get(job)
        if here is None:
            yield Finding(Rule.MISSING, "the ledger does not know it", job)
        elif here.state not in FINAL and not (here.state == State.UNCERTAIN and here.held):
            yield Finding(Rule.MISSING, f"it never came to an end: {here}", job)
        elif here.state == State.ACCEPTED and job not in sent and job not in read.garbage:
            yield Finding(Rule.NEVER_SENT, "it is accepted, but no copy arrived", job)


def _doubts(read: Read) -> Iterator[Finding]:
    of_job: dict[str, list[Request]] = {}
    nameless: dict[str, list[Request]] = {}

    for request in read.requests:
        found, key = (of_job, request.job) if request.job else (nameless, request.mailbox)
        found.setdefault(key or "", []).append(request)

    for attempt in read.attempts:
        if attempt.outcome not in {None, AttemptOutcome.UNKNOWN}:
            continue

        begun, latest = attempt.begun - SLACK_SECONDS, attempt.begun + read.patience
        near = [each for each in of_job.get(attempt.job, ()) if begun <= each.at <= latest]
        near += [
            each
            for each in nameless.get(read.receipts.get(attempt.job, ""), ())
            if begun <= each.at <= latest
        ]
        if any(each.leaves_in_doubt for each in near):
            continue

        answered = [each.at + SETTLE_SECONDS for each in near if each.job and each.was_answered]
        if not _lost(attempt, read, _known_until(attempt, read, min([latest, *answered]))):
            message = (
                f"request {attempt.n} of worker {attempt.worker}, begun at {attempt.begun:.3f},"
                " is unknown: nothing hit it"
            )
            yield Finding(Rule.DOUBT_WITHOUT_CAUSE, message, attempt.job)


def _known_until(attempt: Attempt, read: Read, until: float) -> float:
    """When at the latest its worker has recorded the outcome of an attempt.

    While it stands still or has no Redis, it cannot.
    """
    for trouble in sorted(read.troubles, key=lambda each: each.began):
        stands_still = trouble.kind == "freeze" and trouble.worker == attempt.worker
        if trouble.ended < attempt.begun - SLACK_SECONDS or trouble.began > until:
            continue
        if stands_still or trouble.kind in {"redis", "cut"}:
            until = max(until, trouble.ended + (read.patience if stands_still else AGAIN_SECONDS))

    return until


def _lost(attempt: Attempt, read: Read, until: float) -> bool:
    """Whether its worker was killed or stood still before it could record the outcome.

    That counts while the request was under way.

    That Redis was away is no cause: who lives on says what it knows as soon as it is back.
    """
    return any(
        trouble.worker == attempt.worker
        and trouble.kind in {"kill", "freeze"}
        and _on_its_way_until(trouble, read) >= attempt.begun - SLACK_SECONDS
        and trouble.began <= until
        for trouble in read.troubles
    )


def _on_its_way_until(trouble: Trouble, read: Read) -> float:
    """Until when what a worker wrote before this trouble may still arrive.

    What is held on the way to Redis outlives who wrote it.
    """
    held = (
        each.ended
        for each in read.troubles
        if each.kind == "cut" and each.began <= trouble.ended <= each.ended
    )
    return max([trouble.ended, *held])


def _left(read: Read, *, negatives_verified: bool) -> Iterator[Finding]:
    sent = set(read.copies)

    for job in read.looked_up:
        here = read.ledger.get(job)
        if here is None or here.state != State.UNCERTAIN:
            continue

        if job in sent:
            yield Finding(
                Rule.DOUBT_LEFT, "its copy is among the sent mails, and was not found", job
            )
        elif negatives_verified:
            yield Finding(
                Rule.DOUBT_LEFT, "it is not among the sent mails, and was not sent again", job
            )


def _records(read: Read) -> Iterator[Finding]:
    for job in read.receipts:
        here, there = read.ledger.get(job), read.record.get(job)
        if here is not None and here != there:
            yield Finding(Rule.RECORDS_DIFFER, f"ledger: {here}; SQL: {there}", job)
    for job in (read.record.keys() | read.ledger.keys()) - read.receipts.keys() - read.garbage:
        yield Finding(Rule.STRAY, f"no receipt was given for it; SQL: {read.record.get(job)}", job)


def _around(read: Read) -> Iterator[Finding]:
    for each in read.doctor:
        if each["severity"] == "error":
            yield Finding(Rule.DOCTOR, f"{each['check']}: {each['message']}")

    for request in read.requests:
        if request.fault is None and request.status in {403, 429}:
            yield Finding(Rule.OVER_LIMIT, f"{request.status} for {request.mailbox}", request.job)

    for trouble in read.troubles:
        if trouble.kind.startswith("ended"):
            yield Finding(
                Rule.WORKER_ENDED,
                f"worker {trouble.worker} {trouble.kind}, and nobody had killed it",
            )
