"""`make pace`: how much of Google's limits is used.

`python -m bench.pace [--seconds 120] [--mailboxes 300] [--stall 2]`

Two real worker processes send to the sandbox, which counts over Google's sliding minute, for two
real minutes each: one mailbox at its own limit, then many mailboxes at the limit that their project
sets. Half-way one of the workers is stopped for two seconds (SIGSTOP): the keeper, which paces, or
with `--frozen other` the other one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, cast

from certmail import Mailer, Receipt, Reminder
from certmail_config.base import redis_keys
from certmail_config.crypto.certificates import KeyPair, new_key_pair
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.sql import registry
from certmail_config.tenants.models import (
    SEND_SCOPE,
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
)
from certmail_config.tenants.working_copy import write_connection, write_deployment, write_tenant
from certmail_worker.google.token_client import Purpose
from support.deployment.deployment import Deployment, new_deployment
from support.processes.halt import Process

AIM = 0.97
"""The least share of a limit that is to be used (design.md, section 12)."""
MINUTE_SECONDS = 60.0
WARM_UP_SECONDS = 180
"""The longest time until all tokens are there.

It is half a minute for 300 of them on two cores, far more where others use those.
"""
CALM_SECONDS = 10
"""How much later counting begins.

What was late while tokens were fetched is made up for by then, and is not counted.
"""
KEEPER_SECONDS = 10
SPARE_SECONDS = 120
"""For so much longer than is counted there is mail waiting."""
WORKERS = 2
ACCOUNT = "certmail@pace-it.iam.gserviceaccount.com"
EACH_A_MINUTE = 10
"""What each of many mailboxes may send a minute, when their project's limit is shared evenly."""


class VoidError(Exception):
    """The run proves nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Case:
    """The case to measure: so many mailboxes of one project, at the limits that Google sets them.

    `a_minute` is how many mails that allows in all.
    """

    name: str
    mailboxes: int
    limits: GoogleLimits
    a_minute: int

    def waiting_each(self, seconds: float) -> int:
        """How many reminders each mailbox has to send, so that it never runs dry."""
        return 1 + int(self.a_minute * (seconds + SPARE_SECONDS) / MINUTE_SECONDS / self.mailboxes)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a case, by the sandbox's own record.

    `allowed` and `arrived` are of the time counted, the rest of the whole run.
    """

    case: str
    mailboxes: int
    seconds: float
    allowed: int
    arrived: int
    share: float
    refused: int
    most_in_a_minute: int
    limit_a_minute: int
    twice: int
    other_answers: dict[str, int]
    stopped: str = ""
    slowest_write_ms: int = 0

    @property
    def good(self) -> bool:
        """Whether as much was used as is aimed at, and Google never had to say no."""
        return self.share >= AIM and self.refused == 0 and self.twice == 0


