"""Which campaign is meant, as it is typed: TENANT/CAMPAIGN, or its id where only one has that."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import Admin
from certmail_config.base.errors import WrongUse
from certmail_config.sql.campaigns.campaigns import list_campaigns, unknown_campaign

Named = Annotated[
    str,
    typer.Argument(
        metavar="CAMPAIGN", help="TENANT/CAMPAIGN; its id alone, where only one tenant has it."
    ),
]


def find(admin: Admin, name: str) -> tuple[str, str]:
    """The tenant and the id of a campaign; raises Refused, WrongUse."""
    with admin.db() as db:
        known = [each.key for each in list_campaigns(db)]

    tenant, _, id_ = name.partition("/")
    if (tenant, id_) in known:
        return tenant, id_
    of_that_id = [key for key in known if key[1] == name]
    if len(of_that_id) > 1:
        tenants = ", ".join(key[0] for key in of_that_id)
        raise WrongUse(
            "unclear_campaign",
            f"There are campaigns {name!r} of several tenants: {tenants}.",
            f"Write {of_that_id[0][0]}/{name}, say.",
        )
    if of_that_id:
        return of_that_id[0]
    raise (
        unknown_campaign(tenant, id_)
        if id_
        else WrongUse(
            "unknown_campaign",
            f"There is no campaign {name!r}.",
            "See `certmail campaign show`; one is named TENANT/CAMPAIGN.",
        )
    )
