"""Flower, Celery's dashboard, read-only and behind a password.

For people to look at and nothing else: a password before every page, no way to act.

What is added to Flower goes through what Flower and Tornado have for it; nothing of theirs is
changed:

- one gate before all paths, `/metrics` and `/healthcheck` too, which Flower leaves open. It lets
  reading through and nothing else; Flower's own `basic_auth` and `read_only` are on behind it.
- queue lengths counted by kombu, over the app's own connection. Flower makes a second client from
  the broker's URL, and that one does not know the certificates of `rediss://…?ssl_ca_certs=`, nor
  the user, the database or the spaces of a Unix socket's URL.
- a wait between attempts to hear events that does not double without end while Redis is away.
- threads that ask workers end with the process: while Redis is away they would keep it from ending.
- of a worker's connection to the broker only what is harmless: with a Unix socket, Celery reports
  the URL whole, its password included.

Nothing is kept (`persistent` is off): the record is in SQL, and Flower shows what has happened
since it started.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from celery import Celery
from celery.events import EventReceiver
from flower.api.tasks import GetQueueLengths
from flower.app import Flower
from flower.events import Events
from flower.urls import settings as pages
from flower.views import BaseHandler
from flower.views.broker import BrokerView
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.options import options
from tornado.web import ErrorHandler, HTTPError, RequestHandler, url

from certmail_config.settings.forms import here
from certmail_config.stores.connect import hide_password
from certmail_worker.processes.unattended_threads import UnattendedThreads
from certmail_worker.processes.wrong_tries import SECONDS, WrongTries

log = logging.getLogger(__name__)

MAX_TASKS: Final = 20_000  # some 100 MB; Flower forgets the oldest
EVENTS_RETRY_SECONDS: Final = 2.0
# A worker's name has its process id in it: each restart leaves a name behind.
FORGET_WORKERS_SECONDS: Final = 3600
READING: Final = {"GET", "HEAD"}
READ_BY_POST: Final = "/tasks/datatable"  # a table's filter may be longer than a URL


def serve(app: Celery, auth: str, host: str, port: int, *, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; raises OSError if the address cannot be had.

    `auth` is `user:password`.
    """
    # Where no worker answers, it warns five times at each look; that there is none is what its
    # pages show.
    logging.getLogger("flower.inspector").setLevel(logging.ERROR)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    options.address, options.port = host, port
    options.basic_auth = [auth]
    options.read_only = True
    options.purge_offline_workers = FORGET_WORKERS_SECONDS
    # The job id, which is the only argument, and the state that it came to are what is looked for.
    options.tasks_columns = "name,args,state,result,received,runtime,worker,uuid"

    io_loop = IOLoop.current()
    flower = ReadOnlyFlower(
        auth,
        capp=app,
        options=options,
        # Our workers send events unasked. Asking, every five seconds, would take a thread each time
        # while Redis is away, and hold it until Redis is back, even if that keeps the process from
        # ending.
        events=EventListener(app, io_loop, enable_events=False, max_tasks_in_memory=MAX_TASKS),
        io_loop=io_loop,
        log_function=_log_refusals,
        **pages,
    )

    bound = flower.start_http_server()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, flower.stop)
    if not _is_loopback(host):
        log.warning(
            "flower_without_tls", extra={"remedy": "Put a proxy that speaks HTTPS in front of it."}
        )
    announce(f"http://{here(f'[{host}]:{bound}' if ':' in host else f'{host}:{bound}')}")
    flower.start()


