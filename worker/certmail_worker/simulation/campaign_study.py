"""A study of one campaign before it is sent.

How long it takes, which of Google's limits binds, and what it asks of Redis.

It runs the simulation on a server of its own, which keeps nothing on disk and ends with the study.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from redis import Redis

from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.sealing import Sealer, new_pair
from certmail_config.forecast.forecaster import Forecaster, Waiting
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import State
from certmail_config.ledger import Lane
from certmail_config.ledger.lanes import SEND_UNITS
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import embedded_server
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.simulation.scenario import MINUTE, START, Scenario
from certmail_worker.simulation.simulator import Simulation

DAY: Final = 86_400.0
PORTION: Final = 20_000
"""Reminders enqueued between two words about progress."""
Progress = Callable[[str, int, int, float], None]
"""What is done, how many of how many, and seconds simulated."""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A campaign to study: tenants with a mailbox each, and reminders spread evenly over them.

    All are in one project, or each in its own.
    """

    tenants: int
    reminders: int
    limits: GoogleLimits
    own_projects: bool = False
    seed: int = 1

    def lanes(self) -> list[Lane]:
        """A lane for each tenant."""
        limits = self.limits
        return [
            Lane(
                ConnectionId(f"c{n}"),
                f"t{n}",
                f"m{n}",
                limits.units_per_minute,
                limits.in_flight,
                1,
                project=f"p{n}" if self.own_projects else "ours",
                per_day=limits.per_day,
                project_units_per_minute=limits.project_units_per_minute,
                project_units_per_day=limits.project_units_per_day,
                warm_up_days=limits.warm_up_days,
            )
            for n in range(self.tenants)
        ]

    def shares(self) -> list[tuple[str, int]]:
        """How many each lane has to send."""
        each, more = divmod(self.reminders, self.tenants)
        return [(f"c{n}", each + (n < more)) for n in range(self.tenants)]


def study(plan: StudyPlan, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Run it; gives the figures that `certmail simulate` prints."""
    started = time.monotonic()

    with (
        tempfile.TemporaryDirectory(prefix="certmail-simulate-") as folder,
        embedded_server(Path(folder)) as url,
        connect(url) as redis,
    ):
        redis.config_set("appendonly", "no")
        simulation = Simulation(
            redis, Scenario(step=0.05, capacity=5000, seed=plan.seed), body=_body()
        )
        simulation.add_all(plan.lanes())
        before = _server(redis)
        last: dict[str, str] = {}

        for n, (lane, count) in enumerate(plan.shares()):
            if count:
                last[lane] = simulation.enqueue(lane, count)[-1]
            if n % max(1, PORTION * plan.tenants // plan.reminders) == 0:
                progress("enqueued", simulation.waiting(), plan.reminders, 0.0)

        full = _server(redis)
        forecast = _forecast(simulation, last)

        while simulation.waiting():
            simulation.run(simulation.now + MINUTE)
            progress("left", len(simulation.left), plan.reminders, simulation.now - START)

        after = _server(redis)

    took = simulation.left[-1][0] - START
    return {
        "tenants": plan.tenants,
        "reminders": plan.reminders,
        "projects": plan.tenants if plan.own_projects else 1,
        "seconds": round(took, 1),
        "forecast_seconds": None if forecast is None else round(forecast, 1),
        "refused_by_google": sum(simulation.refused.values()),
        "limits": _limits(plan, simulation),
        "redis": _redis(plan, before, full, after),
        "took_seconds": round(time.monotonic() - started, 1),
    }


def _forecast(simulation: Simulation, last: dict[str, str]) -> float | None:
    """In how many seconds the forecast says that the last leaves.

    Of the longest lanes, which come first here, those at both ends.
    """
    waiting = [
        Waiting(last[lane], ConnectionId(lane), State.READY)
        for lane in (*list(last)[:1], *list(last)[-1:])
    ]

    times = Forecaster(simulation.redis, now=lambda: simulation.now).of(waiting)
    known = [at.timestamp() - START for at in times if isinstance(at, datetime)]
    return max(known, default=None)


def _limits(plan: StudyPlan, simulation: Simulation) -> list[dict[str, Any]]:
    """How far each limit binds: the largest share of it that is used in any of its windows."""
    lanes: defaultdict[str, list[float]] = defaultdict(list)
    for at, id_ in simulation.left:
        lanes[id_.partition("-")[0]].append(at)
    everything = [at for at, _ in simulation.left]
    projects: Iterable[list[float]] = lanes.values() if plan.own_projects else [everything]
    limits = plan.limits
    rows = [
        ("mailbox, minute", limits.units_per_minute // SEND_UNITS, lanes.values(), MINUTE),
        ("mailbox, day", limits.per_day, lanes.values(), DAY),
        ("project, minute", limits.project_units_per_minute // SEND_UNITS, projects, MINUTE),
        ("project, day", limits.project_units_per_day // SEND_UNITS, projects, DAY),
    ]

    return [
        {
            "limit": name,
            "allowed": allowed,
            "most": max(_max_in_window(times, window) for times in groups),
            "used": round(max(_max_in_window(times, window) for times in groups) / allowed, 4),
        }
        for name, allowed, groups, window in rows
    ]


def _max_in_window(times: list[float], window: float) -> int:
    """The most in any window of that length; `times` in order."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def _redis(
    plan: StudyPlan, before: Counter[str], full: Counter[str], after: Counter[str]
) -> dict[str, Any]:
    """What it cost the server, and what one server could do.

    All that Redis is asked for happens in one thread.
    """
    cpu = (after["cpu_us"] - before["cpu_us"]) / plan.reminders / 1000
    most = 1000 / cpu
    whole_project = plan.limits.project_units_per_minute / SEND_UNITS / MINUTE

    return {
        "commands_per_mail": round((after["commands"] - before["commands"]) / plan.reminders, 1),
        "cpu_ms_per_mail": round(cpu, 3),
        "bytes_per_waiting_job": round((full["memory"] - before["memory"]) / plan.reminders),
        "memory_peak_bytes": after["peak"],
        "mails_per_second_at_most": round(most),
        "full_projects_at_most": round(most / whole_project, 1),
    }


def _server(redis: Redis) -> Counter[str]:
    info = redis.info("everything")
    calls = sum(value["calls"] for name, value in info.items() if name.startswith("cmdstat_"))
    return Counter(
        {
            "cpu_us": round((info["used_cpu_user"] + info["used_cpu_sys"]) * 1e6),
            "commands": calls,
            "memory": info["used_memory"],
            "peak": info["used_memory_peak"],
        }
    )


def _body() -> bytes:
    """A sealed reminder as an application would enqueue it; its size is what matters."""
    reminder = Reminder(
        tenant="acme",
        to="alex.reviewer@example.com",
        name="Alex Reviewer",
        campaign="q4-access",
        campaign_name="Q4 access certification",
        due_at=datetime(2096, 11, 30, 17, tzinfo=UTC),
        pending=12,
        completed=3,
        link="https://certify.example.com/campaigns/q4-access/reviews",
    )

    sealer = Sealer(new_pair()[1])
    return sealer.seal(
        reminder.model_dump_json(exclude_none=True).encode(), tenant="acme", job="j", now=START
    )
