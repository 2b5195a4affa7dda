"""`make scripts`: what a mail's way through the ledger costs the server.

    make scripts                        SCRIPTS="--beside /path/to/another/checkout" to compare

The real scripts on a server of its own, without workers: reminders are enqueued, and each is leased,
claimed, begun and settled as accepted, a doorbell batch at a time. Counted are the commands that run
inside the scripts, which are exact, and the server's CPU, round trips and disk included. With
`--beside` the scripts of another checkout take turns with these.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Call,
    Claimed,
    Job,
    Lane,
    Settlement,
    advertise,
    begin,
    claim,
    dispatch,
    enqueue,
    open_lane,
    run,
    run_many,
    set_lane,
    settle,
)
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import embedded_server
from support.servers import allocator

STEPS = ("dispatch", "claim", "begin", "settle")
ROOMY = 10**8
"""Units a minute: no limit keeps anything here."""
WARM_UP_JOBS = 500
DETAIL = json.dumps(
    {"status": 200, "ms": 41, "message_id": "18c2f0a1b2c3d4e5", "token": "0" * 16, "bytes": 9000}
)
OURS = 3
"""INFO, between two looks at what was called."""
CHILD = "--as-json"
PACKAGES = ("config", "producers", "worker", "deploy")
T = TypeVar("T")
Costs = dict[str, dict[str, float]]
"""By step: `commands` and `us` of the server's CPU, a mail."""


class Meter:
    """What each step has cost the server."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.commands: defaultdict[str, int] = defaultdict(int)
        self.cpu: defaultdict[str, float] = defaultdict(float)

    def run(self, step: str, calls: Sequence[Call[T]]) -> list[T]:
        """All calls in one round trip."""
        commands, cpu = self._commands(), self._cpu()
        answers, _ = run_many(self.redis, calls)
        self.cpu[step] += self._cpu() - cpu
        self.commands[step] += self._commands() - commands - OURS
        return answers

    def _cpu(self) -> float:
        used: Any = self.redis.info("cpu")
        return float(used["used_cpu_sys"] + used["used_cpu_user"])

    def _commands(self) -> int:
        """All but the scripts themselves."""
        asked: Any = self.redis.info("commandstats")
        return sum(each["calls"] for name, each in asked.items() if name != "cmdstat_evalsha")


def measure(jobs: int, mailboxes: int, batch: int) -> Costs:
    """All jobs through the ledger, on a fresh server."""
    with (
        allocator.as_shipped(),
        tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder,
        embedded_server(Path(folder)) as url,
    ):
        redis = connect(url)
        _open(redis, mailboxes)
        _send(Meter(redis), WARM_UP_JOBS, mailboxes, batch, first=0)
        meter = Meter(redis)
        _send(meter, jobs, mailboxes, batch, first=WARM_UP_JOBS)
        redis.close()

    return {
        step: {"commands": meter.commands[step] / jobs, "us": meter.cpu[step] / jobs * 1e6}
        for step in STEPS
    }


def _open(redis: Redis, mailboxes: int) -> None:
    """Lanes, one for each mailbox, all in one project; and a worker."""
    server: Any = redis.info("server")
    redis.set(redis_keys.CHECKED_RUN, server["run_id"])
    lanes = [
        Lane(
            ConnectionId(f"c{n}"), "acme", f"m{n}", ROOMY, 50, 1,
            project="p", per_day=ROOMY, project_units_per_minute=100 * ROOMY,
            project_units_per_day=100 * ROOMY,
        )
        for n in range(mailboxes)
    ]  # fmt: skip
    run_many(redis, [set_lane(lane, code="", message="") for lane in lanes])
    run_many(redis, [open_lane(lane.connection, 1) for lane in lanes])
    run(redis, advertise("w", 10_000, seconds=3600))


def _send(meter: Meter, jobs: int, mailboxes: int, batch: int, *, first: int) -> None:
    now, left = time.time(), jobs
    enqueued = [_enqueue(n, n % mailboxes, now) for n in range(first, first + jobs)]
    for start in range(0, jobs, 200):
        run_many(meter.redis, enqueued[start : start + 200])

    while left:
        [rung] = meter.run("dispatch", [dispatch(batch)])
        if not rung.jobs:
            time.sleep(min(rung.next_in or 0, 0.01))
            continue
        _deliver(meter, rung.jobs)
        left -= len(rung.jobs)


def _deliver(meter: Meter, rung: Sequence[JobId]) -> None:
    answers = meter.run(
        "claim",
        [claim(job, worker="w", nonce=f"{job}-nonce", lease_seconds=45) for job in rung],
    )
    claimed: list[Job] = [answer.job for answer in answers if isinstance(answer, Claimed)]
    begun = meter.run("begin", [begin(job, lease_seconds=45, resend_after=900) for job in claimed])
    then = Settlement(AttemptOutcome.ACCEPTED, State.ACCEPTED, "")
    settled = meter.run("settle", [settle(job.id, 1, then, detail=DETAIL) for job in claimed])
    assert len(settled) == len(begun) == len(rung), answers
    assert set(settled) == {State.ACCEPTED}, settled


def _enqueue(n: int, mailbox: int, now: float) -> Call[Any]:
    return enqueue(
        id=JobId(f"0197f0a0-0000-7000-8000-{n:012}"),
        tenant="acme",
        connection=ConnectionId(f"c{mailbox}"),
        dedupe=f"acme:{n:032x}",
        fingerprint=f"{n:032x}",
        state=State.READY,
        reason="",
        send_at=None,
        expires_at=now + 14 * 86400,
        priority=5,
        kind="reminder",
        campaign="q4-2026",
        keep_seconds=90 * 86400,
        body=b"\x00" * 700,
    )


def main(arguments: list[str]) -> None:
    """Measure, in turns with another checkout if one is named, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=4_000, help="of each round")
    parser.add_argument("--mailboxes", type=int, default=200)
    parser.add_argument("--batch", type=int, default=25, help="doorbells of one dispatch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beside", type=Path, help="another checkout")
    parser.add_argument(CHILD, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)

    if given.as_json:
        print(json.dumps(measure(given.jobs, given.mailboxes, given.batch)))  # noqa: T201
        return

    trees = {"here": Path(__file__).parents[2]} | ({"beside": given.beside} if given.beside else {})
    found: dict[str, list[Costs]] = {name: [] for name in trees}
    for _ in range(given.rounds):
        for name, tree in trees.items():
            found[name].append(_in_a_process(tree, arguments))

    print(table(found))  # noqa: T201


def _in_a_process(tree: Path, arguments: list[str]) -> Costs:
    """One round with the packages of a checkout."""
    here = str(Path(__file__).parents[1])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([*(str(tree / name) for name in PACKAGES), here])
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.scripts", *arguments, CHILD],
        env=environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return cast("Costs", json.loads(done.stdout))


def table(found: dict[str, list[Costs]]) -> str:
    """A row for each step, and one for all of them; of several rounds the median."""
    lines = []
    for name, rounds in found.items():
        lines.append(f"{name + ', a mail':24}{'commands':>10}{'server CPU, µs':>16}")
        for step in (*STEPS, "all"):
            commands, us = (
                statistics.median(
                    sum(costs[each][what] for each in (STEPS if step == "all" else (step,)))
                    for costs in rounds
                )
                for what in ("commands", "us")
            )
            lines.append(f"  {step:22}{commands:>10.1f}{us:>16.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
