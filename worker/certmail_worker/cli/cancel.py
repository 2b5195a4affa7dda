"""`certmail cancel`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from certmail import Cancellation, Mailer
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.ids import job_id
from certmail_config.base.redis_answers import members_of
from certmail_config.settings import Settings
from certmail_worker.cli.support.actor import by_whom
from certmail_worker.cli.support.output import Json, out, print_json

_WORDS = {
    Cancellation.CANCELLED: "It is called off.",
    Cancellation.ALREADY_SENDING: "Its request is under way. Should that fail, it is not tried again.",
    Cancellation.UNCERTAIN: "A copy may be out, since what became of a request is unknown. It is not sent again.",
    Cancellation.ALREADY_FINAL: "It had ended before.",
    Cancellation.UNKNOWN: "There is no such job, or it was forgotten long after it ended.",
}


def cancel(
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="The id from the receipt.")
    ] = None,
    *,
    campaign: Annotated[
        str | None, typer.Option(help="All unfinished reminders of this campaign.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose campaign; without --campaign, all of this tenant's.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="For the record, beside by whom.")] = None,
    json: Json = False,
) -> None:
    """Call off a reminder, or all of a campaign or tenant, before they are sent."""
    if (job is None) == (campaign is None and tenant is None):
        raise WrongUse(
            "wrong_use",
            "Name a JOB, or a --campaign or --tenant.",
            "certmail cancel JOB, or certmail cancel --campaign ID",
        )

    why = f"{reason}; {by_whom(None)}" if reason else by_whom(None)

    with Mailer.from_env(Settings.from_env(), proven=False) as mailer:
        if job is None:
            whose = _tenant(mailer, tenant)
            done = mailer.cancel_all(whose, campaign=campaign or "", reason=why)
            if json:
                return print_json(asdict(done))
            return out.print(
                f"{done.cancelled} called off, {done.already_sending} already under way, {done.uncertain} uncertain."
            )

        job = job_id(job)
        result = mailer.cancel(job, reason=why)
        view = mailer.status(job)

    if json:
        print_json({"id": job, "result": result, "state": view.state if view else None})
    else:
        out.print(_WORDS[result])

    if result is not Cancellation.CANCELLED:
        raise typer.Exit(1)

    return None


def _tenant(mailer: Mailer, tenant: str | None) -> str:
    """A campaign's id is its tenant's own: with several tenants, whose it is must be said."""
    names = members_of(mailer.redis, redis_keys.TENANTS)
    tenants = sorted(name.decode() for name in names)
    if tenant is not None and tenant not in tenants:
        raise Refused(
            "unknown_tenant", f"There is no tenant {tenant!r}.", "See `certmail tenants list`."
        )
    if tenant is not None:
        return tenant
    if not tenants:
        raise Refused("unknown_tenant", "There is no tenant yet.", "certmail tenants add TENANT")
    if len(tenants) != 1:
        raise WrongUse(
            "wrong_use", "Several tenants may have a campaign of this name.", "Add --tenant."
        )

    return tenants[0]
