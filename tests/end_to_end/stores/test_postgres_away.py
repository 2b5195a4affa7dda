"""PostgreSQL is away for an hour's worth of reminders.

They leave up to the stated bound, and all is recorded afterwards. AWAY_MAILS=3528 is what a mailbox
with Google's default limit sends in an hour; the suite's own form is a tenth of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_config.base import redis_keys
from certmail_config.jobs.states import FINAL
from certmail_config.sql.engine import open_database, upgrade
from support.deployment.deployment import (
    STEADY,
    Deployment,
    campaign,
    new_deployment,
    recorded_in,
    wait_for,
)
from support.deployment.restore_checks import stopped
from support.servers.postgres import Postgres, postgres

MAILS: Final = int(os.environ.get("AWAY_MAILS", "350"))
EVENTS_EACH: Final = 3
"""It is enqueued, begun and settled."""
BOUND: Final = EVENTS_EACH * MAILS
SHARE: Final = 0.85
FAST: Final = 240_000
"""Units a minute, forty times Google's default: the hour is short.

What leaves between two looks of the pacer, a second apart, is far less than the room that is left
at the bound.
"""


@pytest.fixture
def server() -> Iterator[Postgres]:
    with postgres() as made:
        engine = open_database(made.url())
        upgrade(engine)
        engine.dispose()
        yield made


def logged(deployment: Deployment, *events: str) -> list[dict[str, Any]]:
    lines = [
        line
        for line in (deployment.data_dir / "worker.log").read_text().splitlines()
        if line.startswith("{")
    ]
    return [line for line in map(json.loads, lines) if line.get("event") in events]


@pytest.mark.timeout(240 + MAILS / 5)
def test_what_happens_meanwhile_is_recorded_once_and_the_operator_was_warned(
    tmp_path: Path, server: Postgres, record_property: Any
) -> None:
    settings = recorded_in(server.url()) | {"CERTMAIL_EVENTS_MAX": str(BOUND)}
    with new_deployment(tmp_path, **STEADY, **settings) as deployment:
        deployment.control(
            "PUT",
            "/limits",
            {"units_per_minute": FAST, "in_flight": 50, "messages_per_day": 1_000_000},
        )
        connection = deployment.link(units=FAST, in_flight=20)
        deployment.admin.change_limits(connection, {"per_day": 1_000_000})
        deployment.worker()
        before = deployment.send(campaign(3, campaign="before"))
        deployment.wait_recorded(before, {"accepted"})

        server.stop()
        jobs = deployment.send(campaign(MAILS))
        wait_for(
            "the stream is full", lambda: stopped(deployment) == "stream_full", 60 + MAILS / 10
        )
        wait_for(
            "what is under way is settled",
            lambda: not deployment.admin.redis.exists(redis_keys.LEASED),
        )
        left = len(deployment.messages()) - len(before)
        events = int(deployment.admin.redis.xlen(redis_keys.EVENTS))

        assert SHARE * BOUND <= events <= BOUND, (
            "up to the bound, and room is left for what was under way"
        )
        assert MAILS / 2 < left < MAILS

        found = {
            each["check"]: each for each in deployment.run("doctor", "--json").json["findings"]
        }
        assert found["database"]["severity"] == found["stream"]["severity"] == "error"

        [said, *_] = logged(deployment, "record_waits")
        assert "Reminders leave all the same" in said["error"]
        assert said["remedy"]
        assert [each["code"] for each in logged(deployment, "pacing_stopped")] == ["stream_full"]

        server.start()
        states = deployment.wait_recorded(jobs, set(FINAL), seconds=120 + MAILS / 10)
        assert {states[job] for job in jobs} == {"accepted"}
        assert deployment.copies() == dict.fromkeys([*before, *jobs], 1)

        wait_for("nothing stands against pacing", lambda: stopped(deployment) == "")
        assert logged(deployment, "record_goes_on")
    record_property(
        "said",
        f"PostgreSQL away: of {MAILS:,} reminders {left:,} left before {events:,} events waited "
        f"(bound {BOUND:,}); then all, once",
    )
