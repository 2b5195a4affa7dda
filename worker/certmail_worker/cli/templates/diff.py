"""`certmail templates diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.templates.publishing import templates_of
from certmail_config.settings import Settings
from certmail_config.templates.differences import Difference, based, differences
from certmail_config.templates.findings import TemplatesRefused
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json
from certmail_worker.cli.templates.folder import read_folder
from certmail_worker.cli.templates.publish import TENANT
from certmail_worker.cli.templates.saying import say_refused


def diff(
    tenant: Annotated[str, TENANT],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Of files that are not published yet.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Show a tenant's words beside certmail's own, and where those have changed since.

    The tenant's words stay in its mails; everything else follows certmail.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        state = templates_of(admin, tenant)
    try:
        document = based(read_folder(folder)) if folder else state.document
    except TemplatesRefused as refused:
        return say_refused(refused, json=json)

    kept = state.published.own_words if state.published else {}
    found = list(differences(document, kept))
    if json:
        return print_json({"blocks": [_as_json(each) for each in found]})

    for each in found:
        verdict = (
            "certmail's words have changed since"
            if each.changed
            else "certmail's words are the same"
        )
        out.print(f"{each.place}: made on {each.made_on}; {verdict}", markup=False)
        for line in each.theirs.strip().splitlines():
            out.print(f"  > {line}", markup=False)
        for line in each.what_changed() or each.ours:
            out.print(f"    {line}", markup=False)
    changed = [each for each in found if each.changed]
    out.print(f"{len(found)} blocks, {len(changed)} made on words that have changed.", markup=False)
    return None


def _as_json(each: Difference) -> dict[str, object]:
    return {
        "place": each.place,
        "changed": each.changed,
        "theirs": each.theirs,
        "made_on": each.made_on,
        "now": each.now,
        "ours": list(each.ours),
        "ours_then": None if each.ours_then is None else list(each.ours_then),
    }
