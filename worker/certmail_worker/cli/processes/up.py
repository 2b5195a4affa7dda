"""`certmail up`: everything on this machine."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.base.durability import NOTHING_PROMISED, Durability, DurabilityKind
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.foreign_variables import REMEDY, were_taken_out
from certmail_config.settings import PREFIX, Settings, unknown_names
from certmail_config.settings.forms import here
from certmail_config.settings.sandbox import is_sandbox
from certmail_worker.cli.processes.saying import say_or_log
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
    if not sandbox:
        _log_where_json_is_asked_for()
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


def _log_where_json_is_asked_for() -> None:
    # Whoever looks at a terminal needs none of it.
    if os.environ.get(f"{PREFIX}LOG_FORMAT") == "json":
        from certmail_worker.runtime.logs import set_up_where_json_is_asked_for  # noqa: PLC0415

        set_up_where_json_is_asked_for("up")


def _up(settings: Settings) -> None:
    with (
        lock_data_dir(settings),
        open_admin(settings, make_key=True, supervise=True),
        termination_as_interrupt(),
    ):
        say_or_log("up", f"Stores are up. Data: {settings.data_dir}")
        _say_what_is_unusual(settings)
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

        started = ", ".join(each.name for each in children)
        say_or_log("up", f"Starting: {started}. Ctrl-C stops everything.")
        if flower_auth:
            say_or_log("up", f"Flower asks for the user and password in {auth_file(settings)}")
        say_or_log("up", f"The console: {settings.base_url}/console")
        if password:
            say_or_log("up", f"It asks for the password in {password_file(settings)}")
        if metrics.worker:
            at_worker, at_gateway = here(metrics.worker), here(metrics.gateway)
            told = f"http://{at_worker}/metrics, the gateway's http://{at_gateway}/metrics"
            say_or_log("up", f"The worker's metrics: {told}")
        if settings.sandbox_url:
            say_or_log("up", f"Google is played by {settings.sandbox_url}: no mail leaves.")

        try:
            while True:
                for each in children:
                    each.watch()
                time.sleep(0.2)  # nothing else to do but to watch
        except KeyboardInterrupt:
            say_or_log("stops", "Stopping: what is under way is finished first.")
        finally:
            for each in children:
                each.stop()


def _say_what_is_unusual(settings: Settings) -> None:
    """Say what is for trying out, and harmful elsewhere."""
    if Durability.parse(settings.durability).kind is DurabilityKind.NONE:
        say_or_log("durability_none", f"Warning: {NOTHING_PROMISED}")
    if settings.only_to:
        say_or_log("only_to_some", f"Only to {settings.only_to}: nobody else gets mail.")


def _say_surroundings() -> None:
    """Name the variables that somebody may believe certmail goes by."""
    if names := were_taken_out():
        say_or_log("foreign_environment", f"{', '.join(names)}: {REMEDY}", names=names)
    if unknown := unknown_names():
        sentence = f"{', '.join(unknown)}: not known to this version, and without effect."
        say_or_log("unknown_settings", sentence, names=unknown)
