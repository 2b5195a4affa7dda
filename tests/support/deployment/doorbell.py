"""Ringing a worker's doorbell by hand."""

from __future__ import annotations

import subprocess
import sys

from support.deployment.deployment import Deployment

RING = """
import asyncio, sys
from certmail_config.stores.connect import connect_async, redis_server
from certmail_worker.app import app, settings
from certmail_worker.runtime.doorbell import Doorbell

async def ring(url):
    redis = connect_async(url)
    await Doorbell(app, redis).ring(sys.argv[1:])
    await redis.aclose()

with redis_server(settings) as url:
    asyncio.run(ring(url))
"""


def ring(deployment: Deployment, *jobs: str) -> None:
    subprocess.run([sys.executable, "-c", RING, *jobs], env=deployment.environment, check=True)
