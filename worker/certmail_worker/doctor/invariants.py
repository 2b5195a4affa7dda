"""The ledger's invariants: what must hold of every key, whatever crashed.

They are checked page by page, so that nobody waits.

A job's own fields are the truth. Everything else is an index over them, and can be made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.ledger import run
from certmail_config.ledger.script import run_many
from certmail_config.ledger.upkeep import EVERY_JOB, inspect, mend

Mended = Literal["job", "key", "lane", "project", "tenant", "member"]

CODES: Final[dict[str, tuple[str, Mended, str]]] = {
    "job_broken": (
        "not in a form that can be read",
        "job",
        "end it as failed, or uncertain if it was under way",
    ),
    "not_due": (
        "unfinished, but nobody would ever look at it again",
        "job",
        "put it where its state says",
    ),
    "due_at_another_time": (
        "looked at at another time than its state says",
        "job",
        "put it where its state says",
    ),
    "will_be_forgotten": ("unfinished, but Redis would forget it", "job", "keep it"),
    "payload_missing": (
        "unfinished, but without content",
        "job",
        "end it as failed, or uncertain if a request was made",
    ),
    "no_request": (
        "uncertain, but of no request that is on record, so that nobody could settle them",
        "job",
        "presume the request that could have been made",
    ),
    "lane_missing": (
        "of a connection that is not known",
        "job",
        "let it wait for its connection if that is still set up, else end it as failed",
    ),
    "key_lost": ("whose key would be taken for a new reminder's", "job", "remember its key"),
    "in_no_lane": ("ready, but in no lane", "job", "put it into its lane"),
    "out_of_order": ("in the wrong place of its lane", "job", "put it into its place"),
    "not_in_later": ("scheduled, but not counted among what comes later", "job", "count it"),
    "not_leased": ("held by a worker, but not counted as such", "job", "count it"),
    "kept_for_ever": ("finished, but would be kept for ever", "job", "forget it after its time"),
    "payload_left": ("finished, but with its content still there", "job", "remove the content"),
    "payload_without_job": ("contents that belong to no job", "job", "remove them"),
    "key_without_job": ("keys that belong to no job", "key", "remove them"),
    "miscounted": (
        "tenants whose reminders are not counted rightly",
        "tenant",
        "add up what was counted each day",
    ),
    "misplaced": ("in an index where they do not belong", "member", "remove them from it"),
    "project_asleep": (
        "projects that lanes wait for and nobody would visit",
        "project",
        "let the pacer visit them",
    ),
    "lane_asleep": (
        "lanes with reminders that nobody would visit",
        "lane",
        "let the pacer visit them",
    ),
}
"""What is wrong, in words that follow "so many are", what is mended, and how."""

EXAMPLES: Final = 5
BATCH_SIZE: Final = 200


@dataclass(slots=True)
class Report:
    """What was looked at, and what broke which invariant."""

    looked_at: int = 0
    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def count(self) -> int:
        """How many things are wrong."""
        return sum(len(subjects) for subjects in self.found.values())


def find_violations(redis: Redis, progress: Callable[[int], None] = lambda _: None) -> Report:
    """Look at everything, some hundred keys for each call; raises RedisError.

    `progress` is told how many so far.
    """
    report = Report()
    waiting = [EVERY_JOB, redis_keys.DUE, redis_keys.LEASED, redis_keys.RINGING, redis_keys.UNSURE]
    while waiting:
        what, cursor = waiting.pop(0), 0

        while True:
            page = run(redis, inspect(what, cursor))
            report.looked_at += page.looked_at

            for code, subject in page.found:
                if code == "look":
                    waiting.append(subject)
                elif subject not in report.found[code]:  # a scan may show a key twice
                    report.found[code].append(subject)

            progress(report.looked_at)
            cursor = page.cursor
            if cursor == 0:
                break

    report.found = {code: subjects for code, subjects in report.found.items() if subjects}
    return report


def describe(code: str, subjects: list[str]) -> str:
    """The sentence that says what is wrong with these."""
    words, _, _ = CODES[code]
    few = ", ".join(_shown(subject) for subject in subjects[:EXAMPLES])
    are = "is" if len(subjects) == 1 else "are"
    more = " …" if len(subjects) > EXAMPLES else ""
    return f"{len(subjects)} {are} {words}: {few}{more}"


def mend_all(redis: Redis, report: Report) -> int:
    """Mend all that was found; gives how many. Raises RedisError.

    What has changed meanwhile is looked at again first.
    """
    calls = [
        mend(CODES[code][1], subject)
        for code, subjects in report.found.items()
        for subject in subjects
    ]
    for start in range(0, len(calls), BATCH_SIZE):
        run_many(redis, calls[start : start + BATCH_SIZE])

    return len(calls)


def _shown(subject: str) -> str:
    index, space, job = subject.rpartition(" ")
    return f"{job} in {index.removeprefix(redis_keys.TAG + ':')}" if space else subject
