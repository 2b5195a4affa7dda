"""`make planning`: what planning costs: one campaign of 100,000 reviewers, and 1,000 small ones.

    make planning                       PLANNING="--reviewers 10000 --campaigns 100" for fewer

Reviewers are in twelve zones with their countries' holidays, a tenth has a deputy, a fifth is done.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from typing import Final

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment, make_plan
from certmail_config.campaigns.reading.reviewers import read_reviewers
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.campaigns.sent import Sent
from support.campaigns.written import BEFORE, BOSS, LATE, REGULAR, START, VERSIONS, campaign

BEGIN: Final = datetime(2026, 11, 2, 8, tzinfo=UTC)
MIDDLE: Final = datetime(2026, 11, 19, 20, tzinfo=UTC)
WEEK: Final = date(2026, 11, 9)
HEAD: Final = "id,to,time_zone,country,subdivision,manager,deputy,deputy_from,deputy_until,pending"
PLACES: Final = (
    "Europe/Berlin,DE,BE", "America/New_York,US,NY", "Asia/Tokyo,JP,", "Europe/London,GB,ENG",
    "Asia/Dubai,AE,", "America/Sao_Paulo,BR,SP", ",,", "Europe/Zurich,CH,ZH", "Asia/Kolkata,IN,MH",
    "Australia/Sydney,AU,NSW", "Europe/Paris,FR,", "America/Los_Angeles,US,CA",
)  # fmt: skip


def main() -> int:
    """Run it, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviewers", type=int, default=100_000)
    parser.add_argument("--campaigns", type=int, default=1_000)
    given = parser.parse_args()
    what = campaign(START, REGULAR, BEFORE, LATE, BOSS, cap_per_week=3)
    data = "\n".join([HEAD, *islice(rows(), given.reviewers)]).encode()

    with timed(f"{given.reviewers:,} reviewers read"):
        people = read_reviewers(data, "reviewers.csv", what).reviewers
    with timed("planned before the campaign begins"):
        made = make_plan([Enrolment(what, people)], BEGIN, VERSIONS)
    sys.stdout.write(f"  {len(made.moments):,} mails, {len(made.non_moments):,} that do not go\n")

    sent = [
        Sent(reviewer=m.reviewer, rule=m.rule, ordinal=m.ordinal, at=m.at, kind=m.kind)
        for m in made.moments
        if m.at < MIDDLE
    ]
    with timed(f"planned in the middle, {len(sent):,} having gone"):
        make_plan([Enrolment(what, people, sent=sent)], MIDDLE, VERSIONS)

    many = [Enrolment(small(what, number), hundred(people, number)) for number in range(given.campaigns)]  # fmt: skip
    with timed(f"a week of {given.campaigns:,} campaigns of 100 reviewers each"):
        make_plan(many, BEGIN, VERSIONS, until=WEEK)
    return 0


def rows() -> Iterator[str]:
    """Reviewers as a file has them."""
    number = 0
    while True:
        away = f"deputy{number}@acme.example,2026-11-05,2026-11-12" if number % 10 == 0 else ",,"
        boss = f"boss{number // 10}@acme.example" if number % 3 else ""
        place = PLACES[number % len(PLACES)]
        yield f"r{number},person{number}@acme.example,{place},{boss},{away},{number % 5}"
        number += 1


def small(what: Campaign, number: int) -> Campaign:
    """One of many campaigns, each of its own tenant."""
    return what.model_copy(update={"id": f"c{number}", "tenant": f"t{number}"})


def hundred(people: list[Reviewer], number: int) -> list[Reviewer]:
    """A hundred of them, the others for other campaigns."""
    first = number * 100 % max(1, len(people) - 99)
    return people[first : first + 100]


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how much CPU something took."""
    begun = time.process_time()
    yield
    sys.stdout.write(f"{what:60} {time.process_time() - begun:6.2f} s of CPU\n")


if __name__ == "__main__":
    sys.exit(main())
