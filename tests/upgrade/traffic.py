"""What comes in while releases change: upstream applications, and one that speaks HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import requests

from support.deployment.probes import is_ready

UPSTREAM: Final = Path(__file__).with_name("upstream.py")
PAUSE_SECONDS: Final = 0.03
HTTP_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Taken:
    """A reminder that was taken in: its key, and the job that the receipt names."""

    key: str
    job: str


@dataclass(slots=True)
class Upstream:
    """An upstream application's file of receipts."""

    file: Path

    def taken(self) -> list[Taken]:
        """What it has receipts for."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        given = [json.loads(line) for line in lines]
        return [Taken(each["key"], each["id"]) for each in given]

    def refused(self) -> int:
        """How often it got no receipt, and sent the same again."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        return sum(int(json.loads(line)["refused"]) for line in lines)


@dataclass(slots=True)
class HttpUpstream:
    """Posts reminders to whichever gateway is ready, as behind a load balancer.

    What is not answered is posted again under the same key.
    """

    key: str
    tenants: Sequence[str]
    gateways: list[str] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    refused: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._post_all, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Post nothing new, and wait for the last answer."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(HTTP_SECONDS)

    def _post_all(self) -> None:
        for n in count():
            if self._ended.wait(PAUSE_SECONDS):
                return
            key = f"http-{n}"
            body = {
                "tenant": self.tenants[n % len(self.tenants)],
                "to": f"{key}@people.example",
                "campaign": "http",
                "pending": 1,
            }
            self.taken.append(Taken(key, self._post(key, body)))

    def _post(self, key: str, body: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
        for gateway in self._round():
            try:
                url = f"{gateway}/v1/reminders"
                answer = requests.post(url, json=body, headers=headers, timeout=HTTP_SECONDS)
            except requests.RequestException:
                self.refused += 1
                continue
            if answer.status_code in {200, 202}:
                return str(answer.json()["id"])
            assert answer.status_code in {409, 429, 503}, answer.text
            self.refused += 1
        message = "it never ends"
        raise AssertionError(message)

    def _round(self) -> Any:
        while True:
            ready = [each for each in self.gateways if is_ready(each.removeprefix("http://"))]
            if not ready:
                self._ended.wait(0.05)
            yield from ready


def arguments(file: Path, name: str, tenants: Sequence[str]) -> list[str]:
    """The command line of an upstream application, behind the interpreter."""
    return [str(UPSTREAM), str(file), name, str(PAUSE_SECONDS), *tenants]
