"""A storm of campaigns from beginning to end.

A deployment, campaigns that people change all the while, blows, calm, the end of all campaigns, and
the reading.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certmail_config.sql.engine import open_database, upgrade
from certmail_config.tenants.api_keys import KeyScope
from chaos import plan
from chaos import reading as chaos_reading
from chaos.campaigns import reading
from chaos.campaigns.cast import cast
from chaos.campaigns.facts import CampaignRead
from chaos.campaigns.scoreboard import CampaignFinding, found
from chaos.campaigns.story import Act, Deed, story
from chaos.campaigns.upstream import ASK_SECONDS, CampaignUpstream
from chaos.cutter import cutter
from chaos.facts import Read
from chaos.fleet import Fleet
from chaos.injector import Injector
from chaos.plan import Fault, Kind, Storm
from chaos.retrying import BUSY, patiently
from chaos.run import PATIENCE, SETTINGS, at_work, connect, mailbox_of
from chaos.settling import settle
from support.deployment.deployment import Deployment, new_deployment, recorded_in
from support.servers.postgres import Postgres, postgres
from support.servers.restorable import server

TENANTS: Final = 2
UNITS: Final = 18_000
"""Three mails a second of each mailbox: so few that people change what waits for its turn."""
KINDS: Final = frozenset(
    {Kind.KILL, Kind.KEEPER, Kind.FREEZE, Kind.REDIS, Kind.GATEWAY, Kind.SQL, Kind.GOOGLE}
)
FAULTS: Final = frozenset(
    {Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.RESET_AFTER, Fault.SLOW, Fault.REFUSED}
)
DURABLE: Final = ("fsync=off", "full_page_writes=off")
"""A server that is killed has written what was committed; only the machine must not fail."""
LOOK_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class CampaignStorm:
    """How hard it blows on how many campaigns; `database` is sqlite or postgresql."""

    database: str
    campaigns: int = 6
    reviewers: int = 12
    workers: int = 3
    seconds: float = 20.0
    every: float = 4.0
    seed: int = 0
    blows: frozenset[Kind] = KINDS
    to_the_end: bool = False
    """Whether it is waited for until the planner has noted what became of the last mail."""

    def as_storm(self) -> Storm:
        """The blows, as after every storm."""
        return Storm(
            reminders=2 * self.campaigns * self.reviewers,
            tenants=TENANTS,
            workers=self.workers,
            seconds=self.seconds,
            every=self.every,
            seed=self.seed,
            blows=self.blows | {Kind.GATEWAY},
            faults=FAULTS,
        )


@dataclass(frozen=True, slots=True)
class CampaignsWeathered:
    """A storm that is over."""

    read: CampaignRead
    found: list[CampaignFinding]
    faults: Counter[str]
    again: int
    """How often upstream had no answer, and told the same again."""
    missed: Counter[str]
    storm_seconds: float
    settle_seconds: float


def weather(
    storm: CampaignStorm, folder: Path, settle_seconds: float, say: Callable[[str], None]
) -> CampaignsWeathered:
    """Let it blow in a folder of its own, and read what is there afterwards."""
    with ExitStack() as stack:
        redis = stack.enter_context(server(folder / "redis"))
        between = stack.enter_context(cutter(redis.socket))
        database, settings = stack.enter_context(_database(storm))
        place = stack.enter_context(
            new_deployment(folder, **SETTINGS, **settings, CERTMAIL_REDIS_URL=redis.url)
        )
        tenants = connect(place, storm.as_storm(), UNITS)
        fleet = Fleet(
            lambda: place.worker(CERTMAIL_REDIS_URL=between.url),
            lambda: chaos_reading.workers(redis.url),
        )
        injector = Injector(place, redis, between, fleet, list(tenants), database=database)
        stack.enter_context(at_work(place, injector, storm.as_storm()))
        campaigns = list(cast(list(tenants), storm.campaigns, storm.reviewers))
        upstream = CampaignUpstream(
            place.gateway, _key(place, list(tenants)), story(campaigns, storm.seconds, storm.seed)
        )

        say(f"{len(campaigns)} campaigns of {len(tenants)} tenants; it blows {storm.seconds:g} s")
        began = time.monotonic()
        upstream.start()
        injector.fall(plan.plan(storm.as_storm()), lambda: None)
        injector.over()
        _wait(injector, upstream.left, settle_seconds)
        calm_at = time.monotonic()

        say(f"calm after {calm_at - began:.0f} s; what is left of today leaves")
        _wait(injector, lambda: reading.left_today(place), settle_seconds)
        upstream.finish([Act(storm.seconds, Deed.STOP, each) for each in campaigns])
        _wait(injector, upstream.left, settle_seconds)

        say("every campaign is stopped; what remains settles")
        _wait(injector, lambda: reading.left_today(place), settle_seconds)
        if storm.to_the_end:
            _wait(injector, lambda: reading.left_to_plan(place), settle_seconds)
        boxes = patiently(lambda: reading.tenants_of_jobs(place))
        looked_up = frozenset(job for job, tenant in boxes.items() if tenants[tenant])
        jobs = {job: mailbox_of(tenant) for job, tenant in boxes.items()}
        settle(place, fleet, jobs, looked_up, settle_seconds, negatives_verified=False)
        settled_at = time.monotonic()

        say(f"at rest after {settled_at - calm_at:.0f} s; reading")
        fleet.end()
        upstream.join(ASK_SECONDS)
        read = patiently(lambda: _read(injector, upstream, jobs, looked_up))
        return CampaignsWeathered(
            read,
            found(read),
            Counter(request.fault for request in read.read.requests if request.fault),
            upstream.again,
            Counter(injector.missed),
            calm_at - began,
            settled_at - calm_at,
        )


@contextmanager
def _database(storm: CampaignStorm) -> Iterator[tuple[Postgres | None, dict[str, str]]]:
    """Where the record is, and the settings for that."""
    if storm.database == "sqlite":
        yield None, {}
        return
    with postgres(DURABLE) as made:
        engine = open_database(made.url())
        upgrade(engine)
        engine.dispose()
        yield made, recorded_in(made.url())


def _key(place: Deployment, tenants: Sequence[str]) -> str:
    given = ["--scope", KeyScope.CAMPAIGNS_WRITE]
    for each in tenants:
        given += ["--tenant", each]
    return str(place.ask("keys", "create", "upstream", *given)["key"])


def _wait(injector: Injector, left: Callable[[], int], seconds: float) -> None:
    """Wait until nothing is left, or nothing has got on for so many seconds.

    The scoreboard names what is left then.
    """
    fewest, deadline = 10**9, time.monotonic() + seconds
    while time.monotonic() < deadline:
        injector.mind()
        with suppress(*BUSY):
            now = left()
            if not now:
                return
            if now < fewest:
                fewest, deadline = now, time.monotonic() + seconds
        time.sleep(LOOK_SECONDS)


def _read(
    injector: Injector,
    upstream: CampaignUpstream,
    jobs: dict[str, str],
    looked_up: frozenset[str],
) -> CampaignRead:
    place = injector.place
    standing, attempts = chaos_reading.record(place)
    mailboxes = sorted(set(jobs.values()))
    return CampaignRead(
        read=Read(
            receipts=jobs,
            looked_up=looked_up,
            copies=chaos_reading.copies(place, mailboxes),
            ledger=chaos_reading.ledger(place.admin.redis),
            record=standing,
            attempts=attempts,
            requests=chaos_reading.requests(place, "/messages/send"),
            troubles=[*injector.troubles, *injector.fleet.troubles],
            doctor=chaos_reading.doctor(place),
            patience=PATIENCE,
        ),
        planned=reading.planned(place),
        jobs=reading.jobs(place),
        to=reading.addresses(place, mailboxes),
        told=upstream.told,
        wrong=[*upstream.wrong, *(["it was not answered to the end"] if upstream.left() else [])],
    )
