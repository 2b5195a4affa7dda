"""`certmail uncertain`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.settling.manual_resolution import ManualDecision, Resolved, resolve
from certmail_config.base.errors import WrongUse
from certmail_config.base.ids import job_id
from certmail_config.jobs.states import FINAL, State
from certmail_config.settings import Settings
from certmail_config.status.uncertain import list_uncertain
from certmail_worker.cli.support.actor import actor, user
from certmail_worker.cli.support.filters import Campaign, Tenant
from certmail_worker.cli.support.output import Json, err, out, print_json, table

ALL = 1_000_000


def list_(
    *,
    tenant: Tenant = None,
    campaign: Campaign = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="At most so many, the oldest first.")
    ] = 100,
    json: Json = False,
) -> None:
    """List those that are open, and who is to decide: a rule, somebody who looks, or you."""
    with open_admin(Settings.from_env(), actor=actor()) as admin, admin.db() as db:
        every = list_uncertain(db, admin.redis, tenant=tenant, campaign=campaign, limit=ALL)
    rows = every[:limit]
    if json:
        return print_json({"uncertain": rows, "total": len(every)})

    shown = ("job", "tenant", "recipient", "mailbox", "waits_for", "reason", "updated_at")
    table(shown, [[row[name] for name in shown] for row in rows])
    if len(rows) < len(every):
        err.print(
            f"\n{len(rows)} of {len(every)} shown, the oldest first. All: --limit {len(every)}"
        )
    return None


def settle(
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Ids, as `list` shows them.")
    ] = None,
    *,
    found: Annotated[
        ManualDecision,
        typer.Option(
            "--as",
            help="What you found: it arrived; it did not, and is sent again; or nobody can say, and it is closed.",
        ),
    ],
    tenant: Tenant = None,
    campaign: Campaign = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    reason: Annotated[str | None, typer.Option(help="For the record, beside by whom.")] = None,
    json: Json = False,
) -> None:
    """Say what became of reminders: of those named, or of all of a tenant, a campaign, or at all.

    Exit status 1 where not all of it could be done: what is not uncertain is left as it is, and
    what was called off meanwhile, or whose content was lost in a restore, is not sent again.
    """
    in_bulk = everything or tenant is not None or campaign is not None
    if bool(jobs) == in_bulk:
        raise WrongUse(
            "wrong_use",
            "Name JOBs, or say whose: --tenant, --campaign or --all.",
            "See `certmail uncertain list`.",
        )

    why = f"settled_by_hand: {f'{reason}; ' if reason else ''}{found} according to {user()}"

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        if in_bulk:
            with admin.db() as db:
                rows = list_uncertain(db, admin.redis, tenant=tenant, campaign=campaign, limit=ALL)
            jobs = [row["job"] for row in rows]
        results = resolve(admin.redis, [job_id(job) for job in jobs or []], found, why)

    _show(results, found, as_json=json)
    if any(not result.done or _disappoints(result, found) for result in results):
        raise typer.Exit(1)


def _disappoints(result: Resolved, found: ManualDecision) -> bool:
    """Whether it was to be sent again, and it ended instead.

    Called off meanwhile, say, or its content was lost in a restore.
    """
    return found is ManualDecision.SEND_AGAIN and result.state in FINAL


def _show(results: list[Resolved], found: ManualDecision, *, as_json: bool) -> None:
    done = sum(result.done for result in results)
    if as_json:
        print_json({"settled": done, "items": [asdict(result) for result in results]})
        return

    ended = sum(_disappoints(result, found) for result in results if result.done)
    out.print(f"{done} settled{f', {ended} of which are not sent again' if ended else ''}.")

    for result in results:
        if not result.done:
            err.print(f"{result.id} {_why_not(result.state)}: nothing was changed.")
        elif _disappoints(result, found):
            err.print(
                f"{result.id} is not sent again, it is {result.state}: see certmail status {result.id}"
            )


def _why_not(state: State | None) -> str:
    if state is None:
        return "is unknown, or forgotten"
    return "is still uncertain" if state is State.UNCERTAIN else f"is {state}, not uncertain"
