"""`certmail templates list`."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.templates.publishing import templates_of
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.templates.versions import list_versions, newest_versions
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, print_json, table
from certmail_worker.cli.templates.saying import counted


def list_(
    tenant: Annotated[
        str | None, typer.Argument(metavar="[TENANT]", help="Its id: list its versions instead.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """List the tenants that write in their mails themselves; of one tenant, the versions."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        if tenant is not None:
            with admin.db() as db:
                registry.get_tenant(db, tenant)
                versions = list_versions(db, tenant)
            if json:
                names = ("version", "published_at", "published_by")
                return print_json(
                    {"versions": [dict(zip(names, each, strict=True)) for each in versions]}
                )
            return table(["version", "published", "by"], versions)

        with admin.db() as db:
            tenants = sorted(newest_versions(db))
        states = [templates_of(admin, each) for each in tenants]

    if json:
        return print_json(
            {
                "tenants": [
                    {
                        "tenant": each.tenant,
                        "version": each.version,
                        "published_at": each.published.at if each.published else None,
                        "suspended": dict(each.off),
                    }
                    for each in states
                ]
            }
        )
    rows = [
        (
            each.tenant,
            each.version,
            each.published.at if each.published else None,
            counted(each.document),
            ", ".join(sorted(each.off)) or None,
        )
        for each in states
    ]
    return table(["tenant", "version", "published", "what", "suspended"], rows)
