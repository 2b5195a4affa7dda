"""One command line, run: whatever becomes of it is an exit status, and a sentence."""

from __future__ import annotations

import logging
import os
import traceback
from contextlib import suppress
from typing import Annotated

import typer

# Typer carries click within itself and names only parts of it.
from typer._click import exceptions as click

from certmail_config.base.errors import CertmailError, WrongUse
from certmail_worker.cli.support.json_log import say_why_not
from certmail_worker.cli.support.lazily import Lazy
from certmail_worker.cli.support.output import fail, out, wants_json
from certmail_worker.cli.support.unforeseen import DEBUG, explain, status_of

app = typer.Typer(
    name="certmail",
    help="Access-certification reminders from a company's own Google mailbox, at Google's pace, on record.",
    cls=Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        # Nobody else needs them.
        from certmail_config.process.release import release  # noqa: PLC0415
        from certmail_config.settings.environment import read_environment  # noqa: PLC0415

        revision = read_environment(["revision"]).get("revision")
        out.print(f"certmail {release(revision)}", markup=False)
        raise typer.Exit


@app.callback()
def certmail(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Tell the version, and end."
        ),
    ] = False,
) -> None:
    """Everything is a command of its own."""


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status.

    A trace is nobody's business but whoever asks for one: CERTMAIL_DEBUG.
    """
    as_json = wants_json(arguments)

    try:
        return int(app(args=arguments, standalone_mode=False, prog_name="certmail") or 0)
    except click.NoArgsIsHelpError as error:
        out.print(error.format_message(), markup=False)
        return 2
    except click.UsageError as error:
        hint = f"See `{error.ctx.command_path} --help`." if error.ctx else "See `certmail --help`."
        return fail(WrongUse("wrong_use", error.format_message(), hint), 2, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return 1  # whoever read what we wrote has left
    except Exception as error:  # noqa: BLE001 - the net
        if not isinstance(error, CertmailError):
            _keep_trace(error)
        known = explain(error)
        with suppress(OSError):  # there may be nowhere to say it
            if not say_why_not(known):
                fail(known, status_of(known), as_json=as_json)
        return status_of(known)


def _keep_trace(error: Exception) -> None:
    """Where the process writes a log, the trace is in it; else on stderr, if asked for."""
    if (root := logging.getLogger()).handlers:
        root.critical("unforeseen", exc_info=error)
    elif os.environ.get(DEBUG):
        traceback.print_exception(error)
