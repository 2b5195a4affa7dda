"""`certmail up`: everything on this machine."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.base.durability import NOTHING_PROMISED, Durability, DurabilityKind
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.foreign_variables import REMEDY, were_taken_out
from certmail_config.settings import PREFIX, Settings, unknown_names
from certmail_config.settings.sandbox import is_sandbox
from certmail_worker.cli.processes.supervision import Supervised, lock_data_dir
from certmail_worker.cli.support.output import Json, err
from certmail_worker.processes.children import termination_as_interrupt
from certmail_worker.processes.flower_auth import auth_file, kept_auth
from certmail_worker.processes.metrics_ports import metrics_ports
from certmail_worker.processes.operator_password import kept_password, password_file


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
    """Run everything on this machine: stores, worker, console and Flower, until Ctrl-C."""
    settings = Settings.from_env()
    if sandbox:
        # What no other command needs.
        from certmail_worker.cli.processes.look_around import look_around  # noqa: PLC0415

        return look_around(settings, fresh=fresh, as_json=json)
    if fresh or json:
        raise WrongUse(
            "wrong_use", "--fresh and --json belong to --sandbox.", "See `certmail up --help`."
        )
    if is_sandbox(settings.data_dir):
        raise Refused(
            "sandbox_directory",
            f"{settings.data_dir} is the sandbox's data directory: no mail leaves from it.",
            "Run `certmail up --sandbox`, or set CERTMAIL_DATA_DIR to another directory.",
        )
    return _up(settings)


def _up(settings: Settings) -> None:
    with (
        lock_data_dir(settings),
        open_admin(settings, make_key=True, supervise=True),
        termination_as_interrupt(),
    ):
        err.print(f"Stores are up. Data: {settings.data_dir}", markup=False)
        if Durability.parse(settings.durability).kind is DurabilityKind.NONE:
            err.print(f"[yellow]Warning:[/yellow] {NOTHING_PROMISED}")
        _say_surroundings()

        # A person at a terminal reads lines, not JSON.
        logs = (
            {f"{PREFIX}LOG_FORMAT": "console"}
            if err.is_terminal and "log_format" not in settings.model_fields_set
            else {}
        )
        flower_auth = (
            {}
            if settings.flower_basic_auth
            else {f"{PREFIX}FLOWER_BASIC_AUTH": kept_auth(settings)}
        )
        password = (
            {}
            if settings.operator_password
            else {f"{PREFIX}OPERATOR_PASSWORD": kept_password(settings)}
        )

        metrics = metrics_ports(settings)

        # They are stopped in this order: Flower shows how the worker finishes.
        children = [
            Supervised("worker", logs | metrics.of_worker),
            Supervised("flower", logs | flower_auth),
            Supervised("gateway", logs | password | metrics.of_gateway),
        ]

        err.print(
            f"Starting: {', '.join(each.name for each in children)}. Ctrl-C stops everything."
        )
        if flower_auth:
            err.print(
                f"Flower asks for the user and password in {auth_file(settings)}", markup=False
            )
        err.print(f"The console: {settings.base_url}/console", markup=False)
        if password:
            err.print(f"It asks for the password in {password_file(settings)}", markup=False)
        if metrics.worker:
            told = (
                f"http://{metrics.worker}/metrics, the gateway's http://{metrics.gateway}/metrics"
            )
            err.print(f"The worker's metrics: {told}", markup=False)
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
        err.print(
            f"{', '.join(unknown)}: not known to this version, and without effect.", markup=False
        )
