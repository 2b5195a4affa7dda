"""Requests to a worker: the gateway's only use of Celery.

A message holds nothing but a worker request's id.

What touches Google is a worker's to do. Everything here blocks: call it off the loop.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from celery import Celery
from kombu.exceptions import OperationalError

from certmail_config.admin.admin import Admin
from certmail_config.base.ids import ConnectionId
from certmail_config.onboarding.sample_wanted import SampleWanted
from certmail_config.onboarding.worker_requests import (
    Remark,
    Wish,
    WorkerRequest,
    WorkerRequests,
    silence,
    workers_alive,
)
from certmail_config.settings import Settings
from certmail_config.stores.broker import (
    OWN_APP,
    PROBE,
    QUEUE,
    OneBroker,
    broker_url,
    transport_options,
)
from certmail_config.stores.connect import redis_url_of

log = logging.getLogger(__name__)

_UNSENT: Final = Remark(
    "queue_unreachable",
    "The request could not be handed to a worker: Redis does not answer.",
    "Try again in a moment.",
)


@dataclass(frozen=True, slots=True)
class RequestState:
    """A worker request as it stands, and if nothing comes, why."""

    worker_request: WorkerRequest
    silence: Remark | None

    @property
    def over(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.worker_request.over or self.silence is not None


class App(OneBroker, Celery):  # type: ignore[misc]  # Celery ships no types
    """A Celery application that only sends."""


class WorkerRequester:
    """Sends requests to workers, and looks what became of them."""

    def __init__(self, admin: Admin) -> None:
        self._redis = admin.redis
        self._worker_requests = WorkerRequests(admin.redis, admin.vault, time.time)
        self._app = _app(admin.settings)

    def ask(
        self,
        tenant: str,
        connection: ConnectionId,
        wish: Wish,
        *,
        by: str = "",
        sample: SampleWanted | None = None,
    ) -> WorkerRequest:
        """Ask; where no worker is alive the message is not sent, and `look` says so.

        Raises RedisError.
        """
        worker_request = self._worker_requests.ask(tenant, connection, wish, by=by, sample=sample)
        if not workers_alive(self._redis):
            return worker_request

        try:
            self._app.send_task(
                PROBE,
                args=[worker_request.id],
                argsrepr=f"('{worker_request.id}',)",
                kwargsrepr="{}",
                retry=False,
            )
        except OperationalError as error:
            log.warning("worker_request_not_sent", extra={"error": type(error).__name__})
            return self._worker_requests.tell(worker_request.refused(_UNSENT))

        return worker_request

    def latest(self, connection: ConnectionId) -> RequestState | None:
        """How far the latest worker request about a connection has come; None if there is none.

        Raises RedisError, SealBroken.
        """
        return self._answer(self._worker_requests.latest(connection))

    def look(self, id_: str) -> RequestState | None:
        """How far the worker request of this id has come; None if there is none."""
        return self._answer(self._worker_requests.read(id_))

    def _answer(self, worker_request: WorkerRequest | None) -> RequestState | None:
        if worker_request is None:
            return None
        return RequestState(
            worker_request, silence(worker_request, workers_alive(self._redis), time.time())
        )

    def close(self) -> None:
        """Let the connections go."""
        self._app.close()


def _app(settings: Settings) -> App:
    """Make the application: it knows no task, and is not made the process's own."""
    url = redis_url_of(settings)
    app = App("certmail-gateway", broker=broker_url(url), set_as_current=False, **OWN_APP)
    app.own_broker = broker_url(url)
    # As one document, beside which none is looked for.
    app.config_from_object(
        {
            "task_default_queue": QUEUE,
            "task_ignore_result": True,
            "task_serializer": "json",
            "broker_transport_options": transport_options(url),
        }
    )

    return app
