"""`certmail up`, `worker` and `sandbox`: the processes."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from certmail_config.errors import Refused, StoresUnreachable, WrongUse
from certmail_config.settings import Settings
from certmail_config.stores import make_data_dir
from certmail_worker.children import Child, termination_as_interrupt
from certmail_worker.cli.output import err
from certmail_worker.office import open_office

RESTART_SECONDS = 2.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("worker")(worker)
    app.command("sandbox")(sandbox)


def up() -> None:
    """Run everything on this machine: the stores and a worker, until Ctrl-C."""
    settings = Settings.from_env()
    with _only_one(settings), open_office(settings, make_key=True), termination_as_interrupt():
        err.print(f"Stores are up. Data: {settings.data_dir}", markup=False)
        started = Child(["certmail_worker", "worker"], {}, None)
        err.print("The worker is starting; Ctrl-C stops everything.")
        try:
            while True:
                if not started.alive:
                    err.print(
                        f"The worker ended with status {started.process.returncode}; it is started again."
                    )
                    time.sleep(RESTART_SECONDS)  # a worker that cannot start must not spin
                    started = Child(["certmail_worker", "worker"], {}, None)
                time.sleep(0.2)  # nothing else to do but to watch
        except KeyboardInterrupt:
            err.print("Stopping: what is under way is finished first.")
        finally:
            started.stop()


def worker(
    *,
    name: Annotated[
        str | None, typer.Option(help="Its name in Flower; one of its own for each worker of a machine.")
    ] = None,
) -> None:
    """Run one worker (celery -A certmail_worker.app worker does the same)."""
    settings = Settings.from_env()
    with open_office(settings):
        from certmail_worker.app import app  # noqa: PLC0415 - importing it builds the app from the environment

        arguments = ["--quiet", "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        app.worker_main([*arguments, "--hostname", f"{name or f'certmail-{os.getpid()}'}@%h"])


def sandbox(
    *,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT; port 0 takes any free one.")] = None,
) -> None:
    """Run Google in one process, for demos and tests. Prints its address first."""
    address = listen or Settings.from_env().sandbox_listen
    host, _, port = address.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise WrongUse("invalid_address", f"{address!r} is not HOST:PORT.", "Write 127.0.0.1:8090, say.")
    try:
        from certmail_sandbox.server import serve  # noqa: PLC0415 - an extra that other commands do without
    except ImportError:
        raise Refused(
            "sandbox_missing", "The sandbox is not installed.", "Install certmail[sandbox]."
        ) from None
    try:
        serve(host.strip("[]"), int(port), announce=_announce)
    except OSError as error:
        message = f"The sandbox cannot listen on {address}: {error.strerror or error}."
        raise Refused("address_in_use", message, "Set CERTMAIL_SANDBOX_LISTEN to another port.") from None


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