def cases(mailboxes: int) -> list[Case]:
    """The two cases: one mailbox at Google's default, and many in one project.

    The project allows them less than they could send.
    """
    alone = GoogleLimits()
    a_minute = mailboxes * EACH_A_MINUTE
    shared = GoogleLimits(project_units_per_minute=a_minute * SEND_UNITS)

    return [
        Case("one mailbox at its limit", 1, alone, alone.units_per_minute // SEND_UNITS),
        Case(f"{mailboxes} mailboxes at their project's", mailboxes, shared, a_minute),
    ]


def main() -> None:
    """Measure both cases; exit status 1 where less was used than is aimed at."""
    parser = argparse.ArgumentParser(prog="bench.pace", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=120, help="how long to count, of each case"
    )
    parser.add_argument("--mailboxes", type=int, default=300, help="of the second case")
    parser.add_argument(
        "--stall", type=float, default=2, help="for how long a worker is stopped half-way"
    )
    parser.add_argument(
        "--frozen", choices=("keeper", "other"), default="keeper", help="which worker is stopped"
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)

    try:
        results = [
            measure(case, given.seconds, given.stall, given.frozen)
            for case in cases(given.mailboxes)
        ]
    except VoidError as error:
        sys.exit(f"void: {error}")

    sys.stdout.write(_json(results) if given.json else table(results, given.stall))
    sys.exit(0 if all(result.good for result in results) else 1)


def _end(number: int, _: object) -> NoReturn:
    """However it is told to end, it ends all its processes, once."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def measure(case: Case, seconds: float, stall: float, frozen: str) -> Result:
    """Run a case; raises VoidError."""
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder,
        new_deployment(Path(folder)) as place,
    ):
        limits = ("units_per_minute", "project_units_per_minute")
        place.control("PUT", "/limits", {name: getattr(case.limits, name) for name in limits})

        _say(f"{case.name}: linking")
        linked = _link(place, case)
        each = case.waiting_each(seconds)
        _say(f"{case.name}: enqueueing {each * len(linked):,} reminders")
        _enqueue(place, linked, each)
        workers = [
            place.start("certmail_worker", "worker", log=f"worker-{n}.log") for n in range(WORKERS)
        ]
        _say(f"{case.name}: waiting for {WORKERS} workers and {len(linked)} tokens")
        since = _warm(place, linked)

        slowest = _pass(place, case, since, seconds / 2)
        name, process = _choose(place, workers, frozen)
        with _stopped(process):
            time.sleep(stall)
        slowest = max(slowest, _pass(place, case, since, seconds + 2))
        _check(place, linked, workers)
        asked = cast("list[dict[str, Any]]", place.control("GET", "/requests"))

    return replace(
        count(case, asked, since, seconds), stopped=name, slowest_write_ms=round(slowest)
    )


def count(case: Case, asked: Sequence[dict[str, Any]], since: float, seconds: float) -> Result:
    """The result of what the sandbox recorded.

    `seconds` are counted, from the first mail that arrived after `since` on. Raises VoidError if
    there was none.
    """
    arrived = sorted(_time(item) for item in asked if item["accepted"])
    first = next((at for at in arrived if at >= since), None)
    if first is None:
        raise VoidError("no mail has arrived in the time counted")

    counted = [at for at in arrived if first <= at < first + seconds]
    allowed = int(case.a_minute * seconds / MINUTE_SECONDS)
    statuses = [str(item["status"]) for item in asked]
    jobs = [item["certmail_id"] for item in asked if item["accepted"]]
    other = {
        status: statuses.count(status) for status in sorted({*statuses} - {"200", "403", "429"})
    }

    return Result(
        case=case.name,
        mailboxes=case.mailboxes,
        seconds=seconds,
        allowed=allowed,
        arrived=len(counted),
        share=round(len(counted) / allowed, 4),
        refused=statuses.count("403") + statuses.count("429"),
        most_in_a_minute=most_in_a_minute(arrived),
        limit_a_minute=case.a_minute,
        twice=len(jobs) - len(set(jobs)),
        other_answers=other,
    )


def most_in_a_minute(times: Iterable[float]) -> int:
    """The most that arrived in any minute, wherever it begins.

    Each counts until it is a minute old.
    """
    window, most = deque[float](), 0
    for at in times:
        window.append(at)
        while window[0] <= at - MINUTE_SECONDS:
            window.popleft()
        most = max(most, len(window))
    return most


def _time(item: dict[str, Any]) -> float:
    return datetime.fromisoformat(item["at"]).timestamp()


def _link(place: Deployment, case: Case) -> list[Connection]:
    """Make a tenant for each mailbox, all with one service account, and so in one project.

    In bulk, as in deployment.py.
    """
    pair, now, admin = new_key_pair(datetime.now(UTC)), datetime.now(UTC), place.admin
    place.control("POST", "/service-accounts", {"email": ACCOUNT, "project": "pace-it"})
    place.control("PUT", f"/service-accounts/{ACCOUNT}/delegation", {"scopes": [SEND_SCOPE]})
    place.control("POST", f"/service-accounts/{ACCOUNT}/keys", pair.certificate)

    with admin.db() as db:
        salt = registry.deployment_salt(db)
        made = [
            registry.add_tenant(db, admin.vault, f"t{n:04}", now) for n in range(case.mailboxes)
        ]
        linked = []
        for _, draft in made:
            registry.save_connection(db, _working(place, draft, pair))
            linked.append(registry.change_limits(db, draft.id, asdict(case.limits)))

    write_deployment(admin.redis, salt)

    for (tenant, _), connection in zip(made, linked, strict=True):
        place.control("POST", "/accounts", {"email": connection.mailbox})
        write_connection(admin.redis, admin.vault, connection, salt, settle_lane=True)
        write_tenant(admin.redis, admin.vault, tenant, [connection])

    return linked


def _working(place: Deployment, draft: Connection, pair: KeyPair) -> Connection:
    """The connection after an administrator has uploaded the certificate, and a probe passed."""
    return replace(
        draft,
        kind=ConnectionKind.CUSTOMER_OWNED_APP,
        state=ConnectionState.ACTIVE,
        mailbox=f"reviews@{draft.tenant}.example",
        service_account=ACCOUNT,
        private_key=place.admin.vault.seal(pair.private_key, owner=draft.owner),
        certificate=pair.certificate,
        not_after=pair.not_after,
    )


def _enqueue(place: Deployment, linked: Sequence[Connection], each: int) -> None:
    reminders = (
        Reminder(tenant=connection.tenant, to=f"reviewer{n}@people.example", campaign="pace")
        for n in range(each)
        for connection in linked
    )
    with Mailer(place.admin.redis) as mailer:
        answers = list(mailer.send_many(reminders))
    if not all(isinstance(answer, Receipt) and not answer.duplicate for answer in answers):
        raise VoidError("not every reminder was taken in")


def _warm(place: Deployment, linked: Sequence[Connection]) -> float:
    """Wait until all workers live and all mailboxes have their tokens.

    Gives when to begin counting. Raises VoidError if that takes too long.
    """
    names = [f"{redis_keys.TOKEN}{each.id}:{each.version}:{Purpose.SEND}" for each in linked]
    began = time.monotonic()

    while place.workers() < WORKERS or place.admin.redis.exists(*names) < len(names):
        if time.monotonic() > began + WARM_UP_SECONDS:
            raise VoidError(
                f"not all tokens are there after {WARM_UP_SECONDS} s:{_last_words(place)}"
            )
        time.sleep(0.1)

    _say(
        f"they are there after {time.monotonic() - began:.0f} s; counting begins in {CALM_SECONDS} s"
    )
    return time.time() + CALM_SECONDS


def _pass(place: Deployment, case: Case, since: float, until: float) -> float:
    """Let time pass, without asking the sandbox anything: it has enough to do.

    Gives the slowest durable write, ms.
    """
    slowest = 0.0
    while (left := since + until - time.time()) > 0:
        _say(f"{case.name}: {max(time.time() - since, 0):.0f} s", again=True)

        # As before each WAIT; it changes nothing.
        begun = time.perf_counter()
        place.admin.redis.set(redis_keys.WITNESS, b"")
        slowest = max(slowest, (time.perf_counter() - begun) * 1000)

        time.sleep(min(left, 0.5))

    return slowest


def _choose(place: Deployment, workers: Sequence[Process], frozen: str) -> tuple[str, Process]:
    # A machine with too much to do lets the lease run out now and then; somebody takes it again
    # within a second.
    deadline = time.monotonic() + KEEPER_SECONDS

    while (keeper := cast("bytes | None", place.admin.redis.get(redis_keys.KEEPER))) is None:
        if time.monotonic() > deadline:
            raise VoidError(f"nobody is the keeper:{_last_words(place)}")
        time.sleep(0.05)

    pid = int(keeper.decode().split(":")[-2])  # part of a worker's name
    chosen = next(process for process in workers if (process.pid == pid) == (frozen == "keeper"))
    return f"the {'keeper' if frozen == 'keeper' else 'worker that does not keep'}", chosen


@contextmanager
def _stopped(process: Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _check(place: Deployment, linked: Sequence[Connection], workers: Sequence[Process]) -> None:
    """There was always more to send, and somebody to send it."""
    if any(process.poll() is not None for process in workers):
        raise VoidError(f"a worker has ended by itself:{_last_words(place)}")

    with place.admin.redis.pipeline(transaction=False) as pipe:
        for connection in linked:
            pipe.zcard(redis_keys.LANE + connection.id)
        waiting = pipe.execute()

    if min(waiting) == 0:
        raise VoidError(f"{waiting.count(0)} mailboxes had nothing more to send")


def _last_words(place: Deployment) -> str:
    """The ends of the workers' logs."""
    logs = sorted(place.data_dir.glob("worker-*.log"))
    return "".join(
        f"\n{log.name}: {line}" for log in logs for line in log.read_text("utf-8").splitlines()[-3:]
    )


def _json(results: Sequence[Result]) -> str:
    shown = [asdict(result) | {"ok": result.good} for result in results]
    return (
        json.dumps({"ok": all(result.good for result in results), "cases": shown}, indent=1) + "\n"
    )


def table(results: Sequence[Result], stall: float) -> str:
    """The figures, and below them what they count."""
    head = (
        *("case", "stopped", "allowed", "arrived"),
        *("share used", "403 or 429", "most in a minute", "twice"),
    )
    rows = [
        (
            result.case,
            result.stopped,
            f"{result.allowed:,}",
            f"{result.arrived:,}",
            f"{result.share:.1%}{'' if result.share >= AIM else ' !'}",
            str(result.refused),
            f"{result.most_in_a_minute:,} of {result.limit_a_minute:,}",
            str(result.twice),
        )
        for result in results
    ]

    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]

    other = {f"{result.case}: {result.other_answers}" for result in results if result.other_answers}
    slowest = [f"{result.slowest_write_ms:,}" for result in results]
    notes = [
        f"Counted are the {results[0].seconds:g} seconds from the first mail that arrived {CALM_SECONDS} s after all workers lived and all",
        "mailboxes had their tokens: mail was leaving before already, and what was late by then is made up for. All figures are from the",
        "sandbox's own record; refusals, the fullest of all sliding minutes and mails that came twice are of the whole run.",
        f"{WORKERS} worker processes; half-way one was stopped for {stall:g} s. The aim: {AIM:.0%} used, and nothing refused.",
        f"Machine: {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f} in the last five minutes, the sandbox and all else included; of two durable writes a",
        f"second the slowest took {' and '.join(slowest)} ms. Where others use the machine, the share says little about certmail.",
        *(f"Other answers than 200: {each}" for each in sorted(other)),
    ]

    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", *notes]) + "\n"


def _say(text: str, *, again: bool = False) -> None:
    """Progress, for whoever watches; what changes all the time only on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}" if again else f"\r\033[K{text}\n")
    elif not again:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
