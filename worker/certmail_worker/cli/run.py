"""`certmail up`, `worker`, `flower` and `sandbox`: the processes."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer

from certmail_config.durability import NOTHING_PROMISED, Durability, Kind
from certmail_config.errors import Refused, SettingsError, StoresUnreachable, WrongUse
from certmail_config.foreign import REMEDY, say_taken_out, were_taken_out
from certmail_config.office import open_office
from certmail_config.settings import PREFIX, Settings
from certmail_config.sql.engine import ready_database
from certmail_config.stores import make_data_dir, redis_server, vault_keys
from certmail_worker.children import Child, termination_as_interrupt
from certmail_worker.cli.output import err
from certmail_worker.flower_auth import auth_file, kept_auth
from certmail_worker.operator_password import kept_password, password_file

RESTART_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 10.0


def up() -> None:
    """Run everything on this machine: the stores, a worker, the console and Flower, until Ctrl-C."""
    settings = Settings.from_env()
    with (
        _only_one(settings),
        open_office(settings, make_key=True, supervise=True),
        termination_as_interrupt(),
    ):
        err.print(f"Stores are up. Data: {settings.data_dir}", markup=False)
        if Durability.parse(settings.durability).kind is Kind.NONE:
            err.print(f"[yellow]Warning:[/yellow] {NOTHING_PROMISED}")
        if names := were_taken_out():
            err.print(f"{', '.join(names)}: {REMEDY}", markup=False)
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
            _Kept("worker", logs),
            _Kept("flower", logs | flower_auth),
            _Kept("gateway", logs | password),
        ]
        err.print(f"Starting: {', '.join(each.name for each in children)}. Ctrl-C stops everything.")
        if flower_auth:
            err.print(f"Flower asks for the user and password in {auth_file(settings)}", markup=False)
        err.print(f"The console: {settings.base_url}/console", markup=False)
        if password:
            err.print(f"It asks for the password in {password_file(settings)}", markup=False)
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


def worker(
    *,
    name: Annotated[
        str | None, typer.Option(help="Its name in Flower; one of its own for each worker of a machine.")
    ] = None,
) -> None:
    """Run one worker (celery -A certmail_worker.app worker does the same)."""
    settings = Settings.from_env()
    vault_keys(settings, make=False)
    with redis_server(settings, supervise=True):
        _prepare_database(settings)
        from celery.bin.celery import celery as command  # noqa: PLC0415 - half a second to import

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
        if error.code != "database_unreachable":
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
    host, port = _host_and_port(settings.flower_listen, "127.0.0.1:5555")
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
        say_taken_out(logging.getLogger(__name__))
        try:
            serve(app, settings.flower_basic_auth.get_secret_value(), host, port, announce=_announce)
        except OSError as error:
            raise _address_in_use("Flower", settings.flower_listen, error, "CERTMAIL_FLOWER_LISTEN") from None


def sandbox(
    *,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT; port 0 takes any free one.")] = None,
) -> None:
    """Run Google in one process, for demos and tests. Prints its address first."""
    address = listen or Settings.from_env().sandbox_listen
    host, port = _host_and_port(address, "127.0.0.1:8090")
    try:
        from certmail_sandbox.server import serve  # noqa: PLC0415 - an extra that other commands do without
    except ImportError:
        raise Refused(
            "sandbox_missing", "The sandbox is not installed.", "Install certmail[sandbox]."
        ) from None
    try:
        serve(host, port, announce=_announce)
    except OSError as error:
        raise _address_in_use("The sandbox", address, error, "CERTMAIL_SANDBOX_LISTEN") from None


def _host_and_port(address: str, example: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise WrongUse("invalid_address", f"{address!r} is not HOST:PORT.", f"Write {example}, say.")
    return host.strip("[]"), int(port)


def _address_in_use(who: str, address: str, error: OSError, variable: str) -> Refused:
    message = f"{who} cannot listen on {address}: {error.strerror or error}."
    return Refused("address_in_use", message, f"Set {variable} to another port.")


def _announce(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    make_data_dir(settings)
    try:
        file = (settings.data_dir / "up.lock").open("a+")
    except OSError as error:
        message = f"{settings.data_dir} cannot be written to: {error.strerror}."
        raise StoresUnreachable("data_dir_unusable", message, "Set CERTMAIL_DATA_DIR.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Refused(
                "already_up",
                f"certmail is up already on {settings.data_dir} (process {file.read().strip() or 'unknown'}).",
                "Stop that one first, or set CERTMAIL_DATA_DIR to another directory.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class _Kept:
    """A command of ours that `up` starts again whenever it ends, and stops in the end.

    What says itself that it cannot start, and says so again, is tried ever less often.
    """

    def __init__(self, command: str, environment: Mapping[str, str]) -> None:
        self.name = command
        self._environment = environment
        self._pause = RESTART_SECONDS
        self._start()

    def _start(self) -> None:
        self._child = Child(["certmail_worker", self.name], self._environment, None)
        self._began = time.monotonic()
        self._again: float | None = None

    def watch(self) -> None:
        """See whether it runs; start it again when it is time to."""
        now = time.monotonic()
        if self._again is not None:
            if now >= self._again:
                self._start()
        elif not self._child.alive:
            status = self._child.process.returncode
            self._again = now + self._pause
            err.print(
                f"`certmail {self.name}` ended with status {status}; it is started again in {self._pause:g} s.",
                markup=False,
            )
            gave_up_at_once = status > 0 and now - self._began < STEADY_SECONDS
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS) if gave_up_at_once else RESTART_SECONDS

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._child.stop()
