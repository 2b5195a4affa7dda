"""Ringing a worker's doorbell by hand."""

from __future__ import annotations

import subprocess
import sys

from support.deployment.deployment import Deployment

RING = """
import sys
from certmail_worker.app import app
from certmail_worker.runtime.doorbell import Doorbell
Doorbell(app).ring(sys.argv[1:])
"""


def ring(deployment: Deployment, *jobs: str) -> None:
    subprocess.run([sys.executable, "-c", RING, *jobs], env=deployment.environment, check=True)
