"""`make latency`: how long one urgent reminder takes in an idle system, and what idling costs.

`python -m bench.latency [--reminders 100] [--idle 20]`

One worker process with the shipped settings, a server that syncs each write, and an endpoint that
answers at once. A reminder is enqueued, its `accepted` is waited for, then the next; its two times
are the server's own, from the job. Then nothing is enqueued for a while, and the CPU that worker
and server use is measured.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from redis import Redis

from bench.environments import say
from bench.mail import deployment, mail, meter
from bench.mail.place import Place, place, wait_until
from certmail import Mailer
from certmail_config.base import redis_keys
from certmail_config.jobs.states import State

MAILBOXES = 100
"""They take turns, so that none waits for its own pace."""
REST_SECONDS = 0.13
"""Between two reminders, no multiple of what anybody sleeps."""


def main(arguments: list[str]) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reminders", type=int, default=100)
    parser.add_argument("--idle", type=float, default=20, help="seconds")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="certmail-latency-"))

    try:
        interpreters = {"certmail": sys.executable}
        with place(folder / "run", mailboxes=MAILBOXES, interpreters=interpreters) as ground:
            deployment.set_up(ground)
            ground.google.reset(0)
            _measure(ground, given.reminders, given.idle)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(ground: Place, reminders: int, idle_seconds: float) -> None:
    command = [sys.executable, "-m", "certmail_worker", "worker"]
    variables = deployment.environment(ground)
    with (
        ground.running(command, log="certmail.log", **variables) as worker,
        Redis(port=ground.redis_port, decode_responses=True) as redis,
        Mailer(ground.redis) as mailer,
    ):
        # Every mailbox has its token, and all code has run once.
        for number in range(MAILBOXES):
            mailer.send(_urgent(number))
        wait_until("the first of each mailbox", lambda: redis.zcard(redis_keys.DUE) == 0, 60)

        took = []
        for number in range(reminders):
            time.sleep(REST_SECONDS)
            took.append(_accepted_after_ms(redis, mailer.send(_urgent(MAILBOXES + number)).id))
        tenths = statistics.quantiles(took, n=10)
        say(
            f"{reminders} urgent reminders, one after the other, from receipt to accepted: "
            f"median {statistics.median(took):.0f} ms, nine in ten within {tenths[-1]:.0f} ms, "
            f"longest {max(took):.0f} ms."
        )

        say(f"Nothing is enqueued for {idle_seconds:.0f} s ...")
        time.sleep(2)
        cpu, server, begun = meter.cpu_ms(worker.pid), meter.server(ground.redis), time.monotonic()
        time.sleep(idle_seconds)
        passed = (time.monotonic() - begun) * 10  # a percent of a core, ms
        after = meter.server(ground.redis)
        say(
            f"Idle: the worker uses {(meter.cpu_ms(worker.pid) - cpu) / passed:.2f} % of a core, "
            f"the server {(after.cpu_ms - server.cpu_ms) / passed:.2f} %, "
            f"{(after.reads - server.reads) / idle_seconds:.0f} round trips a second."
        )


def _urgent(number: int) -> Any:
    box = number % MAILBOXES
    return mail.reminder(number, box, key=f"urgent-{number}", priority=0)


def _accepted_after_ms(redis: Redis, job: str) -> int:
    key = redis_keys.JOB + job
    wait_until(
        f"{job} to be accepted",
        lambda: redis.hget(key, "state") == State.ACCEPTED,
        30,
        every=0.005,
    )
    times = cast("list[str]", redis.hmget(key, ["enqueued_at", "finished_at"]))
    return int(times[1]) - int(times[0])


if __name__ == "__main__":
    main(sys.argv[1:])
