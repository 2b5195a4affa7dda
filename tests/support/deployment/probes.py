"""What a load balancer or a kubelet asks of a process, and where."""

from __future__ import annotations

from typing import Any

import requests

from support.deployment.deployment import BUSY_SECONDS


def readiness(address: str) -> dict[str, Any]:
    """What /readyz says; that it is not ready while nobody answers."""
    try:
        answer = requests.get(f"http://{address}/readyz", timeout=BUSY_SECONDS)
    except requests.ConnectionError:
        return {"ready": False, "checks": {}}

    said: dict[str, Any] = answer.json()
    assert answer.ok == said["ready"], said
    return said


def is_ready(address: str) -> bool:
    """Whether it is to be given work."""
    return bool(readiness(address)["ready"])


def lives(address: str) -> bool:
    """Whether it is to be left running."""
    answer = requests.get(f"http://{address}/healthz", timeout=BUSY_SECONDS)
    assert answer.ok == answer.json()["ok"], answer.text
    return answer.ok
