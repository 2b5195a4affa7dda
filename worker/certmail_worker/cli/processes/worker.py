"""`certmail worker`."""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer

from certmail_config.base.errors import StoresUnreachable
from certmail_config.settings import Settings
from certmail_config.sql.engine import ready_database
from certmail_config.stores.connect import check_channels, redis_server, vault_keys
from certmail_worker.runtime.logs import set_up, set_up_where_json_is_asked_for

log = logging.getLogger(__name__)


def worker(
    *,
    name: Annotated[
        str | None,
        typer.Option(help="Its name in Flower; one of its own for each worker of a machine."),
    ] = None,
) -> None:
    """Run one worker (celery -A certmail_worker.app worker does the same)."""
    set_up_where_json_is_asked_for("worker")
    settings = Settings.from_env()
    # Celery warns of what it sees before it sets its own up.
    set_up(settings.log_format, process="worker")
    vault_keys(settings, make=False)
    with redis_server(settings, supervise=True) as url:
        check_channels(url)
        _prepare_database(settings)
        from celery.bin.celery import celery as command  # noqa: PLC0415 - half a second to import

        # Named, since the variable APP would else name another. Not `app.worker_main`, which drops
        # the status: whoever restarts what failed must see that it did.
        arguments = ["--app", "certmail_worker.app", "--quiet", "worker"]
        arguments += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        given = [*arguments, "--hostname", f"{name or f'certmail-{os.getpid()}'}@%h"]
        status = command.main(args=given, standalone_mode=False)
        if status:
            raise typer.Exit(int(status))


def _prepare_database(settings: Settings) -> None:
    """See that the tables are of this version.

    A database that is away stops no send, so it stops no worker either.
    """
    try:
        with ready_database(settings):
            pass
    except StoresUnreachable as error:
        if error.code not in {"database_unreachable", "database_busy"}:
            raise
        log.warning(
            "starts_without_database",
            extra={"code": error.code, "error": error.message, "remedy": error.remedy},
        )
