"""`make year`: a year of quarterly campaigns, played in minutes; exit status 1 if it was not as planned.

    make year                       YEAR="--tenants 20" for a smaller one

Companies in twelve zones remind their reviewers of four campaigns. Planner, ledger, composing,
access tokens, Gmail's client and record are the running ones, Google is the sandbox in a process of
its own; only the clock is moved, certmail's and Google's alike. What should have gone says another
hand, with another library of times.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from year.picture import draw
from year.report import report, wrong
from year.run import YearPlan, play_year

BEFORE: Final = timedelta(days=20)
"""So long before a year begins its first campaigns are put, at the most."""
FARTHEST: Final = 9
"""Years: the sandbox's clock goes ten years ahead at most."""


def main() -> int:
    """Play it, print what came of it, and draw it."""
    first = (datetime.now(UTC) + BEFORE).year + 1
    parser = argparse.ArgumentParser(prog="year", description=__doc__)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--reviewers", type=int, default=300, help="of each tenant")
    parser.add_argument("--year", type=int, default=first, help="one to come")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--deployments", type=int, default=2, help="the companies are shared between; side by side"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write a picture of it (SVG)")
    given = parser.parse_args()
    if not first <= given.year <= first + FARTHEST - 1:
        # Google's clock only goes forward.
        parser.error(f"--year must be from {first} to {first + FARTHEST - 1}")

    deployments = min(given.deployments, given.tenants)
    plan = YearPlan(given.year, given.tenants, given.reviewers, given.seed, deployments)
    played = play_year(plan, _say)
    sys.stdout.write(report(played) + "\n")
    if given.picture is not None:
        given.picture.write_text(draw(played, given.year), "utf-8")
        _say(f"The picture is in {given.picture}")
    return 1 if wrong(played) else 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
