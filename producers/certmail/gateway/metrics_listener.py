"""The gateway's metrics, on a listener of their own: CERTMAIL_METRICS_LISTEN.

Whoever reaches the gateway itself, browsers and applications of tenants, must not learn from it how
much others send.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from certmail.gateway.listener import BoundedServer
from certmail.gateway.meters import METERS
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.process.listener import HealthListener
from certmail_config.process.release import release
from certmail_config.settings.forms import host_and_port
from certmail_config.status.monitoring.loop_lag import LoopLag
from certmail_config.status.monitoring.page import MetricsPage, Stores
from certmail_config.status.monitoring.values import Values, put
from certmail_config.stores.connect import redis_url_of

log = logging.getLogger(__name__)


@asynccontextmanager
async def metrics_told(runner: web.AppRunner, admin: Admin) -> AsyncIterator[None]:
    """Tell metrics for the time of the block, where that is wanted.

    Raises Refused where the address cannot be had.
    """
    settings = admin.settings
    if settings.metrics_listen is None:
        yield
        return

    lag = LoopLag()
    lag.start(asyncio.get_running_loop())

    def own() -> Values:
        values: Values = {}
        put(values, "certmail_loop_lag_seconds", lag.seconds())
        if isinstance(runner.server, BoundedServer):
            put(values, "certmail_http_connections", runner.server.open_connections)
        return values

    stores = Stores(settings, redis_url_of(settings), admin.engine)
    metrics = MetricsPage(
        "gateway", release(settings.revision), runner.app[METERS].registry, stores, own
    )
    listener = HealthListener(*host_and_port(settings.metrics_listen), {"/metrics": metrics.page})
    try:
        address = await asyncio.to_thread(listener.start)
    except OSError as error:
        message = (
            f"The gateway cannot tell metrics on {settings.metrics_listen}: "
            f"{error.strerror or error}."
        )
        remedy = "Set CERTMAIL_METRICS_LISTEN to another port, one for each process of a machine."
        raise Refused("address_in_use", message, remedy) from None

    log.info("metrics_listen", extra={"address": address})
    try:
        yield
    finally:
        lag.stop()
        await asyncio.to_thread(listener.stop)
