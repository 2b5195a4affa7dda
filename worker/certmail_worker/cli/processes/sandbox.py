"""`certmail sandbox`: Google in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.base.errors import Refused, WrongUse
from certmail_config.settings import Settings
from certmail_config.settings.forms import FormError, host_and_port
from certmail_config.settings.sandbox import kept_file
from certmail_worker.cli.processes.listening import address_in_use, announce


def sandbox(
    *,
    listen: Annotated[
        str | None, typer.Option(help="HOST:PORT; port 0 takes any free one.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="A file that keeps who exists, what was granted and the newest mail for the next start."
        ),
    ] = None,
) -> None:
    """Run Google in one process, for demos and tests. Prints its address first."""
    address = listen or Settings.from_env().sandbox_listen
    host, port = _host_and_port(address, "127.0.0.1:8090")
    if keep is not None and keep.name == kept_file(Path()).name:
        raise WrongUse(
            "sandbox_keep",
            f"A file {keep.name} says of its directory that `certmail up --sandbox` works there.",
            "Give it another name: google.kept, say.",
        )

    try:
        # An extra that other commands do without.
        from certmail_sandbox.persistence import Unreadable  # noqa: PLC0415
        from certmail_sandbox.server import serve  # noqa: PLC0415
    except ImportError:
        raise Refused(
            "sandbox_missing", "The sandbox is not installed.", "Install certmail[sandbox]."
        ) from None

    try:
        serve(host, port, announce=announce, kept_in=keep)
    except Unreadable as error:
        raise Refused(
            "sandbox_unreadable", f"{error}.", "Remove it, and the sandbox begins anew."
        ) from None
    except OSError as error:
        raise address_in_use("The sandbox", address, error, "CERTMAIL_SANDBOX_LISTEN") from None


def _host_and_port(address: str, example: str) -> tuple[str, int]:
    try:
        return host_and_port(address)
    except FormError as error:
        raise WrongUse(
            "invalid_address", f"{address!r} {error}.", f"Write {example}, say."
        ) from None
