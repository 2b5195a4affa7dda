"""`certmail campaign run`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns import views
from certmail_config.admin.campaigns.reviewers import put_reviewers
from certmail_config.admin.campaigns.running import Put, put_campaign
from certmail_config.base.ids import uuid7
from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.reviewer import Reviewer
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.campaigns import find_campaign
from certmail_config.sql.campaigns.reviewers import ids_of_reviewers
from certmail_worker.cli.campaign.files import read_files
from certmail_worker.cli.campaign.shown_running import (
    changed_fields,
    show_next,
    show_waits,
    view_json,
    waits_for,
)
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.for_good import ask
from certmail_worker.cli.support.output import Json, err, out, print_json

PAGE = 1000
_BAD = 20


def run(
    file: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign (TOML).")],
    *,
    reviewers: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Its reviewers, CSV or JSON lines. `-` is standard input."
        ),
    ],
    add: Annotated[
        bool,
        typer.Option("--add", help="Keep reviewers who are not in the file; else they go."),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Remove more than half of the reviewers without asking."),
    ] = False,
    json: Json = False,
) -> None:
    """Run a campaign: its reviewers are reminded as its plan says, from now on.

    Run again with changed files, it changes what is to come; what went stays. Who is wrong in the
    file is said; then nobody is removed, and the status is 1.
    """
    [enrolment], bad = (read := read_files([file], [reviewers], None)).enrolments, read.bad
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        if not (add or bad):
            _ask_for_many(admin, enrolment, reviewers, yes=yes)
        put = put_campaign(admin, enrolment.campaign)
        with _bar(len(enrolment.reviewers)) as advance:
            done = _put_all(admin, put, enrolment.reviewers, advance, remove=not (add or bad))

        tenant, id_ = put.kept.key
        view = views.view_campaign(admin, tenant, id_)
        now = datetime.now(UTC)
        plan = views.coming_of_campaign(admin, tenant, id_, now)
        waits = waits_for(admin, view.kept.campaign)

    if json:
        document = view_json(view, plan) | done.as_json()
        print_json(document | {"rejected": [_rejected(each) for _, each in bad]})
    else:
        _say(put, done, view)
        show_next(plan, view.kept.campaign.time_zone, view.kept.state)
        show_waits(waits)
        _say_bad(bad, reviewers)
    if bad:
        raise typer.Exit(1)


def _ask_for_many(admin: Admin, enrolment: Enrolment, file: str, *, yes: bool) -> None:
    """Ask before most reviewers go: the file may be another campaign's. Raises WrongUse."""
    tenant, id_ = enrolment.campaign.tenant, enrolment.campaign.id
    with admin.db() as db:
        if find_campaign(db, tenant, id_) is None:
            return
        there = set(ids_of_reviewers(db, tenant, id_))

    going = len(there - {each.id for each in enrolment.reviewers})
    if going * 2 > len(there):
        ask(
            f"{going:,} of the {len(there):,} reviewers of {tenant}/{id_} are not in {file}. Remove "
            "them, and what is known of their progress? (--add keeps them.)",
            yes=yes,
        )


@dataclass(slots=True)
class _Done:
    """How many reviewers were added, changed, left as they were, and removed."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("added", "changed", "unchanged", "removed"), 0)
    )
    kept_progress: int = 0

    def as_json(self) -> dict[str, Any]:
        return {**self.counts, "kept_progress": self.kept_progress}


def _put_all(
    admin: Admin,
    put: Put,
    rows: Sequence[Reviewer],
    advance: Callable[[int], None],
    *,
    remove: bool,
) -> _Done:
    tenant, id_ = put.kept.key
    roster = uuid7(int(datetime.now(UTC).timestamp() * 1000))
    done = _Done()
    for start in range(0, max(len(rows), 1), PAGE):
        page = rows[start : start + PAGE]
        last = remove and start + PAGE >= len(rows)
        became = put_reviewers(admin, tenant, id_, page, roster=roster, last=last)
        done.counts["added"] += len(became.page.added)
        done.counts["changed"] += len(became.page.changed)
        done.counts["unchanged"] += len(became.page.unchanged)
        done.counts["removed"] += len(became.removed)
        done.kept_progress += len(became.page.kept)
        advance(len(page))
    return done


def _say(put: Put, done: _Done, view: views.CampaignView) -> None:
    name = "/".join(put.kept.key)
    what = f"is {put.kept.state}" if put.kept.state != "running" else _became(put, done)
    numbers = ", ".join(f"{count:,} {each}" for each, count in done.counts.items() if count)
    reviewers, complete = _reviewers(view.reviewers.reviewers), view.reviewers.complete
    out.print(
        f"The campaign {name} {what}: {reviewers} ({numbers or 'none'}), {complete:,} of them done.",
        markup=False,
    )
    if put.was is not None and put.changed:
        for sentence in changed_fields(put.was.campaign, put.kept.campaign):
            out.print(f"  {sentence}", markup=False)
    if done.kept_progress:
        of = _reviewers(done.kept_progress)
        out.print(f"Of {of} newer progress is known than the file has; it stays.")


def _became(put: Put, done: _Done) -> str:
    if put.was is None:
        return "runs"
    if put.changed:
        return "is changed"
    other = any(done.counts[each] for each in ("added", "changed", "removed"))
    return "has changed reviewers" if other else "is as it was"


def _reviewers(count: int) -> str:
    return f"{count:,} reviewer{'' if count == 1 else 's'}"


def _say_bad(bad: Sequence[tuple[str, BadRow]], file: str) -> None:
    for _, each in bad[:_BAD]:
        named = f", {each.field}" if each.field else ""
        err.print(f"{file}, line {each.row}{named}: {each.message} ({each.code})", markup=False)
    if len(bad) > _BAD:
        err.print(f"{len(bad) - _BAD} more rows are wrong; --json names all.")
    if bad:
        err.print("They are not reminded, and nobody was removed: correct them, and run it again.")


def _rejected(each: BadRow) -> dict[str, Any]:
    return {"line": each.row, "field": each.field, "code": each.code, "why": each.message}


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show how far it has come, where somebody looks and there is something to see."""
    if not err.is_terminal or total <= PAGE:
        yield lambda _count: None
        return

    # Rich's progress takes longer to import than a page takes.
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=err.console, transient=True) as progress:
        task = progress.add_task("reviewers", total=total)
        yield lambda count: progress.update(task, advance=count)
