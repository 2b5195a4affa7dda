"""`certmail up`, `worker`, `flower` and `sandbox`: the processes."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from certmail_config.durability import NOTHING_PROMISED, Durability, Kind
from certmail_config.errors import Refused, SettingsError, StoresUnreachable, WrongUse
from certmail_config.foreign import REMEDY, say_environment, were_taken_out
from certmail_config.office import open_office
from certmail_config.sandbox import is_sandbox
from certmail_config.setting_forms import FormError, host_and_port
from certmail_config.settings import PREFIX, Settings, unknown_names
from certmail_config.sql.engine import ready_database
from certmail_config.stores import check_channels, redis_server, vault_keys
from certmail_worker.children import termination_as_interrupt
from certmail_worker.cli.processes.keeping_up import Kept, only_one
from certmail_worker.cli.support.output import Json, err
from certmail_worker.flower_auth import auth_file, kept_auth
from certmail_worker.operator_password import kept_password, password_file


def up(
    *,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="To look around, or to build against: with a stand-in for Google and its consoles, in a data directory "
            "of its own. No settings, no Google account; no mail leaves.",
        ),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --sandbox: forget what was done there before.")
    ] = False,
    json: Json = False,
) -> None:
    """Run everything on this machine: the stores, a worker, the console and Flower, until Ctrl-C."""
    settings = Settings.from_env()
    if sandbox:
        from certmail_worker.cli.processes.look_around import look_around  # noqa: PLC0415 - what no other command needs

        return look_around(settings, fresh=fresh, as_json=json)
    if fresh or json:
        raise WrongUse("wrong_use", "--fresh and --json belong to --sandbox.", "See `certmail up --help`.")
    if is_sandbox(settings.data_dir):
        raise Refused(
            "sandbox_directory",
            f"{settings.data_dir} is the sandbox's data directory: no mail leaves from it.",
            "Run `certmail up --sandbox`, or set CERTMAIL_DATA_DIR to another directory.",
        )
    return _up(settings)


def _up(settings: Settings) -> None:
    with (
        only_one(settings),
        open_office(settings, make_key=True, supervise=True),
        termination_as_interrupt(),
    ):
        err.print(f"Stores are up. Data: {settings.data_dir}", markup=False)
        if Durability.parse(settings.durability).kind is Kind.NONE:
            err.print(f"[yellow]Warning:[/yellow] {NOTHING_PROMISED}")
        _say_surroundings()
        # A person at a terminal reads lines, not JSON.
        logs = (
            {f"{PREFIX}LOG_FORMAT": "console"}
            if err.is_terminal and "log_format" not in settings.model_fields_set
            else {}
        )
        flower_auth = (
            {} if settings.flower_basic_auth else {f"{PREFIX}FLOWER_BASIC_AUTH": kept_auth(settings)}
        )
        password = (
            {} if settings.operator_password else {f"{PREFIX}OPERATOR_PASSWORD": kept_password(settings)}
        )
        # They are stopped in this order: Flower shows how the worker finishes.
        children = [
            Kept("worker", logs),
            Kept("flower", logs | flower_auth),
            Kept("gateway", logs | password),
        ]
        err.print(f"Starting: {', '.join(each.name for each in children)}. Ctrl-C stops everything.")
        if flower_auth:
            err.print(f"Flower asks for the user and password in {auth_file(settings)}", markup=False)
        err.print(f"The console: {settings.base_url}/console", markup=False)
        if password:
            err.print(f"It asks for the password in {password_file(settings)}", markup=False)
        if settings.sandbox_url:
            err.print(f"Google is played by {settings.sandbox_url}: no mail leaves.", markup=False)
        try:
            while True:
                for each in children:
                    each.watch()
                time.sleep(0.2)  # nothing else to do but to watch
        except KeyboardInterrupt:
            err.print("Stopping: what is under way is finished first.")
        finally:
            for each in children:
                each.stop()


def _say_surroundings() -> None:
    """Name the variables that somebody may believe certmail goes by."""
    if names := were_taken_out():
        err.print(f"{', '.join(names)}: {REMEDY}", markup=False)
    if unknown := unknown_names():
        err.print(f"{', '.join(unknown)}: not known to this version, and without effect.", markup=False)


def worker(
    *,
    name: Annotated[
        str | None, typer.Option(help="Its name in Flower; one of its own for each worker of a machine.")
    ] = None,
) -> None:
    """Run one worker (celery -A certmail_worker.app worker does the same)."""
    settings = Settings.from_env()
    vault_keys(settings, make=False)
    with redis_server(settings, supervise=True) as url:
        check_channels(url)
        _prepare_database(settings)
        from celery.bin.celery import celery as command  # noqa: PLC0415 - half a second to import

        from certmail_worker.logs import set_up  # noqa: PLC0415 - as above

        set_up(
            settings.log_format, process="worker"
        )  # Celery warns of what it sees before it sets its own up
        # Named, since the variable APP would else name another. Not `app.worker_main`, which drops the status: whoever
        # restarts what failed must see that it did.
        arguments = ["--app", "certmail_worker.app", "--quiet", "worker"]
        arguments += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        given = [*arguments, "--hostname", f"{name or f'certmail-{os.getpid()}'}@%h"]
        status = command.main(args=given, standalone_mode=False)
        if status:
            raise typer.Exit(int(status))


def _prepare_database(settings: Settings) -> None:
    """See that the tables are of this version. A database that is away stops no send, so it stops no worker either."""
    try:
        with ready_database(settings):
            pass
    except StoresUnreachable as error:
        if error.code not in {"database_unreachable", "database_busy"}:
            raise
        err.print(
            f"certmail: {error.message} Sending goes on without it; what happens waits in Redis.",
            markup=False,
        )


def flower() -> None:
    """Run Flower, Celery's dashboard: behind CERTMAIL_FLOWER_BASIC_AUTH, to look at only. Prints its address first.

    Every path asks for the password, /metrics and /healthcheck too. It speaks plain HTTP, and so listens on loopback
    unless CERTMAIL_FLOWER_LISTEN says otherwise; put a proxy that speaks HTTPS in front of it then.
    """
    settings = Settings.from_env()
    host, port = host_and_port(settings.flower_listen)
    if settings.flower_basic_auth is None:
        raise SettingsError(
            "flower_auth_missing",
            "Flower does not start without a password: CERTMAIL_FLOWER_BASIC_AUTH is not set.",
            "Set it to user:password; `certmail up` makes one by itself.",
        )
    with redis_server(settings, supervise=True, proven=False):  # to look only
        from certmail_worker.app import app  # noqa: PLC0415 - importing it builds the app from the environment
        from certmail_worker.flower import serve  # noqa: PLC0415 - it takes half a second to import
        from certmail_worker.logs import set_up  # noqa: PLC0415 - as above

        set_up(settings.log_format, process="flower")
        say_environment(logging.getLogger(__name__), unknown_names())
        try:
            serve(app, settings.flower_basic_auth.get_secret_value(), host, port, announce=_announce)
        except OSError as error:
            raise _address_in_use("Flower", settings.flower_listen, error, "CERTMAIL_FLOWER_LISTEN") from None


def sandbox(
    *,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT; port 0 takes any free one.")] = None,
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
    try:
        from certmail_sandbox.keeping import Unreadable  # noqa: PLC0415 - an extra that other commands do without
        from certmail_sandbox.server import serve  # noqa: PLC0415 - as above
    except ImportError:
        raise Refused(
            "sandbox_missing", "The sandbox is not installed.", "Install certmail[sandbox]."
        ) from None
    try:
        serve(host, port, announce=_announce, kept_in=keep)
    except Unreadable as error:
        raise Refused("sandbox_unreadable", f"{error}.", "Remove it, and the sandbox begins anew.") from None
    except OSError as error:
        raise _address_in_use("The sandbox", address, error, "CERTMAIL_SANDBOX_LISTEN") from None


def _host_and_port(address: str, example: str) -> tuple[str, int]:
    try:
        return host_and_port(address)
    except FormError as error:
        raise WrongUse("invalid_address", f"{address!r} {error}.", f"Write {example}, say.") from None


def _address_in_use(who: str, address: str, error: OSError, variable: str) -> Refused:
    message = f"{who} cannot listen on {address}: {error.strerror or error}."
    return Refused("address_in_use", message, f"Set {variable} to another port.")


def _announce(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
