"""`certmail connections probe` and `test`: try a connection out, and say what is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import Refused
from certmail_config.google.checklist import Step
from certmail_config.settings import Settings
from certmail_config.tenants.models import ConnectionState
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, print_json

if TYPE_CHECKING:
    from certmail_worker.connections.probe import Probed

PAUSE_SECONDS = 15.0
"""Between tries while waiting: a new key may take a minute, a delegation usually minutes."""


def probe(
    id: Id,  # noqa: A002 - what it is called on the command line
    *,
    mail: Annotated[
        bool, typer.Option("--mail", help="Send a test mail too, from the mailbox to itself.")
    ] = False,
    wait: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Try again for so long while it may only take Google a while.",
        ),
    ] = 0,
    json: Json = False,
) -> None:
    """Try a connection out step by step.

    Then it is `active`, or `attention` with Google's words and a remedy.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        probed = _patiently(admin, id, mail=mail, until=time.monotonic() + wait)
    _show(probed, json=json, mail=mail)


def send_test(id: Id, *, json: Json = False) -> None:  # noqa: A002 - as above
    """Send a test mail from the mailbox to itself, after the steps of `probe`."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        probed = _patiently(admin, id, mail=True, until=time.monotonic())
    _show(probed, json=json, mail=True)


def _patiently(admin: Admin, id_: str, *, mail: bool, until: float) -> Probed:
    """Probe, and again for as long as it is only a matter of time."""
    # aiohttp takes a tenth of a second to import.
    from certmail_worker.connections.probe import probe_and_save  # noqa: PLC0415

    shown: list[str] = []

    while True:
        try:
            probed = probe_and_save(admin, id_, mail=mail)
        except Refused as refused:
            if refused.code != "changed_meanwhile":
                raise
            continue  # a worker looks after the connections too, and was first

        lines = [_line(step) for step in probed.steps]
        for line in lines:
            if line not in shown:
                err.print(line)
        shown = lines

        left = until - time.monotonic()
        if left <= 0 or not any(step.waiting for step in probed.steps):
            return probed
        time.sleep(min(PAUSE_SECONDS, left))


def _line(step: Step) -> str:
    mark = (
        "[green]✓[/green]" if step.ok else "[yellow]…[/yellow]" if step.waiting else "[red]✗[/red]"
    )
    line = f"{mark} {step.name}: {escape(step.message)}"
    return f"{line}\n    {escape(step.remedy)}" if step.remedy else line


def _show(probed: Probed, *, json: bool, mail: bool) -> None:
    from certmail_worker.connections.probe import may_go_later  # noqa: PLC0415 - as above

    if mail and may_go_later(probed.steps):
        err.print("The test mail goes by itself once it can, within a day, while a worker runs.")
    if json:
        steps = [step.as_json() for step in probed.steps]
        print_json({**as_json(probed.connection), "steps": steps})
    else:
        show_connection(probed.connection)

    works = probed.connection.state is ConnectionState.ACTIVE
    if not works or any(not step.ok and step.name != "next certificate" for step in probed.steps):
        raise typer.Exit(1)
