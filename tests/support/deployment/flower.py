"""Looking into a running Flower."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import requests

from support.deployment.deployment import Deployment, wait_for

USER, PASSWORD = "ann", "a-word:with-a-colon"
LOCKED = {
    "CERTMAIL_FLOWER_LISTEN": "127.0.0.1:0",
    "CERTMAIL_FLOWER_BASIC_AUTH": f"{USER}:{PASSWORD}",
}


@dataclass(frozen=True, slots=True)
class FlowerClient:
    """A running Flower, and how to look into it."""

    url: str
    auth: tuple[str, str] | None = (USER, PASSWORD)

    def ask(self, method: str, path: str, auth: tuple[str, str] | None = None) -> requests.Response:
        return requests.request(method, self.url + path, auth=auth or self.auth, timeout=60)

    def get(self, path: str) -> requests.Response:
        return self.ask("GET", path)

    def json(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def waiting(self) -> dict[str, int]:
        queues = self.json("/api/queues/length")["active_queues"]
        return {queue["name"]: queue["messages"] for queue in queues}

    def locked(self) -> bool:
        return requests.get(self.url, timeout=60).status_code == 401


def flower_client(
    deployment: Deployment, log: str = "flower.log", auth: tuple[str, str] = (USER, PASSWORD)
) -> FlowerClient:
    found: list[str] = []

    def announced() -> bool:
        found[:] = re.findall(
            r"^http://127\.0\.0\.1:\d+$", (deployment.data_dir / log).read_text(), re.MULTILINE
        )
        return bool(found)

    wait_for("Flower says its address", announced)
    return FlowerClient(found[-1], auth)
