"""A storm from beginning to end.

A deployment, blows while reminders come and leave, calm, and the reading.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaos import plan, reading
from chaos.cutter import cutter
from chaos.facts import Read
from chaos.fleet import Fleet
from chaos.garbage import TENANT, GarbageThrower
from chaos.injector import Injector, make_way
from chaos.plan import Kind, Storm
from chaos.retrying import patiently
from chaos.scoreboard import Finding, Rule, findings
from chaos.settling import settle
from chaos.upstream import Upstream
from support.deployment.deployment import Deployment, new_deployment, wait_for
from support.servers.restorable import server

UNITS: Final = 60_000
"""A minute, of each mailbox, on both sides: so many that the storm and not the limit decides."""
SETTINGS: Final = {
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": f"{plan.HTTP_TIMEOUT_SECONDS:g}",
    "CERTMAIL_SEND_WINDOW_SECONDS": f"{plan.SEND_WINDOW_SECONDS:g}",
    "CERTMAIL_LEASE_SECONDS": f"{plan.LEASE_SECONDS:g}",
    # Longer than a fault accepts late, and than a worker stands still beyond its lease.
    "CERTMAIL_VERIFY_SECONDS": "12",
    "CERTMAIL_UNCERTAIN_5XX": "resend:5",
    "CERTMAIL_PROBE_SECONDS": "1",
}
PATIENCE: Final = plan.SEND_WINDOW_SECONDS + plan.HTTP_TIMEOUT_SECONDS + 1
"""How long a request may take from its begin until its answer is known and said."""
SAY_SECONDS: Final = 10.0
MAX_TURNS: Final = 3
ENOUGH: Final = 0.5
"""The part of all reminders that must have met the storm; it has another turn until they have."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long what remains may stand still until it has settled.

    And whether it is found out, too, that something was not sent.
    """

    settle_seconds: float = 120.0
    negatives_verified: bool = False


@dataclass(frozen=True, slots=True)
class Weathered:
    """A storm that is over: what was read, what is wrong with it, and how long it all took."""

    read: Read
    found: list[Finding]
    faults: Counter[str]
    """How many requests each of Google's faults hit."""
    cuts: int
    not_started: int
    """How often a worker found no Redis, and said so."""
    refused: int
    """How often the upstream application got no receipt, and sent the same again."""
    thrown: Counter[str]
    """Garbage, by its door."""
    answers: Counter[str]
    """What whoever abused an API key was answered."""
    missed: Counter[str]
    """What of the storm's own did not come about."""
    storm_seconds: float
    settle_seconds: float


def weather(storm: Storm, folder: Path, rules: Rules, say: Callable[[str], None]) -> Weathered:
    """Let it blow in a folder of its own, and read what is there afterwards."""
    with ExitStack() as stack:
        redis = stack.enter_context(server(folder / "redis"))
        between = stack.enter_context(cutter(redis.socket))
        place = stack.enter_context(
            new_deployment(folder, **SETTINGS, CERTMAIL_REDIS_URL=redis.url)
        )
        tenants = connect(place, storm)

        say(f"{storm.tenants} tenants are connected; a storm of {storm.seconds:g} s begins")
        fleet = Fleet(
            lambda: place.worker(CERTMAIL_REDIS_URL=between.url), lambda: reading.workers(redis.url)
        )
        injector = Injector(place, redis, between, fleet, list(tenants))
        if Kind.GARBAGE in storm.blows:
            injector.garbage = GarbageThrower(place, redis.url, place.link(TENANT, units=UNITS))
        upstream = Upstream(between.url, storm.reminders, list(tenants), storm.seconds)
        stack.enter_context(at_work(place, injector, storm))

        began = time.monotonic()
        _blow(storm, injector, upstream, say)
        calm_at = time.monotonic()

        say(f"calm after {calm_at - began:.0f} s; what remains settles")
        jobs = {job: mailbox_of(tenant) for job, tenant in upstream.receipts.items()}
        looked_up = frozenset(job for job, tenant in upstream.receipts.items() if tenants[tenant])
        all_jobs = jobs | dict.fromkeys(_got_in(injector), mailbox_of(TENANT))
        settle(place, fleet, all_jobs, looked_up, rules.settle_seconds, rules.negatives_verified)
        settled_at = time.monotonic()

        say(f"at rest after {settled_at - calm_at:.0f} s; reading")
        fleet.end()
        read = patiently(lambda: _read(injector, jobs, looked_up))
        asked = (*read.requests, *patiently(lambda: reading.requests(place, "/token")))

        return Weathered(
            read=read,
            found=_short_of(storm, upstream)
            + findings(read, negatives_verified=rules.negatives_verified),
            faults=Counter(request.fault for request in asked if request.fault),
            cuts=between.cuts,
            not_started=fleet.refused,
            refused=upstream.refused,
            thrown=injector.garbage.thrown if injector.garbage else Counter(),
            answers=injector.garbage.answers if injector.garbage else Counter(),
            missed=Counter(injector.missed),
            storm_seconds=calm_at - began,
            settle_seconds=settled_at - calm_at,
        )


