"""The command line: `certmail …`."""

from __future__ import annotations

import os
import sys

import typer
from redis.exceptions import RedisError
from typer._click import exceptions as click  # Typer carries click within itself and names only parts of it

from certmail_config.errors import CertmailError, StoresUnreachable, WrongUse
from certmail_config.foreign import take_out
from certmail_worker.cli import (
    campaigns,
    cancel,
    connections,
    deliveries,
    demo,
    doctor,
    erase,
    gateway,
    keys,
    removing,
    run,
    send,
    setup_link,
    simulate,
    status,
    stopping,
    store,
    tenants,
    uncertain,
)
from certmail_worker.cli.output import fail, wants_json

app = typer.Typer(
    name="certmail",
    help="Access-certification reminders from a company's own Google mailbox, at Google's pace, on record.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    demo,
    run,
    tenants,
    connections,
    keys,
    send,
    status,
    cancel,
    uncertain,
    stopping,
    deliveries,
    campaigns,
    erase,
    simulate,
    doctor,
    store,
):
    module.register(app)
app.command("gateway")(gateway.gateway)
connections.group.command("link")(gateway.link)
connections.group.command("setup-link")(setup_link.setup_link)
connections.group.command("suspend")(stopping.suspend_connection)
connections.group.command("resume")(stopping.resume_connection)
connections.group.command("remove")(removing.remove_connection)
tenants.group.command("suspend")(stopping.suspend_tenant)
tenants.group.command("resume")(stopping.resume_tenant)
tenants.group.command("remove")(removing.remove_tenant)


def main() -> None:
    """Run a command. Exit status: 0 done, 1 failed or some rows rejected, 2 wrong use or settings, 3 stores unreachable."""
    take_out(os.environ)
    os.umask(0o077)  # what is written, a database or an export, is for whoever runs this
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
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
    except RedisError as error:  # it answered at first
        message = f"Redis does not answer: {error}"
        away = StoresUnreachable("redis_unreachable", message, "Start it, or check CERTMAIL_REDIS_URL.")
        return fail(away, 3, as_json=wants_json(arguments))
    except WrongUse as error:
        return fail(error, 2, as_json=wants_json(arguments))
    except CertmailError as error:
        return fail(error, 1, as_json=wants_json(arguments))
    except (typer.Abort, KeyboardInterrupt):
        return 130
