"""Either store restored from an older copy, or lost: nothing leaves before it was repaired, and nothing leaves twice after.

What a repair reads and writes is in SQL, so that the three that are about it run on both databases; of a Redis that is empty
nothing but whole tables is read, and that runs on SQLite.

RESTORE_AGE=600 makes the copy ten minutes old, with reminders leaving all the time, instead of seconds.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from certmail_config import keys
from support.backups import back_up, put_back
from support.postgres import Postgres
from support.restorable import Server, server
from support.town import QUICK, Town, campaign, recorded_in, town, wait_for

AGE = float(os.environ.get("RESTORE_AGE", "0"))
ENDED = {"accepted", "uncertain", "failed"}


def stopped(place: Town) -> str:
    code: Any = place.office.redis.hget(keys.STOPPED, "code")
    return code.decode() if code else ""


def nothing_leaves(place: Town, seconds: float = 3) -> bool:
    before = len(place.messages())
    time.sleep(seconds)  # there is nothing to wait for: that nothing happens is what is looked for
    return len(place.messages()) == before


def run_until_the_power_cut(place: Town, valkey: Server, backup: Path) -> tuple[list[str], list[str]]:
    """Traffic, a backup in the middle of it, more traffic, a power cut with requests under way; gives the jobs before and since."""
    place.worker()
    early = place.send(campaign(12, campaign="early"))
    wait_for("some mails before the backup", lambda: len(place.messages()) >= 3)
    valkey.back_up(backup)
    late = place.send(campaign(6, campaign="late"))
    wait_for("mails since the backup", lambda: len(place.messages()) >= 14, 60)
    until = time.monotonic() + AGE
    while time.monotonic() < until:
        late += place.send(campaign(10, campaign=f"round {len(late)}"))
        time.sleep(10)
    late += place.send(campaign(25, campaign="latest"))
    place.fault("hang_after", times=1)
    wait_for(
        "a request under way", lambda: any(item.get("fault") == "hang_after" for item in place.sends()), 30
    )
    valkey.kill()
    return early, late


def accounted_for(place: Town, jobs: list[str]) -> dict[str, str]:
    """All copies belong to jobs that may have left, and nobody got two."""
    states, copies = place.recorded(), place.copies()
    assert set(copies.values()) == {1}
    assert {states[job] for job in copies} <= {"accepted", "uncertain"}
    assert {job for job in jobs if states[job] == "accepted"} <= set(copies)
    return states


@pytest.mark.timeout(300 + AGE)
def test_an_older_copy_is_repaired_before_anything_leaves(tmp_path: Path, ready_database: str) -> None:
    with (
        server(tmp_path / "redis") as valkey,
        town(
            tmp_path / "data", **QUICK, **recorded_in(ready_database), CERTMAIL_REDIS_URL=valkey.url
        ) as place,
    ):
        place.link()
        early, late = run_until_the_power_cut(place, valkey, tmp_path / "backup")
        valkey.put_back(tmp_path / "backup")
        valkey.start()

        wait_for("pacing stops", lambda: stopped(place) == "rolled_back", 60)
        assert nothing_leaves(place)
        found = place.run("doctor", "--json")
        assert found.status == 1
        [lineage] = [item for item in found.json["findings"] if item["check"] == "lineage"]
        assert (lineage["severity"], "doctor --repair" in lineage["remedy"]) == ("error", True)

        asked = place.run("doctor", "--repair")
        assert asked.status == 1
        assert "This would be done" in asked.out
        assert "--yes" in asked.err
        assert nothing_leaves(place)

        repaired = place.run("doctor", "--repair", "--yes", "--json")
        assert repaired.status == 0, repaired
        done = repaired.json["repair"]
        assert done["carried_out"]
        lost = done["jobs"]["lose"]
        assert set(lost) <= set(late)
        wait_for("pacing goes on", lambda: stopped(place) == "")
        # What was lost, and only that, is taken in again under the same keys.
        again = place.send(campaign(25, campaign="latest"))
        assert len(set(again) - set(late)) == len(set(lost) & set(late[-25:])) > 0
        new = [job for job in again if job not in late]
        jobs = early + late + new
        states = place.wait_recorded(jobs, ENDED, seconds=90)
        assert {job for job in jobs if states[job] == "failed"} == set(lost)
        accounted_for(place, jobs)
        assert len([job for job in jobs if states[job] == "uncertain"]) <= 20
        assert place.run("doctor", "--json").status == 0


@pytest.mark.timeout(300)
def test_a_lost_redis_is_made_anew_from_the_record(tmp_path: Path) -> None:
    with (
        server(tmp_path / "redis") as valkey,
        town(tmp_path / "data", **QUICK, CERTMAIL_REDIS_URL=valkey.url) as place,
    ):
        place.link()
        place.worker()
        jobs = place.send(campaign(8, campaign="gone"))
        place.wait_recorded(jobs, {"accepted"}, seconds=60)
        valkey.kill()
        valkey.put_back(None)
        valkey.start()

        wait_for("pacing stops", lambda: stopped(place) == "replaced", 60)
        assert place.run("doctor", "--json").status == 1
        assert place.run("doctor", "--repair", "--yes").status == 0
        again = place.send(campaign(8, campaign="gone"))
        assert again == jobs, "each is known, and a duplicate"
        new = place.send(campaign(4, campaign="new"))
        place.wait_recorded(new, {"accepted"}, seconds=60)
        accounted_for(place, jobs + new)


def test_an_older_database_stops_pacing_until_its_gap_is_accepted(
    tmp_path: Path, ready_database: str, database_server: Postgres | None
) -> None:
    with town(tmp_path / "data", **QUICK, **recorded_in(ready_database)) as place:
        place.link()
        worker = place.worker()
        before = place.send(campaign(2, campaign="before"))
        place.wait_recorded(before, {"accepted"})
        back_up(ready_database, tmp_path / "copy", database_server)
        since = place.send(campaign(2, campaign="since"))
        place.wait_recorded(since, {"accepted"})
        worker.terminate()
        worker.wait(30)
        put_back(ready_database, tmp_path / "copy", database_server)
        place.office.redis.xtrim(keys.EVENTS, maxlen=1, approximate=False)  # as the recorder would by and by
        place.office.redis.delete(keys.CHECKED_RUN)  # as after a restart of the server

        place.worker()
        wait_for("pacing stops", lambda: stopped(place) == "record_behind")
        shown = place.run("doctor", "--repair")
        assert (shown.status, "missing for good" in shown.out) == (1, True)
        assert place.run("doctor", "--repair", "--yes").status == 0
        after = place.send(campaign(2, campaign="after"))
        place.wait_recorded(after, {"accepted"}, seconds=60)
        assert not set(place.recorded()) & set(since)
        assert place.copies() == dict.fromkeys([*before, *since, *after], 1)


@pytest.mark.timeout(300)
def test_both_are_restored_redis_from_the_older_copy_and_nothing_leaves_twice(
    tmp_path: Path, ready_database: str, database_server: Postgres | None
) -> None:
    """In the order that the README gives: SQL knows what Redis's copy lacks."""
    with (
        server(tmp_path / "redis") as valkey,
        town(
            tmp_path / "data", **QUICK, **recorded_in(ready_database), CERTMAIL_REDIS_URL=valkey.url
        ) as place,
    ):
        place.link()
        worker = place.worker()
        jobs = place.send(campaign(30, campaign="early"))
        wait_for("some mails before the first backup", lambda: len(place.messages()) >= 3)
        valkey.back_up(tmp_path / "redis-copy")
        between = place.send(campaign(4, campaign="between"))
        wait_for("mails before the second", lambda: len(place.messages()) >= 9, 60)
        wait_for("the record of them", lambda: set(between) <= place.recorded().keys())
        back_up(ready_database, tmp_path / "sql-copy", database_server)
        wait_for("mails after it", lambda: len(place.messages()) >= 14, 60)
        valkey.kill()
        worker.kill()
        worker.wait(30)

        put_back(ready_database, tmp_path / "sql-copy", database_server)
        valkey.put_back(tmp_path / "redis-copy")
        valkey.start()
        place.worker()
        wait_for("pacing stops", lambda: stopped(place) == "rolled_back", 60)
        assert nothing_leaves(place)
        assert place.run("doctor", "--repair", "--yes").status == 0
        wait_for("pacing goes on", lambda: stopped(place) == "")
        new = place.send(campaign(3, campaign="new"))
        place.wait_recorded(jobs + between + new, ENDED, seconds=90)
        accounted_for(place, jobs + between + new)
        assert {place.recorded()[job] for job in new} == {"accepted"}
