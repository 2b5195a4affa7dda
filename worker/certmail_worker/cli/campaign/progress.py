"""`certmail campaign progress`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns.progress import report_progress
from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.reading.progress import NewsRead, read_news
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.running.progress import ProgressNews, ProgressVerdict
from certmail_config.settings import Settings
from certmail_worker.cli.campaign.files import read_bytes
from certmail_worker.cli.campaign.named import Named, find
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json

PAGE = 1000
_SHOWN = 20
_WORDS = {
    ProgressVerdict.TAKEN: "taken",
    ProgressVerdict.SAME: "known already",
    ProgressVerdict.OLDER: "older than what is known",
    ProgressVerdict.IN_THE_FUTURE: "of a time that has not come",
}


def progress(
    campaign: Named,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|-]",
            help="News in CSV or JSON lines: reviewer, pending, completed, and at or sequence.",
        ),
    ] = None,
    *,
    reviewer: Annotated[
        str | None, typer.Option(metavar="ID", help="In place of a file: news of this one.")
    ] = None,
    pending: Annotated[
        int | None, typer.Option(min=0, help="What is left to them; with 0 they are done.")
    ] = None,
    completed: Annotated[int | None, typer.Option(min=0, help="What they have decided.")] = None,
    json: Json = False,
) -> None:
    """Say what is left to reviewers. Who is done gets nothing more from now on.

    Older news never undoes newer; without a time or a sequence it is of now.
    """
    now = datetime.now(UTC)
    if (file is None) == (reviewer is None) or (reviewer is None) != (pending is None):
        raise WrongUse(
            "wrong_use", "Give a file of news, or --reviewer with --pending.", "One of both."
        )

    read = NewsRead()
    if file is not None:
        read = read_news(read_bytes(file), file, now)
    elif reviewer is not None and pending is not None:
        one = ProgressNews(reviewer=reviewer, pending=pending, completed=completed, at=now)
        read.news.append((1, one))

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        tenant, id_ = find(admin, campaign)
        verdicts = list(_report(admin, tenant, id_, [each for _, each in read.news]))

    counts = Counter(each for each in verdicts if each is not None)
    unknown = [
        BadRow(line, "reviewer", "unknown_reviewer", f"there is no reviewer {news.reviewer!r}")
        for (line, news), verdict in zip(read.news, verdicts, strict=True)
        if verdict is None
    ]
    bad = sorted([*read.bad, *unknown])
    if json:
        print_json(
            {
                **{str(each): counts[each] for each in ProgressVerdict},
                "rejected": [
                    {"line": each.row, "field": each.field, "code": each.code, "why": each.message}
                    for each in bad
                ],
            }
        )
    else:
        told = ", ".join(f"{counts[each]:,} {_WORDS[each]}" for each in _WORDS if counts[each])
        out.print(f"{told or 'Nothing taken'}; {len(bad):,} rejected.", markup=False)
        for each in bad[:_SHOWN]:
            err.print(f"line {each.row}: {each.message} ({each.code})", markup=False)
    if bad:
        raise typer.Exit(1)


def _report(
    admin: Admin, tenant: str, id_: str, news: Sequence[ProgressNews]
) -> Iterator[ProgressVerdict | None]:
    # Also of nothing: whether there is such a campaign is to be said.
    for start in range(0, max(len(news), 1), PAGE):
        yield from report_progress(admin, tenant, id_, news[start : start + PAGE])
