"""The abuser of an API key, in a process of its own.

What it does must not slow down the storm that watches the others.

`python -m chaos.abuser GATEWAY` reads a line for each spell: a key and a number to begin with, or
nothing to stop. When its standard input ends it prints how often it got each answer, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from typing import Final
from uuid import uuid4

import requests

from support.data.garbage import NOT_JSON, OTHER_JSON

BATCH: Final = json.dumps({"reminders": [{} for _ in range(1_000)]}).encode()
BODIES: Final = (BATCH, *NOT_JSON.values(), *OTHER_JSON.values())
ANSWER_SECONDS: Final = 10.0
CALLERS: Final = 2
"""So many connections at once has whoever holds the key."""
REST_SECONDS: Final = 0.05
"""The pause after each answer.

What is tried is what the key may cost the gateway, not how fast this process can ask.
"""
NICENESS: Final = 10
"""The niceness of the gateway and its callers, who leave the cores to whoever delivers.

Elsewhere they have machines of their own.
"""


class Abuser:
    """The process, as seen by the storm."""

    def __init__(self, gateway: str, key: str) -> None:
        self._key = key
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chaos.abuser", gateway],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def begin(self, number: int) -> None:
        """Ask for all that the key may, until the end."""
        self._say(f"{self._key} {number}")

    def end(self) -> None:
        """Let it be for now."""
        self._say("")

    def over(self) -> Counter[str]:
        """End the process; gives how often it got each answer: a status, or `none`.

        Again: nothing.
        """
        if self._process.stdin is None or self._process.stdin.closed:
            return Counter()
        out, _ = self._process.communicate(timeout=4 * ANSWER_SECONDS)
        return Counter(json.loads(out))

    def _say(self, line: str) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def main() -> None:
    """See the module."""
    os.nice(NICENESS)
    gateway, answers, over = sys.argv[1], Counter[str](), threading.Event()
    over.set()
    callers: list[threading.Thread] = []

    for line in sys.stdin:
        over.set()
        for caller in callers:
            caller.join()
        callers = []

        if line.strip():
            key, number = line.split()
            over.clear()
            callers = [
                threading.Thread(target=_call, args=(gateway, key, int(number) + n, over, answers))
                for n in range(CALLERS)
            ]

        for caller in callers:
            caller.start()

    over.set()
    for caller in callers:
        caller.join()
    sys.stdout.write(json.dumps(answers))


def _call(
    gateway: str, key: str, number: int, over: threading.Event, answers: Counter[str]
) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    while not over.is_set():
        body = BODIES[number % len(BODIES)] if number % 2 else BATCH
        number += 1
        path = "/v1/reminders:batch" if number % 3 else "/v1/reminders"
        more = headers | {"Idempotency-Key": uuid4().hex}

        try:
            answer = requests.post(gateway + path, data=body, headers=more, timeout=ANSWER_SECONDS)
        except requests.RequestException:
            answers["none"] += 1
            over.wait(4 * REST_SECONDS)  # the storm has killed it, perhaps
        else:
            answers[str(answer.status_code)] += 1
            over.wait(REST_SECONDS)


if __name__ == "__main__":
    main()