class ReadOnlyFlower(Flower):  # type: ignore[misc]  # Flower ships no types
    """Flower behind the gate."""

    pool_executor_cls = UnattendedThreads

    def __init__(self, auth: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._credentials = base64.b64encode(auth.encode())
        self._wrong = WrongTries()
        # Handlers that are added come before those that Flower has for the same paths.
        self.add_handlers(
            ".*",
            [url("/broker", BrokerPage, name="broker"), url("/api/queues/length", QueueLengths)],
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Let a request through to its handler, or answer it here."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        address, now = str(request.remote_ip), time.monotonic()
        if scheme and self._wrong.wait(address, now):
            return self.get_handler_delegate(request, GateRefusal, {"status_code": 429})
        if scheme != "Basic" or not hmac.compare_digest(credentials.encode(), self._credentials):
            if scheme:
                self._wrong.note(address, now)
            return self.get_handler_delegate(request, GateRefusal, {"status_code": 401})
        if request.method not in READING and request.path != READ_BY_POST:
            return self.get_handler_delegate(request, GateRefusal, {"status_code": 403})

        return super().find_handler(request, **kwargs)

    @property
    def workers(self) -> dict[str, dict[str, Any]]:
        """What workers report of themselves, as it may be shown."""
        return {name: without_broker_url(report) for name, report in self.inspector.workers.items()}


class EventListener(Events):  # type: ignore[misc]  # as above
    """The thread that hears events."""

    stops = False

    def stop(self) -> None:
        """Hear no more; what ends with the process, Redis perhaps, is nothing to tell of."""
        self.stops = True
        super().stop()

    def run(self) -> None:
        """Hear events for as long as the process lives."""
        while True:
            try:
                with self.capp.connection() as connection:
                    receiver = EventReceiver(
                        connection, handlers={"*": self.on_event}, app=self.capp
                    )
                    receiver.capture(limit=None, timeout=None, wakeup=True)
            # Whatever it was, without this thread Flower is blind.
            except Exception as error:  # noqa: BLE001
                if self.stops:
                    return
                log.warning("events_interrupted", extra={"error": type(error).__name__})
                time.sleep(EVENTS_RETRY_SECONDS)


class GateRefusal(ErrorHandler):
    """The gate's answer."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Let a browser ask for the password."""
        if status_code == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="certmail"')
        if status_code == 429:
            self.set_header("Retry-After", str(int(SECONDS)))
        super().write_error(status_code, **kwargs)


class QueueCounts:
    """Queue lengths as kombu counts them; in the place of Flower's broker classes."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    async def queues(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """How many messages wait in each; raises what kombu raises."""
        return await asyncio.to_thread(self._count, list(names))

    def _count(self, names: list[str]) -> list[dict[str, Any]]:
        connection = self._app.connection_for_read()

        try:
            with connection, connection.channel() as channel:
                # Declaring writes nothing to Redis. Asking passively would find none: kombu 5.7
                # then looks for the queue's key without `global_keyprefix`.
                return [
                    {"name": name, "messages": channel.queue_declare(name).message_count}
                    for name in names
                ]
        except connection.connection_errors as error:
            raise HTTPError(503, "Redis cannot be reached.") from error


class _CountedByKombu(BaseHandler):  # type: ignore[misc]  # as above
    def get_broker(self) -> QueueCounts:
        return QueueCounts(self.capp)


class QueueLengths(_CountedByKombu, GetQueueLengths):  # type: ignore[misc]  # as above
    """`/api/queues/length`."""


class BrokerPage(_CountedByKombu, BrokerView):  # type: ignore[misc]  # as above
    """`/broker`."""


def without_broker_url(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker reports of itself, without what could open the broker."""
    stats = report.get("stats")
    if not stats or "broker" not in stats:
        return dict(report)

    broker = stats["broker"]
    harmless = {
        name: broker[name]
        for name in ("transport", "port", "virtual_host", "transport_options", "connect_timeout")
        if name in broker
    }
    hostname = hide_password(str(broker.get("hostname")))

    return {**report, "stats": {**stats, "broker": {"hostname": hostname, **harmless}}}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_refusals(handler: RequestHandler) -> None:
    """Log what was refused; the path without its query, which people type into.

    Tornado logs what failed.
    """
    status, request = handler.get_status(), handler.request
    if status == 401 and "Authorization" not in request.headers:
        return  # a browser that has not asked its user yet

    if 400 <= status < 500:
        extra = {
            "status": status,
            "method": request.method,
            "path": request.path,
            "from": request.remote_ip,
            "alike": f"{status} {request.remote_ip}",
        }
        log.info("request_refused", extra=extra)
