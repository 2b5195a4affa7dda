"""`certmail flower`: Celery's dashboard."""

from __future__ import annotations

import logging
from functools import partial

from certmail_config.base.errors import SettingsError
from certmail_config.base.foreign_variables import say_environment
from certmail_config.settings import Settings, unknown_names
from certmail_config.settings.forms import host_and_port
from certmail_config.stores.connect import redis_server
from certmail_worker.cli.processes.listening import address_in_use, announce
from certmail_worker.runtime.logs import set_up, set_up_where_json_is_asked_for


def flower() -> None:
    """Run Flower, Celery's dashboard: behind CERTMAIL_FLOWER_BASIC_AUTH, to look at only.

    Prints its address first.

    Every path asks for the password, /metrics and /healthcheck too. It speaks plain HTTP, and so
    listens on loopback unless CERTMAIL_FLOWER_LISTEN says otherwise; put a proxy that speaks HTTPS
    in front of it then.
    """
    set_up_where_json_is_asked_for("flower")
    settings = Settings.from_env()
    host, port = host_and_port(settings.flower_listen)
    if settings.flower_basic_auth is None:
        raise SettingsError(
            "flower_auth_missing",
            "Flower does not start without a password: CERTMAIL_FLOWER_BASIC_AUTH is not set.",
            "Set it to user:password; `certmail up` makes one by itself.",
        )
    with redis_server(settings, supervise=True, proven=False):  # to look only
        # It takes half a second to import; importing the app builds it from the environment.
        from certmail_worker.app import app  # noqa: PLC0415
        from certmail_worker.processes.flower import serve  # noqa: PLC0415

        set_up(settings.log_format, process="flower")
        say_environment(logging.getLogger(__name__), unknown_names())
        try:
            auth = settings.flower_basic_auth.get_secret_value()
            serve(app, auth, host, port, announce=partial(announce, process="flower"))
        except OSError as error:
            raise address_in_use(
                "Flower", settings.flower_listen, error, "CERTMAIL_FLOWER_LISTEN"
            ) from None
