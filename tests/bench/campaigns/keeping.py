"""`make keeping`: what a campaign of 100,000 reviewers takes to put, to plan, to tell of, to stop.

    make keeping                        KEEPING="--reviewers 10000 --through 200" for fewer

Through a gateway's API, as an application does it: all reviewers, the same again, what comes next,
progress of all, and stop; and the planner's turns of all of it, beside another tenant. On SQLite and
on PostgreSQL, which write to disk what they say is written. Gateway, client, planner, Valkey and
database share the machine.

Then campaigns of `--through` reviewers are gone through from their first day to their last, for the
bytes of Redis that a reviewer takes: all in one zone, so that all have their mails at one time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.campaigns.life import life
from bench.campaigns.turns import plan_all
from certmail.client.campaigns import Campaigns
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.tenants.api_keys import KeyScope
from certmail_worker.recording.consistency import check
from support.campaigns.running import RunningCampaigns
from support.servers.gateway import gateway_of
from support.servers.postgres import postgres

THIS: Final = ("acme", "q4")
WRITTEN: Final = {
    "tenant": "acme",
    "id": "q4",
    "owner": "grc@acme.example",
    "link": "https://iga.acme.example/certifications/2036-q4?reviewer={reviewer}",
}
STARTS: Final = datetime(2036, 11, 3, 8, tzinfo=UTC)
DUE: Final = datetime(2036, 12, 12, 16, tzinfo=UTC)
BEFORE: Final = STARTS - timedelta(hours=10)
"""Nothing has left yet, in whichever zone."""
PRESETS: Final = ("standard", "strict")
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney")


def main() -> int:
    """Run it on both databases, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviewers", type=int, default=100_000)
    parser.add_argument("--through", type=int, default=1_000, help="0: none")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="keeping-") as folder:
        print_("SQLite")
        steps(Settings(data_dir=Path(folder) / "sqlite"), given.reviewers)

        print_("PostgreSQL")
        with postgres(options=()) as server:
            server.execute("CREATE DATABASE keeping")
            engine = open_database(server.url("keeping"))
            upgrade(engine)
            engine.dispose()
            settings = Settings(
                data_dir=Path(folder) / "postgresql", database_url=server.url("keeping")
            )
            steps(settings, given.reviewers)

        for preset in PRESETS if given.through else ():
            print_(f"{preset}, {given.through:,} reviewers, by weeks: bytes of Redis a reviewer")
            through(Settings(data_dir=Path(folder) / preset), preset, given.through)
    return 0


def steps(settings: Settings, number: int) -> None:
    """All that is done with a campaign, one after the other."""
    with open_admin(settings, make_key=True) as admin:
        check(admin.redis, admin.engine)
        others = RunningCampaigns(admin, BEFORE, "other")
        others.put(small_one(), [Reviewer.model_validate(person(n)) for n in range(50)])
        RunningCampaigns(admin, BEFORE, "acme")
        empty = used(admin)
        _, key = create_key(admin, "bench", tenants=["acme"], scopes=list(KeyScope))
        people = [person(n) for n in range(number)]
        news = [{"reviewer": each["id"], "pending": 0, "at": datetime.now(UTC)} for each in people]

        with gateway_of(admin) as url, Campaigns(url, key) as campaigns:
            campaigns.put(
                {
                    **WRITTEN,
                    "preset": "standard",
                    "start": STARTS,
                    "due": DUE,
                }
            )
            with timed(f"{number:,} reviewers put"):
                assert campaigns.reviewers(*THIS, people).added == number
            with timed("the same put again"):
                assert campaigns.reviewers(*THIS, people).unchanged == number
            with timed("what comes next"):
                assert campaigns.plan(*THIS)["later"] == 14 * number
            with timed("planned in turns, and recorded"):
                turns = plan_all(admin, "acme", ("other", "small"), BEFORE)
            assert turns.enqueued == number
            print_(
                f"    {turns.planning:.2f} s the planner's, {turns.recording:.2f} s the recorder's; "
                f"{turns.longest:.2f} s the longest turn, {turns.waited:.2f} s another tenant waited"
            )
            print_(f"  {(used(admin) - empty) / number:,.0f} bytes of Redis a reviewer, planned")
            with timed("progress of all"):
                assert all(each["verdict"] == "taken" for each in campaigns.progress(*THIS, news))
            with timed("shown"):
                assert campaigns.show(*THIS)["reviewers"]["complete"] == number
            print_(f"  {(used(admin) - empty) / number:,.0f} bytes of Redis a reviewer, all done")
            with timed("withdrawn in turns, and recorded"):
                turns = plan_all(admin, "acme", ("other", "small"), BEFORE)
            print_(
                f"    {turns.planning:.2f} s the planner's; {turns.longest:.2f} s the longest turn"
            )
            print_(f"  {(used(admin) - empty) / number:,.0f} bytes of Redis a reviewer, withdrawn")
            with timed("stopped"):
                campaigns.stop(*THIS)


def through(settings: Settings, preset: str, number: int) -> None:
    """The weeks of a campaign's life."""
    with open_admin(settings, make_key=True) as admin:
        check(admin.redis, admin.engine)
        written = {**WRITTEN, "name": "Quarterly access review", "preset": preset}
        campaign = Campaign.model_validate({**written, "start": STARTS, "due": DUE})
        people = [
            Reviewer.model_validate({**person(n), "time_zone": ZONES[0]}) for n in range(number)
        ]
        for week in life(admin, campaign, people):
            print_(
                f"  {week.begins}  {week.mean:6,.0f} on average, {week.peak:6,.0f} at most, "
                f"{week.mails:.1f} mails"
            )


def used(admin: Admin) -> int:
    """Bytes of Redis."""
    found: Any = admin.redis.info("memory")
    return int(found["used_memory"])


def small_one() -> Campaign:
    """Another tenant's."""
    written = {"tenant": "other", "id": "small", "preset": "standard"}
    return Campaign.model_validate({**written, "start": STARTS, "due": DUE})


def person(number: int) -> dict[str, Any]:
    """A reviewer with the usual fields."""
    return {
        "id": f"r{number}",
        "to": f"reviewer{number}@acme.example",
        "name": f"Reviewer {number}",
        "time_zone": ZONES[number % len(ZONES)],
        "manager": f"manager{number // 10}@acme.example",
        "pending": 1 + number % 20,
        "completed": 0,
    }


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long it took."""
    begun, used = time.perf_counter(), time.process_time()
    yield
    took, cpu = time.perf_counter() - begun, time.process_time() - used
    print_(f"  {took:6.2f} s  {what}  ({cpu:.2f} s of CPU, gateway and client)")


def print_(line: str) -> None:
    """A line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
