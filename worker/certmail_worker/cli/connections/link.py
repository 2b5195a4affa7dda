"""`certmail connections link`: it needs a gateway for the way back from Google."""

from __future__ import annotations

import socket
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from certmail_config.admin.account_consent import begin_consent
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import Refused, SettingsError
from certmail_config.onboarding.consents import LIFE_SECONDS
from certmail_config.settings import Settings
from certmail_config.settings.forms import host_and_port
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState
from certmail_worker.cli.connections.options import Id
from certmail_worker.cli.connections.shown import as_json, show_connection
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json, when
from certmail_worker.processes.children import child, termination_as_interrupt


def link(
    id: Id,  # noqa: A002 - what it is called on the command line
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the account is linked, and show the result.")
    ] = False,
    another_account: Annotated[
        bool,
        typer.Option(
            "--another-account",
            help="Let another account take the place of the one that is linked; its reminders and record stay.",
        ),
    ] = False,
    browser: Annotated[
        bool, typer.Option(help="Open the page in a browser of this machine, if it has one.")
    ] = True,
    json: Json = False,
) -> None:
    """Link a Google account: print the page where its owner signs in and consents.

    There the owner then says whether to send from it.
    """
    settings = Settings.from_env()
    with termination_as_interrupt(), open_admin(settings, actor=actor()) as admin:
        before = admin.connection(id)
        url = consent(admin, before, another=another_account)

        if not wait:
            until = datetime.now(UTC) + timedelta(seconds=LIFE_SECONDS)
            return (
                print_json({"id": before.id, "url": url, "expires_at": when(until)})
                if json
                else out.print(url, markup=False)
            )

        with _way_back(settings):
            _show(url, settings, browser=browser)
            after = _wait(admin, before)

    if json:
        print_json(as_json(after))
    else:
        show_connection(after)

    if after.state is not ConnectionState.ACTIVE:
        raise typer.Exit(1)

    return None


def consent(admin: Admin, connection: Connection, *, another: bool = False) -> str:
    """Begin a consent for a connection, with `another` of another account than it has.

    Raises Refused, SettingsError.
    """
    if connection.kind is not ConnectionKind.SERVICE_PROVIDER_APP:
        remedy = f"certmail connections add {connection.tenant} --kind service_provider_app"
        raise Refused(
            "not_linkable", "Only a service provider application is linked by signing in.", remedy
        )

    return begin_consent(admin, connection, another=another)


@contextmanager
def _way_back(settings: Settings) -> Iterator[None]:
    """The gateway that Google sends the browser back to, for the time of the block.

    The one that runs, or one of our own.
    """
    try:
        socket.create_connection(host_and_port(settings.listen), timeout=2).close()
    except OSError:
        if settings.public_url is not None:
            message = f"No gateway listens on {settings.listen}, and Google sends the browser to {settings.public_url}."
            raise SettingsError(
                "gateway_missing",
                message,
                "Start `certmail gateway` there, or wait without --wait.",
            ) from None
    else:
        yield
        return

    with child(
        ["certmail_worker", "gateway"], {}, log=settings.data_dir / "gateway.log"
    ) as process:
        process.first_line()
        yield


def _show(url: str, settings: Settings, *, browser: bool) -> None:
    err.print("Open this page and sign in with the account that reminders shall be sent from:\n")
    err.print(url, markup=False)

    if browser and err.is_terminal and webbrowser.open(url):
        err.print("\nIt should open in your browser now.")
    elif settings.public_url is None:
        host, port = host_and_port(settings.listen)
        err.print(
            f"\nOn another machine, first forward the way back: ssh -L {port}:{host}:{port} THIS-MACHINE",
            markup=False,
        )

    err.print(
        "\nThe browser then asks whether to send from that account. Waiting until it is linked; Ctrl-C gives up."
    )


def _wait(admin: Admin, before: Connection) -> Connection:
    """The connection once the callback has changed it; raises Refused when its time is over."""
    deadline = time.monotonic() + LIFE_SECONDS
    while time.monotonic() < deadline:
        found = admin.connection(before.id)
        if found.version != before.version:
            return found
        time.sleep(0.5)  # a person is signing in somewhere
    raise Refused(
        "link_expired", "Nobody finished signing in within half an hour.", "Run the command again."
    )
