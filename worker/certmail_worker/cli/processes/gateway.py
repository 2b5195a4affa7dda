"""`certmail gateway`: the console, set-up links and the HTTP API."""

from __future__ import annotations

import logging
from functools import partial

from certmail_config.admin.admin import open_admin
from certmail_config.admin.api_keys import publish_keys
from certmail_config.base.errors import Refused
from certmail_config.base.foreign_variables import say_environment
from certmail_config.settings import Settings, unknown_names
from certmail_worker.cli.processes.listening import announce
from certmail_worker.runtime.logs import set_up, set_up_where_json_is_asked_for


def gateway() -> None:
    """Run the gateway: console, set-up links, HTTP API and OAuth callback.

    /docs describes the API; /healthz and /readyz say how the gateway is.
    """
    # aiohttp takes a tenth of a second to import.
    from certmail.gateway.app import serve  # noqa: PLC0415

    set_up_where_json_is_asked_for("gateway")
    settings = Settings.from_env()
    set_up(settings.log_format, process="gateway")
    say_environment(logging.getLogger(__name__), unknown_names())
    with open_admin(settings, supervise=True) as admin:
        publish_keys(admin)
        try:
            serve(admin, announce=partial(announce, process="gateway"))
        except OSError as error:
            message = f"The gateway cannot listen on {settings.listen}: {error.strerror or error}."
            raise Refused(
                "address_in_use", message, "Set CERTMAIL_LISTEN to another port."
            ) from None
