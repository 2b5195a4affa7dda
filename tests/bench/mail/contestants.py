"""The contestants: how each is started, fed, and known to have finished.

And what its row includes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from redis import Redis

from bench.environments import HERE
from bench.mail import deployment
from bench.mail.place import Place
from certmail_config.tenants.models import GoogleLimits

PEERS = HERE / "peers"
LATENCIES_MS = (0, 150)
CERTMAIL_MAILS = 1500


def _empty(place: Place) -> None:
    with Redis.from_url(place.redis_url(1)) as redis:
        redis.flushdb()


@dataclass(frozen=True, slots=True)
class Contestant:
    """A contestant, which is one row of the table.

    `start` gives the measured processes first, then others that belong to it but are not measured.
    """

    name: str
    includes: str
    warm: int
    """Mails before the measurement."""
    mails: int
    """Mails of each measurement; the slow ones get fewer."""
    concurrency: int
    start: Callable[[Place, int], Iterator[list[subprocess.Popen[bytes]]]]
    enqueue: Callable[[Place, int, int], set[str]]
    """(place, first number, count) -> ids of the mails."""
    done: Callable[[Place], bool]
    """Whether all is acknowledged, once all has been received."""
    before: Callable[[Place], object] = field(default=_empty)
    workers: int = 1
    """How many of its processes are measured."""
    last: bool = False
    """It leaves the server in another state: its rounds come after those of all others."""

    @contextmanager
    def started(self, place: Place) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Run its processes."""
        yield from self.start(place, self.concurrency)


def _peer(
    environment: str, command: Sequence[str], log: str
) -> Callable[[Place, int], Iterator[list[subprocess.Popen[bytes]]]]:
    def start(place: Place, concurrency: int) -> Iterator[list[subprocess.Popen[bytes]]]:
        words = [word.replace("{concurrency}", str(concurrency)) for word in command]
        variables = {"BENCH_CONCURRENCY": str(concurrency), "PYTHONPATH": str(PEERS)}
        with place.running(
            [place.pythons[environment], "-m", *words], log=f"{log}.log", **variables
        ) as process:
            yield [process]

    return start


def _by_its_own_client(environment: str, script: str) -> Callable[[Place, int, int], set[str]]:
    """Enqueue as its users do, in a process of its own.

    The message carries the mailbox and the ready mail.
    """

    def enqueue(place: Place, first: int, count: int) -> set[str]:
        command = [place.pythons[environment], str(PEERS / script), str(first), str(count)]
        variables = place.environment(PYTHONPATH=str(PEERS))
        ran = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
        return set(ran.stdout.split())

    return enqueue


def _counts(*commands: tuple[str, str]) -> Callable[[Place], bool]:
    """Whether all these keys of database 1 are empty."""

    def done(place: Place) -> bool:
        with Redis.from_url(place.redis_url(1)) as redis:
            return not any(cast("Any", redis.execute_command(*command)) for command in commands)

    return done


def _stream_is_acknowledged(place: Place) -> bool:
    with Redis.from_url(place.redis_url(1)) as redis:
        return bool(cast("Any", redis.xpending("taskiq", "taskiq"))["pending"] == 0)


