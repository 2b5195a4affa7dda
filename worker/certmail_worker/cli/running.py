"""One command line, run: whatever becomes of it is an exit status, and a sentence."""

from __future__ import annotations

import typer
from typer._click import exceptions as click  # Typer carries click within itself and names only parts of it

from certmail_config.errors import CertmailError, StoresUnreachable, WrongUse
from certmail_worker.cli.lazily import Lazy
from certmail_worker.cli.output import fail, wants_json

app = typer.Typer(
    name="certmail",
    help="Access-certification reminders from a company's own Google mailbox, at Google's pace, on record.",
    cls=Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def certmail() -> None:
    """Everything is a command of its own."""


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit status."""
    try:
        return int(app(args=arguments, standalone_mode=False, prog_name="certmail") or 0)
    except click.NoArgsIsHelpError as error:
        print(error.format_message())  # noqa: T201 - help that was asked for
        return 2
    except click.UsageError as error:
        hint = f"See `{error.ctx.command_path} --help`." if error.ctx else "See `certmail --help`."
        return fail(WrongUse("wrong_use", error.format_message(), hint), 2, as_json=wants_json(arguments))
    except StoresUnreachable as error:
        return fail(error, 3, as_json=wants_json(arguments))
    except WrongUse as error:
        return fail(error, 2, as_json=wants_json(arguments))
    except CertmailError as error:
        return fail(error, 1, as_json=wants_json(arguments))
    except (typer.Abort, KeyboardInterrupt):
        return 130
