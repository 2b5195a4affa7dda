"""`certmail erase`: for good, so a person is asked first."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.base.errors import WrongUse
from certmail_config.ledger import Act
from certmail_config.settings import Settings
from certmail_worker.cli.support.actor import actor, by_whom
from certmail_worker.cli.support.for_good import Yes, ask
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.connections.erasure import erase as erase_address


def erase(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of a reviewer.")],
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Forget an address: what waits for it is called off.

    The record keeps what was done without saying for whom.

    Backups that were made before still have it, and archived logs. What an application enqueues for
    it afterwards is sent and recorded.
    """
    if "@" not in address:
        raise WrongUse(
            "invalid_address", f"{address!r} is not an address.", "Write ann@example.com, say."
        )

    ask(f"Forget {address}, and call off what waits for it, for good?", yes=yes)
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        done = erase_address(admin, address, by_whom(None), err.print)
        admin.record(Act.ADDRESS_ERASED, reason=f"{done.deliveries} deliveries")

    if json:
        return print_json(
            {
                "deliveries": done.deliveries,
                "cancelled": done.cancelled,
                "uncertain": done.uncertain,
                "reviewers": done.reviewers,
                "remains": list(done.remains),
            }
        )

    out.print(f"{done.deliveries} deliveries no longer say whom they were for.")
    out.print(
        f"{done.cancelled} reminders were called off; {done.uncertain} were closed as uncertain: a copy may be out."
    )
    if done.reviewers:
        out.print(f"{done.reviewers} reviewers of campaigns were removed.")
    for place in done.remains:
        err.print(place, markup=False)
    return None
