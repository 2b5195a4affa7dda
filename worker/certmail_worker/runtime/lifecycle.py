"""A worker process's life on the pool's loop: start, quiet, stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

from celery import Celery
from redis.exceptions import RedisError

from certmail_config.admin.admin import Admin
from certmail_config.base.durability import (
    NOTHING_PROMISED,
    Durability,
    DurabilityKind,
    prove,
    vouch,
)
from certmail_config.base.errors import Refused, StoresUnreachable
from certmail_config.base.foreign_variables import say_environment
from certmail_config.base.ids import uuid7
from certmail_config.jobs.recipients import OnlyTo
from certmail_config.jobs.uncertain_policy import Policy
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.metrics.instruments import WorkerMeters
from certmail_config.process.listener import HealthListener
from certmail_config.process.release import release
from certmail_config.process.service_manager import ServiceManager
from certmail_config.settings import Settings, unknown_names
from certmail_config.settings.forms import host_and_port
from certmail_config.settings.oauth_client import oauth_client
from certmail_config.sql.engine import open_database
from certmail_config.status.monitoring.loop_lag import LoopLag
from certmail_config.status.monitoring.values import Values, put
from certmail_config.stores.connect import (
    check_channels,
    connect,
    connect_async,
    connect_gathering,
    database_url,
    open_vault,
)
from certmail_config.tracing.process import process_tracing
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.settlement import Rules
from certmail_worker.delivery.shelf import TemplateShelf
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import new_session
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.google.token_client import TokenClient
from certmail_worker.google.tokens import Tokens
from certmail_worker.health.clock_skew import ClockSkew
from certmail_worker.health.progress import ServiceProgress
from certmail_worker.health.worker_health import WorkerHealth
from certmail_worker.recording.consistency import check
from certmail_worker.runtime.doorbell import Doorbell
from certmail_worker.runtime.garbage import spare_what_lasts
from certmail_worker.runtime.keeper_services import keeper_services
from certmail_worker.runtime.logs import name_worker
from certmail_worker.services.keeper import Keeper
from certmail_worker.services.pacing_guard import say_stopped

log = logging.getLogger(__name__)


class WorkerLife:
    """What a worker has beside its tasks; one per process.

    `redis_url` is the server that was found usable.
    """

    context: DeliveryContext
    admin: Admin

    def __init__(self, app: Celery, settings: Settings, redis_url: str) -> None:
        self._app = app
        self._settings = settings
        self._redis_url = redis_url
        self._durability = Durability.parse(settings.durability)
        self._listener: HealthListener | None = None
        self._skew = ClockSkew()
        self._lag = LoopLag()
        self._delivers = False

    @property
    def stop_seconds(self) -> float:
        """How long a delivery under way may take: its lease; then its job is somebody else's."""
        return self._settings.lease_seconds

    def consumes(self) -> None:
        """Celery reads the queue from now on."""
        self.health.consumes()

    def queue_is_read(self) -> None:
        """Celery's hub has turned."""
        self.health.queue_beat.beat()

    @property
    def unsettled(self) -> int:
        """How many deliveries have begun and are not settled yet.

        A worker does not end before they are.
        """
        return len(self.context.unsettled)

    async def start(self, capacity: int) -> None:
        """Open what deliveries need, and begin to advertise.

        Raises CertmailError for what cannot work.

        That the server is durable is proven here too: Celery's own command line does without our
        other start-up.
        """
        settings = self._settings
        if self._durability.kind is DurabilityKind.NONE:
            log.warning("durability_none", extra={"error": NOTHING_PROMISED})
        if settings.only_to:
            log.warning("only_to_some", extra={"error": settings.only_to})
        say_environment(log, unknown_names())
        await asyncio.to_thread(self._prove)
        self._redis = connect_async(self._redis_url)
        self._engine = open_database(database_url(settings))
        self._meters = WorkerMeters(SEND_UNITS)
        await self._answer_for_health()
        traces = await asyncio.to_thread(process_tracing, "certmail-worker")
        if traces.trouble:
            log.warning("traces_off", extra={"error": traces.trouble, "remedy": traces.remedy})

        self._vault = vault = open_vault(settings)
        self._session = new_session(
            ca_file=settings.google_ca_file,
            timeout_seconds=settings.http_timeout_seconds,
            on_date=self._skew.observe,
            proxy=settings.proxy,
        )

        self._gathering = connect_gathering(self._redis_url)
        self.admin = Admin(settings, self._engine, connect(self._redis_url), vault)
        await asyncio.to_thread(self._publish_limits)

        token_client = TokenClient(
            self._session,
            settings.google_token_url,
            vault,
            oauth_client(settings),
            tracing=traces.tracing,
        )
        self.context = DeliveryContext(
            worker=f"{socket.gethostname()}:{os.getpid()}:{uuid7(0)[-6:]}",
            redis=self._gathering,
            directory=Directory(self._gathering, vault),
            tokens=Tokens(
                self._gathering, vault, token_client, settings.confirm_seconds, self._meters
            ),
            gmail=Gmail(self._session, settings.gmail_url, traces.tracing),
            rules=Rules(
                uncertain=Policy.parse(settings.uncertain),
                resend=settings.resend_after,
                resend_5xx=resend_seconds(settings.uncertain_5xx),
                probe=settings.probe_seconds,
                verify=settings.verify_seconds,
                project_share=settings.project_share,
            ),
            lease_seconds=settings.lease_seconds,
            send_window_seconds=settings.send_window_seconds,
            only_to=OnlyTo.parse(settings.only_to or ""),
            replicas=self._durability.replicas,
            meters=self._meters,
            tracing=traces.tracing,
            templates=TemplateShelf(self._gathering, frozenset(settings.logo_hosts)),
            release=str(release(settings.revision)),
        )

        name_worker(self.context.worker)

        progress = ServiceProgress(self._redis, self.context.worker, self._skew)
        services = keeper_services(
            self.context,
            self.admin,
            self._redis,
            self._engine,
            settings,
            progress,
            ring=Doorbell(self._app, self._gathering).ring,
            check_server=self._check_server,
        )
        self._keeper = Keeper(self.context, capacity, services, progress)
        spare_what_lasts()
        self._keeper.start()
        self._delivers = True

    async def _answer_for_health(self) -> None:
        """Begin to be looked at: over HTTP, and by the service manager.

        Raises Refused where the address cannot be had.
        """
        settings = self._settings
        self.health = WorkerHealth(release(settings.revision), ServiceManager.of_this_process())
        await self.health.start(self._redis)
        if settings.metrics_listen is None:
            return

        # Who does not look does without the time that it takes to import.
        from certmail_config.status.monitoring.page import MetricsPage, Stores  # noqa: PLC0415

        metrics = MetricsPage(
            "worker",
            release(settings.revision),
            self._meters.registry,
            Stores(settings, self._redis_url, self._engine),
            self._gauges,
        )
        self._lag.start(asyncio.get_running_loop())
        pages = {**self.health.pages, "/metrics": metrics.page}
        self._listener = HealthListener(*host_and_port(settings.metrics_listen), pages)
        try:
            address = await asyncio.to_thread(self._listener.start)
        except OSError as error:
            message = (
                f"The worker cannot listen on {settings.metrics_listen}: {error.strerror or error}."
            )
            remedy = (
                "Set CERTMAIL_METRICS_LISTEN to another port, one for each worker of a machine."
            )
            raise Refused("address_in_use", message, remedy) from None
        log.info("health_listens", extra={"address": address})

    def _gauges(self) -> Values:
        """What metrics tell of this process that nothing counts; from any thread."""
        values: Values = {}
        put(values, "certmail_loop_lag_seconds", self._lag.seconds())
        if (ahead := self._skew.seconds) is not None:
            put(values, "certmail_clock_ahead_seconds", ahead, "google")
        if self._delivers:  # else it only starts
            put(values, "certmail_deliveries_under_way", self._meters.under_way)
            put(values, "certmail_deliveries_unsettled", self.unsettled)
            put(values, "certmail_keeper", self._keeper.keeps)
        return values

    def _prove(self) -> None:
        check_channels(self._redis_url)
        with connect(self._redis_url) as redis:
            prove(redis, self._durability)

    def _publish_limits(self) -> None:
        """Write every lane's limits into Redis.

        With SQL away the lanes keep the limits that they have: no reason not to send.
        """
        try:
            self.admin.projector.publish_limits()
        except StoresUnreachable as error:
            log.warning("limits_not_published", extra={"code": error.code, "error": error.message})
        except RedisError as error:
            message = f"Redis does not answer: {type(error).__name__}."
            remedy = "Start it, or check CERTMAIL_REDIS_URL; then start the worker again."
            raise StoresUnreachable("redis_unreachable", message, remedy) from error

    def _check_server(self) -> bool:
        """Check the server's durability and its consistency with the record.

        In a thread of its own, with a client of its own; it happens once for each run of the
        server.
        """
        with connect(self._redis_url) as redis:
            try:
                prove(redis, self._durability)
            except StoresUnreachable as error:
                say_stopped(redis, error)
                return False
            vouch(redis, self._durability)

            # A server that comes back from an older copy does not know of it: it must not go on by
            # that.
            Admin(self._settings, self._engine, redis, self._vault).projector.publish_pauses()
            return check(redis, self._engine)

    async def quiet(self) -> None:
        """Ring for nothing more, and let another worker be the keeper."""
        self.health.quiet()
        await self._keeper.quiet()

    async def stop(self) -> None:
        """Let go of everything."""
        await self._keeper.quiet()
        await self.health.stop()
        self._lag.stop()
        if self._listener is not None:
            await asyncio.to_thread(self._listener.stop)
        await self.context.tokens.close()
        await self._session.close()
        await self._gathering.aclose()
        await self._redis.aclose()
        self.admin.redis.close()
        self._engine.dispose()
        await asyncio.to_thread(self.context.tracing.close)


def resend_seconds(rule: str) -> float | None:
    """Read CERTMAIL_UNCERTAIN_5XX: `hold` is None, `resend:900` is 900."""
    return None if rule == "hold" else float(rule.partition(":")[2])