def mailbox_of(tenant: str) -> str:
    """What a tenant sends from (support.deployment)."""
    return f"reviews@{tenant}.example"


def connect(place: Deployment, storm: Storm, units: int = UNITS) -> dict[str, bool]:
    """Make tenants with working connections; gives which allow a look among the sent mails.

    Every other does.
    """
    limits = {"units_per_minute": units, "in_flight": 1_000}
    place.control("PUT", "/limits", limits)
    tenants = {f"t{n:02}": n % 2 == 0 for n in range(storm.tenants)}
    for tenant, verify in tenants.items():
        place.link(tenant, units=units, verify=verify)
    return tenants


def _got_in(injector: Injector) -> set[str]:
    """The garbage that became a job: some of it Redis was not there for."""
    thrown = injector.garbage.jobs if injector.garbage else set()
    known = patiently(lambda: reading.ledger(injector.place.admin.redis))
    return thrown & known.keys()


@contextmanager
def at_work(place: Deployment, injector: Injector, storm: Storm) -> Iterator[None]:
    """The gateway, if it is to be hit, and the workers.

    Whatever happens, all of it can end in order afterwards.
    """
    if storm.blows & {Kind.GATEWAY, Kind.GARBAGE}:
        place.environment["CERTMAIL_REDIS_URL"], direct = injector.between.url, injector.redis.url
        injector.gateway = place.open_gateway()
        make_way(injector.gateway)
        place.environment["CERTMAIL_REDIS_URL"] = direct

    injector.fleet.fill(storm.workers)

    try:
        wait_for("the workers", lambda: place.workers() == storm.workers, 60)
        yield
    finally:
        injector.over()
        if injector.garbage:
            injector.garbage.over()
        injector.fleet.end()


def _blow(storm: Storm, injector: Injector, upstream: Upstream, say: Callable[[str], None]) -> None:
    """Let reminders come, and blows fall, until enough have met them."""
    began, place = time.monotonic(), injector.place

    def tell() -> None:
        passed = time.monotonic() - began
        say(f"{passed:4.0f} s: {len(upstream.receipts):,} receipts, {_arrived(place):,} accepted")

    upstream.start()
    tick = now_and_then(tell)
    for turn in range(MAX_TURNS):
        injector.fall(plan.plan(storm, turn), tick)
        if patiently(lambda: _arrived(place)) >= ENOUGH * storm.reminders:
            break

    injector.over()
    if injector.garbage:
        injector.garbage.over()
    upstream.join(storm.seconds + 60)


def _arrived(place: Deployment) -> int:
    return sum(request.status == 200 for request in reading.requests(place, "/messages/send"))


def _short_of(storm: Storm, upstream: Upstream) -> list[Finding]:
    """What the upstream application found wrong itself."""
    found = [Finding(Rule.MISSING, text) for text in upstream.wrong]
    if len(upstream.receipts) != storm.reminders:
        message = f"{len(upstream.receipts)} receipts for {storm.reminders} reminders"
        found.append(Finding(Rule.MISSING, message))
    return found


def _read(injector: Injector, jobs: dict[str, str], looked_up: frozenset[str]) -> Read:
    place = injector.place
    standing, attempts = reading.record(place)
    return Read(
        receipts=jobs,
        garbage=frozenset(injector.garbage.jobs if injector.garbage else ()),
        looked_up=looked_up,
        copies=reading.copies(place, sorted(set(jobs.values()))),
        ledger=reading.ledger(place.admin.redis),
        record=standing,
        attempts=attempts,
        requests=reading.requests(place, "/messages/send"),
        troubles=[*injector.troubles, *injector.fleet.troubles],
        doctor=reading.doctor(place),
        delays=reading.delays(place, jobs.keys()),
        patience=PATIENCE,
    )


def now_and_then(act: Callable[[], None]) -> Callable[[], None]:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() >= last + SAY_SECONDS:
            last = time.monotonic()
            act()

    return tick
