"""The Celery app, built from the environment.

`celery -A certmail_worker.app worker` and `certmail worker` use it.

The one module that acts when it is imported, because Celery's own command line finds an app that
way.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import Any

from celery import Celery, signals

from certmail_config.base.errors import SettingsError
from certmail_config.base.foreign_variables import take_out
from certmail_config.settings import Settings
from certmail_config.stores.broker import OWN_APP, QUEUE, OneBroker, broker_url, transport_options
from certmail_config.stores.connect import redis_server, redis_url_of
from certmail_worker.runtime import logs, stop_signals, tasks
from certmail_worker.runtime.lifecycle import WorkerLife
from certmail_worker.runtime.remote_control import refuse_changes
from certmail_worker.runtime.transport import transport


class App(OneBroker, Celery):  # type: ignore[misc]  # Celery ships no types
    """The Celery app of a worker, and of Flower."""

    events_cls = "certmail_worker.runtime.task_events:Events"


def build(settings: Settings) -> App:
    """Make the app; nothing is connected yet."""
    redis_url = redis_url_of(settings)
    transport.use(batches=settings.transport == "batches")
    app = App("certmail", broker=broker_url(redis_url), **OWN_APP)
    app.own_broker = broker_url(redis_url)

    # As one document, beside which none is looked for.
    app.config_from_object(_configuration(settings, redis_url))
    app.life = WorkerLife(app, settings, redis_url)
    tasks.register(app, app.life)
    refuse_changes(app)
    return app


def _configuration(settings: Settings, redis_url: str) -> dict[str, Any]:
    return {
        "worker_pool": "certmail_worker.runtime.pool:TaskPool",
        "worker_concurrency": settings.concurrency,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # A send that is cancelled has an unknown outcome; the ledger's fence does what cancelling
        # is meant to do.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_default_queue": QUEUE,
        "task_acks_late": True,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "event_serializer": "json",
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": transport_options(redis_url),
    }


# As every command does: Celery's own starts here.
os.umask(0o077)
take_out(os.environ)

logs.set_up_where_json_is_asked_for("worker")
try:
    settings = Settings.from_env()
except SettingsError as error:  # Celery would show a traceback
    if not logs.say_why_not(error):
        sys.stderr.write(f"certmail: {error.message}\n  {error.remedy}\n")
    raise SystemExit(2) from None

app = build(settings)
_stores = ExitStack()


def _say_nothing_else(instance: Any, **_: Any) -> None:
    """The log is all that a worker says: no banner, and what Celery warns of is a line, too."""
    instance.quiet = True
    _set_up_logging()


def _set_up_logging(**_: Any) -> None:
    logs.set_up(settings.log_format, process="worker")


def _open_stores(**_: Any) -> None:
    _stores.enter_context(redis_server(settings, supervise=True))


def _take_signals(**_: Any) -> None:
    stop_signals.install(settings.log_format)
    app.life.consumes()


def _close_stores(**_: Any) -> None:
    _stores.close()


signals.celeryd_init.connect(_say_nothing_else)
signals.setup_logging.connect(_set_up_logging)
signals.worker_init.connect(_open_stores)
signals.worker_ready.connect(_take_signals)
signals.worker_shutdown.connect(_close_stores)
