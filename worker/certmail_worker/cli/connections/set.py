"""`certmail connections set`: the limits of a connection."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_worker.cli.connections.limits import (
    InFlight,
    PerDay,
    ProjectUnitsPerDay,
    ProjectUnitsPerMinute,
    UnitsPerMinute,
    WarmUpDays,
    given,
)
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, print_json


def set_(
    id: Id,  # noqa: A002 - what it is called on the command line
    *,
    units_per_minute: UnitsPerMinute = None,
    in_flight: InFlight = None,
    per_day: PerDay = None,
    project_units_per_minute: ProjectUnitsPerMinute = None,
    project_units_per_day: ProjectUnitsPerDay = None,
    warm_up_days: WarmUpDays = None,
    json: Json = False,
) -> None:
    """Change the limits of a connection, only those given.

    They count from the next reminder on; nothing else changes.
    """
    changes = given(
        units_per_minute=units_per_minute,
        in_flight=in_flight,
        per_day=per_day,
        project_units_per_minute=project_units_per_minute,
        project_units_per_day=project_units_per_day,
        warm_up_days=warm_up_days,
    )
    if not changes:
        remedy = f"Give at least one limit: `certmail connections set {id} --per-day 500`, say; `--help` has all."
        raise WrongUse("missing_option", "There is nothing to change.", remedy)

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        changed = admin.change_limits(id, changes)
    return print_json(as_json(changed)) if json else show_connection(changed)
