"""Whoever looks on: status questions by client and API, lists, the console, and Flower's pages."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import cycle
from typing import Final

import requests

from certmail import Mailer
from certmail_config.base.errors import StoresUnreachable
from certmail_config.stores.connect import connect
from chaos.retrying import BUSY
from soak.system import System
from support.deployment.console_visitor import Visitor

ASK_SECONDS: Final = 0.5
SIGN_IN: Final = 600
"""After so many questions the visitor of the console signs out, and another signs in."""


class Visitors(threading.Thread):
    """A thread that asks one question after the other, in turn.

    Attributes:
        asked: How often each was answered.
        wrong: What was not answered as it should be.
    """

    def __init__(
        self, system: System, jobs: Callable[[], Sequence[str]], over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.asked: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._system, self._jobs, self._over = system, jobs, over
        self._random = random.Random(1)

    def run(self) -> None:
        with ExitStack() as stack:
            api = stack.enter_context(requests.Session())
            api.trust_env = False
            api.headers["Authorization"] = f"Bearer {self._system.key}"
            mailer = Mailer(stack.enter_context(connect(self._system.redis.url)))
            console = self._visitor()

            for number, (name, ask) in enumerate(cycle(self._questions(api, mailer).items())):
                if self._over.wait(ASK_SECONDS):
                    return
                self._guarded(name, ask)
                self._guarded("console", lambda n=number, v=console: self._look(v, n))  # type: ignore[misc]  # as they are now
                if number % SIGN_IN == SIGN_IN - 1:
                    console.session.close()
                    console = self._visitor()

    def _questions(self, api: requests.Session, mailer: Mailer) -> dict[str, Callable[[], object]]:
        gateway = self._system.place.gateway

        def get(path: str) -> None:
            answer = api.get(gateway + path, timeout=60)
            if answer.status_code != 404:  # it may be forgotten by now
                answer.raise_for_status()

        def look_up() -> None:
            body = {"ids": self._some(50)}
            if not body["ids"]:
                return
            answer = api.post(f"{gateway}/v1/reminders:lookup", json=body, timeout=60)
            answer.raise_for_status()

        return {
            "status by client": lambda: [mailer.status(job) for job in self._some(5)],
            "status by API": lambda: get(f"/v1/reminders/{(self._some(1) or ['none'])[0]}"),
            "lookup": look_up,
            "changes": lambda: get("/v1/changes?limit=100"),
            "deliveries": lambda: get("/v1/deliveries?limit=100"),
            "campaigns": lambda: get("/v1/campaigns"),
            "connections": lambda: get("/v1/connections"),
            "readiness": lambda: get("/readyz"),
            "Flower": lambda: self._system.flower.get("/tasks").raise_for_status(),
            "Flower's API": lambda: self._system.flower.get(
                "/api/tasks?limit=50"
            ).raise_for_status(),
            "Flower's metrics": lambda: self._system.flower.get("/metrics").raise_for_status(),
        }

    def _visitor(self) -> Visitor:
        made = Visitor(self._system.place)
        self._guarded("sign-in", lambda: made.sign_in().raise_for_status())
        return made

    def _look(self, visitor: Visitor, number: int) -> None:
        path = "/console" if number % 2 else f"/console/connections/{self._system.console}"
        visitor.get(path).raise_for_status()

    def _some(self, count: int) -> list[str]:
        """Some of the newest jobs: what has ended is soon forgotten."""
        newest = self._jobs()
        return self._random.sample(newest, min(count, len(newest)))

    def _guarded(self, name: str, ask: Callable[[], object]) -> None:
        try:
            ask()
        except (*BUSY, StoresUnreachable) as error:
            self.wrong.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
        else:
            self.asked[name] += 1
