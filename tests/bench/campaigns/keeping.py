"""`make keeping`: what a campaign of 100,000 reviewers takes to put, to tell of, and to stop.

    make keeping                        KEEPING="--reviewers 10000" for fewer

Through a gateway's API, as an application does it: all reviewers, the same again, the plan, progress
of all, and stop; on SQLite and on PostgreSQL, which write to disk what they say is written. Gateway,
client, Valkey and database share the machine. No worker runs, so that nobody plans meanwhile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from certmail.client.campaigns import Campaigns
from certmail_config.admin.admin import open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.tenants.api_keys import KeyScope
from support.servers.gateway import gateway_of
from support.servers.postgres import postgres

THIS: Final = ("acme", "q4")
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney")


def main() -> int:
    """Run it on both databases, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviewers", type=int, default=100_000)
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
    return 0


def steps(settings: Settings, number: int) -> None:
    """All that is done with a campaign, one after the other."""
    with open_admin(settings, make_key=True) as admin:
        admin.add_tenant("acme")
        _, key = create_key(admin, "bench", tenants=["acme"], scopes=list(KeyScope))
        people = [person(n) for n in range(number)]
        news = [{"reviewer": each["id"], "pending": 0, "at": datetime.now(UTC)} for each in people]

        with gateway_of(admin) as url, Campaigns(url, key) as campaigns:
            campaigns.put(
                {
                    "tenant": "acme",
                    "id": "q4",
                    "start": datetime(2036, 11, 3, 8, tzinfo=UTC),
                    "due": datetime(2036, 12, 12, 16, tzinfo=UTC),
                    "preset": "standard",
                }
            )
            with timed(f"{number:,} reviewers put"):
                assert campaigns.reviewers(*THIS, people).added == number
            with timed("the same put again"):
                assert campaigns.reviewers(*THIS, people).unchanged == number
            with timed("what comes next"):
                assert campaigns.plan(*THIS)["later"] == 14 * number
            with timed("progress of all"):
                assert all(each["verdict"] == "taken" for each in campaigns.progress(*THIS, news))
            with timed("shown"):
                assert campaigns.show(*THIS)["reviewers"]["complete"] == number
            with timed("stopped"):
                campaigns.stop(*THIS)

        used: Any = admin.redis.info("memory")
        print_(f"  {used['used_memory'] / number:,.0f} bytes of Redis a reviewer, all done")


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
