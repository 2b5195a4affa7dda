"""What a full ledger costs: `python -m bench.million [--jobs 1000000]`, or `make million`.

The real scripts on a Valkey of its own with `appendfsync always`, first with a thousand waiting
jobs, then with all: bytes a job, and how long enqueue, dispatch, claim, begin and settle take. Then
`certmail doctor`'s look at every key.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from redis import Redis

from certmail_config.base.ids import ConnectionId, JobId, uuid7
from certmail_config.crypto.sealing import Sealer, new_pair
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.ledger import (
    Call,
    Claimed,
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
from certmail_worker.doctor.invariants import find_violations
from certmail_worker.recording.consistency import run_id
from support.servers import allocator
from support.servers.restorable import server

FEW = 1000
LANES = 1000
SAMPLES = 500
BATCH = 200
T = TypeVar("T")


def main() -> None:
    """Fill a ledger, measure it empty and full, and print the table."""
    parser = argparse.ArgumentParser(prog="bench.million", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    jobs: int = parser.parse_args().jobs

    with (
        allocator.as_shipped(),
        tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder,
        server(Path(folder)) as valkey,
    ):
        redis = Redis(unix_socket_path=str(valkey.socket))
        _measure(redis, jobs)
        redis.close()


def _measure(redis: Redis, jobs: int) -> None:
    run_many(redis, [set_lane(lane, code="", message="") for lane in _lanes()])
    run_many(redis, [open_lane(lane.connection, 1) for lane in _lanes()])
    redis.set("{certmail}:checked-run", run_id(redis))

    empty = _memory(redis)
    numbers = iter(range(jobs + 100 * FEW))
    _fill(redis, numbers, FEW)
    few = _steps(redis, numbers)

    begun = time.monotonic()
    _fill(redis, numbers, jobs - FEW)
    filled = time.monotonic() - begun
    full = _memory(redis)
    _wait_for_rewrite(redis)
    many = _steps(redis, numbers)

    begun = time.monotonic()
    report = find_violations(redis, lambda count: _say(f"doctor: {count:,} keys and entries"))
    doctor = time.monotonic() - begun

    _say("")
    sys.stdout.write(_table(few, many))
    sys.stdout.write(
        f"\n{jobs:,} waiting jobs, {(full - empty) / jobs:,.0f} bytes of Redis a job (payload of {len(_body(0))} bytes, event in the stream "
        f"included); doctor looked at {report.looked_at:,} keys and entries in {doctor:.1f} s and found {report.count} things wrong. "
        f"Enqueueing them took {filled:.0f} s, in which the server rewrote its file several times.\n"
    )


def _lanes() -> list[Lane]:
    return [Lane(ConnectionId(f"c{n}"), "acme", f"m{n}", 15_000, 4, 1) for n in range(LANES)]


_sealer = Sealer(new_pair()[1])


def _body(n: int) -> bytes:
    """A sealed reminder of the usual size."""
    reminder = Reminder(
        tenant="acme",
        to=f"reviewer{n}@people.example",
        name="Anna Beispiel",
        campaign="q4-2026",
        campaign_name="Quarterly access review, finance",
        pending=12,
        completed=3,
        link=f"https://iga.example/certifications/q4-2026/reviewers/{n}",
    )
    return _sealer.seal(
        reminder.model_dump_json(exclude_none=True).encode(),
        tenant="acme",
        job=JobId(f"j{n}"),
        now=time.time(),
    )


def _wait_for_rewrite(redis: Redis) -> None:
    """Wait until the server no longer rewrites its file.

    That goes on in another process, and takes a core for itself.
    """
    while redis.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.2)


def _fill(redis: Redis, numbers: Iterator[int], count: int) -> list[float]:
    """Enqueue so many; gives the milliseconds that each batch took."""
    body, took = _body(0), list[float]()

    for start in range(0, count, BATCH):
        calls = [
            _enqueue(n, body)
            for n, _ in zip(numbers, range(min(BATCH, count - start)), strict=False)
        ]
        begun = time.perf_counter()
        run_many(redis, calls)
        took.append((time.perf_counter() - begun) * 1000)
        if start % 20_000 == 0:
            _say(f"enqueued {start:,} of {count:,}")

    return took


def _enqueue(n: int, body: bytes) -> Call[Any]:
    now = time.time()
    return enqueue(
        id=JobId(uuid7(int(now * 1000))),
        tenant="acme",
        connection=ConnectionId(f"c{n % LANES}"),
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
        body=body,
    )


def _steps(redis: Redis, numbers: Iterator[int]) -> dict[str, float]:
    """The median milliseconds of each step, one at a time, disk included.

    Reminders are enqueued in batches, as a client does.
    """
    batches = _fill(redis, numbers, 50 * BATCH)
    took: dict[str, list[float]] = {
        name: [] for name in ("dispatch one", "claim", "begin", "settle")
    }

    def timed(name: str, call: Callable[[], T]) -> T:
        begun = time.perf_counter()
        answer = call()
        took[name].append((time.perf_counter() - begun) * 1000)
        return answer

    run(redis, advertise("w", 1000, seconds=3600))

    # Each of these functions is called at once, so that they see the loop's own job.
    for _ in range(SAMPLES):
        rung = timed("dispatch one", lambda: run(redis, dispatch(1)))
        for job in rung.jobs:
            claimed = timed(
                "claim",
                lambda: run(redis, claim(job, worker="w", nonce="n", lease_seconds=45)),  # noqa: B023
            )
            assert isinstance(claimed, Claimed), claimed
            timed("begin", lambda: run(redis, begin(claimed.job, lease_seconds=45)))  # noqa: B023
            call = settle(
                job, 1, Settlement(AttemptOutcome.ACCEPTED, State.ACCEPTED, ""), detail="{}"
            )
            timed("settle", lambda: run(redis, call))  # noqa: B023

    one_by_one = {name: statistics.median(values) for name, values in took.items() if values}
    return {f"enqueue {BATCH}": statistics.median(batches), **one_by_one}


def _memory(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])


def _table(few: dict[str, float], many: dict[str, float]) -> str:
    lines = [f"{'':18}{'a thousand':>14}{'all':>14}{'ratio':>8}"]
    for name, before in few.items():
        lines.append(
            f"{name + ', ms':18}{before:>14.3f}{many[name]:>14.3f}{many[name] / before:>8.2f}"
        )
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    """Progress, for whoever watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
