"""Playing scenes, and holding what somebody is told against what was said."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from alerting.scenes import Scene
from alerting.stage import Stage
from certmail_dashboards.__main__ import VIEWS
from certmail_dashboards.view import as_json

TOLD_SECONDS: Final = 240
QUIET_SECONDS: Final = 180
STEADY_SECONDS: Final = 5
"""So long nothing else may come beside what was told."""
STORM: Final = 40
"""Reminders of each tenant."""


class Findings:
    """What was not as said, and a line for each thing that was looked at."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Print it, with the time."""
        sys.stdout.write(f"{time.monotonic() - self._began:5.0f} s  {line}\n")
        sys.stdout.flush()

    def note(self, wrong: str) -> None:
        """Something is not as said."""
        self.wrong.append(wrong)
        self.say(f"WRONG: {wrong}")


def storm(made: Stage, found: Findings) -> None:
    """Reminders for all, and an ordinary bad day of Google's; every panel has something to show."""
    _watch(made, lambda now: not now, QUIET_SECONDS)
    made.deployment.fault("401_once", times=2)
    made.deployment.fault("slow", times=6, seconds=1)
    made.deployment.fault("429_retry_at", seconds=4)
    jobs = made.remind(STORM, "storm")
    found.say(f"a storm of {len(jobs)} reminders, with Google's ordinary faults")

    asked = sorted({each for view in VIEWS for each in expressions(as_json(view), made.name)})
    missing, told = set(asked), set[str]()
    deadline = time.monotonic() + TOLD_SECONDS
    while missing and time.monotonic() < deadline:
        missing -= {each for each in missing if made.seen(each)}
        told |= told_now(made)
        time.sleep(1)

    made.wait_until_all_left()
    told |= told_now(made)
    found.say(
        f"{len(asked) - len(missing)} of the dashboards' {len(asked)} expressions have series"
    )
    for expression in sorted(missing):
        found.note(f"no series: {expression}")
    if told:
        found.note(f"somebody was told in an ordinary storm: {', '.join(sorted(told))}")


def expressions(board: str, deployment: str) -> Sequence[str]:
    """What a dashboard asks, as Grafana would, of one deployment and all tenants."""
    return [
        target["expr"]
        .replace("$__rate_interval", "20s")
        .replace("$deployment", deployment)
        .replace("$tenant", ".*")
        for panel in json.loads(board)["panels"]
        for target in panel.get("targets", ())
    ]


def play(made: Stage, scene: Scene, found: Findings) -> None:
    """What the scene says is told, nothing else, and nothing any more afterwards."""
    expected, may = set(scene.told.split()), set(scene.may.split())
    _watch(
        made, lambda now: now <= expected | may, QUIET_SECONDS
    )  # workers that have just been started
    if before := told_now(made) - expected - may:
        found.note(f"{scene.name}: before it begins there is {', '.join(sorted(before))}")

    began = time.monotonic()
    with scene.play(made):
        seen = _watch(made, lambda now: expected <= now, TOLD_SECONDS)
        took = time.monotonic() - began
        missing = expected - told_now(made)
        seen |= _watch(made, lambda _: False, STEADY_SECONDS)

    other = seen - expected - may
    if missing:
        fires = ", ".join(sorted(made.monitoring.firing(made.name))) or "nothing"
        found.note(f"{scene.name}: not told: {', '.join(sorted(missing))}; fires: {fires}")
    if other:
        found.note(f"{scene.name}: told beside it: {', '.join(sorted(other))}")
    if not missing and not other:
        found.say(f"{scene.name}: {', '.join(sorted(expected))} after {took:.0f} s, nothing else")

    if not scene.lasts:
        _watch(made, lambda now: not now, QUIET_SECONDS)
        if left := told_now(made):
            found.note(f"{scene.name}: does not end: {', '.join(sorted(left))}")


def told_now(made: Stage) -> set[str]:
    """What somebody would be told of at this moment, of this deployment."""
    return {each.alert.removeprefix("Certmail") for each in made.monitoring.told(made.name)}


def _watch(made: Stage, enough: Callable[[set[str]], bool], seconds: float) -> set[str]:
    """Whatever is told until it is enough, or so long."""
    seen: set[str] = set()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = told_now(made)
        seen |= now
        if enough(now):
            break
        time.sleep(0.5)
    return seen
