"""`certmail connections rotate`: the next key and certificate of a customer owned application."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_worker.cli.connections.options import Id, ValidDays
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json


def rotate(
    id: Id,  # noqa: A002 - what it is called on the command line
    *,
    valid_days: ValidDays = None,
    json: Json = False,
) -> None:
    """Make the next key and certificate.

    The present ones go on until Google knows the new ones: there is no gap.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        made = admin.rotate(id, valid_days=valid_days or admin.settings.certificate_days)
    if json:
        return print_json(as_json(made))

    show_connection(made)
    out.print("\nNext:")
    out.print(f"  1. certmail connections certificate {made.id} --next > certificate.pem")
    out.print(
        "  2. Upload it in the Google Cloud console: the service account, Keys, Add key, Upload existing key."
    )
    out.print("     Leave the old key there.")
    out.print(
        "  3. It takes over by itself once Google accepts it, within minutes while a worker runs; to see it at once:"
    )
    out.print(f"     certmail connections probe {made.id}")
    out.print("  4. Then delete the old key from the service account.")

    return None
