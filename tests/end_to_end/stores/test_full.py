"""The database is away for so long that the stream of events fills up.

Pacing stops in time, and nothing is lost.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from redis import Redis

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for

EVENTS_MAX = 60


def events(redis: Redis) -> int:
    found: Any = redis.xlen(redis_keys.EVENTS)
    return int(found)


def stopped(redis: Redis) -> dict[str, str]:
    found: Any = redis.hgetall(redis_keys.STOPPED)
    return {name.decode(): value.decode() for name, value in found.items()}


def test_sends_go_on_until_the_stream_is_full_and_afterwards_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    with new_deployment(tmp_path, **QUICK, CERTMAIL_EVENTS_MAX=str(EVENTS_MAX)) as deployment:
        deployment.link()
        deployment.worker()
        redis = deployment.admin.redis
        first = deployment.send(campaign(1, campaign="before"))
        deployment.wait_recorded(first, {"accepted"})

        with closing(
            sqlite3.connect(tmp_path / "certmail.sqlite", isolation_level=None)
        ) as database:
            database.execute("BEGIN EXCLUSIVE")
            jobs = deployment.send(campaign(30))
            wait_for("the stream is full", lambda: stopped(redis).get("code") == "stream_full")
            assert "events wait to be recorded" in stopped(redis)["message"]
            assert "database" in stopped(redis)["remedy"]

            wait_for("what is under way is settled", lambda: not redis.exists(redis_keys.LEASED))
            arrived = len(deployment.messages())
            assert 5 < arrived < 31, "sends went on, and stopped"
            # The pacer's look may be a second old, in which this mailbox begins three.
            assert 0.85 * EVENTS_MAX <= events(redis) <= EVENTS_MAX + 5

            ran = deployment.run("send", "-", "--json", stdin=campaign(1, campaign="more"))
            assert (ran.status, ran.json["error"]["code"]) == (3, "stream_full")
            assert "0 reminders are in; none of the others is." in ran.json["error"]["message"]
            assert len(deployment.messages()) == arrived, "nothing leaves meanwhile"

            database.execute("ROLLBACK")

        recorded = deployment.wait_recorded(jobs, {"accepted"})
        assert set(jobs) | set(first) == set(recorded)
        assert deployment.copies() == dict.fromkeys([*first, *jobs], 1)

        wait_for("nothing stands against pacing", lambda: stopped(redis) == {})
        lines = [
            line for line in (tmp_path / "worker.log").read_text().splitlines() if "pacing_" in line
        ]
        said = [json.loads(line) for line in lines]

        assert [line["event"] for line in said] == ["pacing_stopped", "pacing_goes_on"]
        assert "of 60" in said[0]["error"]
        assert said[0]["remedy"]