def _certmail(place: Place, _: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [place.pythons["certmail"], "-m", "certmail_worker", "worker"]
    with place.running(command, log="certmail.log", **deployment.environment(place)) as process:
        yield [process]


def _two_workers(place: Place, _: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [place.pythons["certmail"], "-m", "certmail_worker", "worker"]
    variables = deployment.environment(place)
    with ExitStack() as stack:
        yield [
            stack.enter_context(place.running(command, log=f"worker-{n}.log", **variables))
            for n in range(2)
        ]


def _transport(place: Place, _: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    python, variables = place.pythons["certmail"], deployment.environment(place)
    command = [python, "-m", "celery", "-A", "bench.ready_app", "--quiet", "worker"]
    # As `certmail worker`.
    command += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]

    with ExitStack() as stack:
        services = stack.enter_context(
            place.running([python, "-m", "bench.mail.services"], log="services.log", **variables)
        )
        yield [
            stack.enter_context(place.running(command, log="transport.log", **variables)),
            services,
        ]


def _by_mailer(place: Place, _: int, count: int) -> set[str]:
    return deployment.enqueue(place, count)


def _certmail_is_done(place: Place) -> bool:
    return deployment.all_final(place.redis) and deployment.all_recorded(place)


def _certmail_is_done_beside_a_million(place: Place) -> bool:
    return deployment.all_final(place.redis, waiting=deployment.MILLION) and (
        deployment.all_recorded(place)
    )


def _with_a_million(place: Place) -> None:
    deployment.set_limits(place, deployment.LIMITS)
    deployment.fill(place)


def _with_limits(limits: GoogleLimits) -> Callable[[Place], None]:
    return lambda place: deployment.set_limits(place, limits)


_CELERY = ("celery", "-A")
_WORKER = ("worker", "-E", "-l", "WARNING", "-P", "prefork", "-c", "{concurrency}")
_CELERY_IS_DONE = _counts(("LLEN", "celery"), ("HLEN", "unacked"))


def contestants(mailboxes: int) -> list[Contestant]:
    """All of them; the slow ones get fewer mails."""
    ours: dict[str, Any] = {
        "warm": mailboxes,
        "mails": CERTMAIL_MAILS,
        "concurrency": deployment.CONCURRENCY,
    }
    return [
        Contestant(
            "Celery, textbook",
            "prefork; credentials and Google's service made in each task: a token request and two TLS handshakes a mail; "
            "message ready; task events",
            warm=16,
            mails=160,
            concurrency=8,
            start=_peer("celery", [*_CELERY, "textbook", *_WORKER], "textbook"),
            enqueue=_by_its_own_client("celery", "textbook.py"),
            done=_CELERY_IS_DONE,
        ),
        Contestant(
            "Celery, tuned",
            "prefork; Google's service, connection and tokens kept in each process; message ready; task events",
            warm=200,
            mails=1200,
            concurrency=32,
            start=_peer("celery", [*_CELERY, "tuned", *_WORKER], "tuned"),
            enqueue=_by_its_own_client("celery", "tuned.py"),
            done=_CELERY_IS_DONE,
        ),
        Contestant(
            "dramatiq",
            "one process of 64 threads, async actors on one loop, one aiohttp session, tokens in memory; message ready",
            warm=200,
            mails=1200,
            concurrency=64,
            start=_peer(
                "async",
                [
                    *("dramatiq", "dramatiq_worker", "--processes", "1"),
                    *("--threads", "{concurrency}", "--skip-logging"),
                ],
                "dramatiq",
            ),
            enqueue=_by_its_own_client("async", "dramatiq_worker.py"),
            done=_counts(("LLEN", "dramatiq:default"), ("HLEN", "dramatiq:default.msgs")),
        ),
        Contestant(
            "arq",
            "asyncio on uvloop, one aiohttp session, tokens in memory; message ready; no results kept",
            warm=1000,
            mails=4000,
            concurrency=500,
            start=_peer("async", ["arq", "arq_worker.Settings"], "arq"),
            enqueue=_by_its_own_client("async", "arq_worker.py"),
            done=_counts(("ZCARD", "arq:queue")),
        ),
        Contestant(
            "taskiq, stream",
            "asyncio on uvloop, one aiohttp session, tokens in memory; message ready; acknowledged when executed",
            warm=1000,
            mails=4000,
            concurrency=500,
            start=_peer(
                "async",
                [
                    *(
                        "taskiq",
                        "worker",
                        "taskiq_worker:broker",
                        "--workers",
                        "1",
                        "--no-configure-logging",
                    ),
                    *("--max-async-tasks", "{concurrency}", "--ack-type", "when_executed"),
                ],
                "taskiq",
            ),
            enqueue=_by_its_own_client("async", "taskiq_worker.py"),
            done=_stream_is_acknowledged,
        ),
        Contestant(
            "certmail, transport",
            "claim to settle with the message ready (bench.ready_app puts it in place of opening and composing), connection and token "
            "looked up, the write-ahead record, task events, log lines; pacer and recorder in another process, not counted",
            **ours,
            start=_transport,
            enqueue=_by_mailer,
            done=_certmail_is_done,
            before=_with_limits(deployment.LIMITS),
        ),
        Contestant(
            "certmail, whole mail",
            "all of it: pacing 2,000 mailboxes, doorbells, claim to settle, opening the sealed reminder, composing, recording to SQLite "
            "(enqueued, begun, settled: 3 events a mail), task events, log lines; the limit of the mailboxes' Cloud project is raised, "
            "as if there were many",
            **ours,
            start=_certmail,
            enqueue=_by_mailer,
            done=_certmail_is_done,
            before=_with_limits(deployment.LIMITS),
        ),
        Contestant(
            "certmail, whole mail, two workers",
            "the same by two worker processes, in all; what binds them is the machine",
            **ours,
            start=_two_workers,
            enqueue=_by_mailer,
            done=_certmail_is_done,
            before=_with_limits(deployment.LIMITS),
            workers=2,
        ),
        Contestant(
            "certmail, at one project's pace",
            "the same with Google's own limit of one Cloud project for all mailboxes, 196 mails a second and a burst of 490 at first: "
            "what one customer sees",
            **ours,
            start=_certmail,
            enqueue=_by_mailer,
            done=_certmail_is_done,
            before=_with_limits(deployment.ONE_PROJECT),
        ),
        Contestant(
            "certmail, whole mail, a million waiting",
            "as whole mail, while a million reminders of 1,000 other connections wait for their time; its rounds come after all others",
            **ours,
            start=_certmail,
            enqueue=_by_mailer,
            done=_certmail_is_done_beside_a_million,
            before=_with_a_million,
            last=True,
        ),
    ]
