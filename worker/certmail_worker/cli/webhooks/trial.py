"""`certmail webhooks test`."""

from __future__ import annotations

import asyncio

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.endpoints import get_webhook
from certmail_config.settings import Settings
from certmail_worker.cli.support.output import Json, err, out, print_json
from certmail_worker.cli.webhooks.shown import Id

SHOWN = 300
"""Characters of an answer that a person is shown."""


def send_trial(webhook: Id, *, json: Json = False) -> None:
    """Send a signed trial to a webhook now, and say what came back. Ends with status 1 where it was not taken."""
    # aiohttp takes a tenth of a second to import.
    from certmail_config.admin.webhooks.trial import try_out  # noqa: PLC0415

    with open_admin(Settings.from_env()) as admin:
        endpoint = get_webhook(admin, webhook)
        trial = asyncio.run(try_out(admin, endpoint))

    came = trial.came
    answer = came.answer.decode("utf-8", "replace")[:SHOWN]
    if json:
        print_json(
            {
                "message": trial.message,
                "taken": came.taken,
                "status": came.status,
                "why": came.why,
                "seconds": round(came.seconds, 3),
                "answer": answer,
            }
        )
    else:
        say = out if came.taken else err
        mark = "Taken" if came.taken else "Not taken"
        say.print(f"{mark}, after {came.seconds:.2f} s: {came.why}.", markup=False)
        if answer.strip():
            say.print(f"  It says: {answer.strip()}", markup=False)

    if not came.taken:
        raise typer.Exit(1)
