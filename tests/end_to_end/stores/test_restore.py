"""Redis restored from an older copy, or lost.

Nothing leaves before it was repaired, and nothing leaves twice after.

With the record in PostgreSQL, and with copies of either database:
tests/end_to_end/stores/test_backups.py.

RESTORE_AGE=600 makes the copy ten minutes old, with reminders leaving all the time, instead of
seconds.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for
from support.deployment.restore_checks import ENDED, accounted_for, nothing_leaves, stopped
from support.servers.restorable import Server, server

AGE = float(os.environ.get("RESTORE_AGE", "0"))


def run_until_the_power_cut(
    deployment: Deployment, valkey: Server, backup: Path
) -> tuple[list[str], list[str]]:
    """Traffic, a backup in the middle of it, more traffic, a power cut with requests under way.

    Gives the jobs before and since the backup.
    """
    deployment.worker()
    early = deployment.send(campaign(12, campaign="early"))
    wait_for("some mails before the backup", lambda: len(deployment.messages()) >= 3)
    valkey.back_up(backup)
    late = deployment.send(campaign(6, campaign="late"))
    wait_for("mails since the backup", lambda: len(deployment.messages()) >= 14)
    until = time.monotonic() + AGE

    while time.monotonic() < until:
        late += deployment.send(campaign(10, campaign=f"round {len(late)}"))
        time.sleep(10)

    late += deployment.send(campaign(25, campaign="latest"))
    deployment.fault("hang_after", times=1)
    wait_for(
        "a request under way",
        lambda: any(item.get("fault") == "hang_after" for item in deployment.sends()),
        30,
    )
    # What the record does not know yet is lost without a word, and its producer sends it again.
    wait_for("all of them on record", lambda: set(late) <= deployment.recorded().keys())
    valkey.kill()

    return early, late


@pytest.mark.timeout(300 + AGE)
def test_an_older_copy_is_repaired_before_anything_leaves(tmp_path: Path) -> None:
    with (
        server(tmp_path / "redis") as valkey,
        new_deployment(tmp_path / "data", **QUICK, CERTMAIL_REDIS_URL=valkey.url) as deployment,
    ):
        deployment.control("PUT", "/limits", {"units_per_minute": 60_000})
        deployment.link(units=60_000)
        early, late = run_until_the_power_cut(deployment, valkey, tmp_path / "backup")
        valkey.put_back(tmp_path / "backup")
        valkey.start()

        wait_for("pacing stops", lambda: stopped(deployment) == "rolled_back")
        assert nothing_leaves(deployment)

        found = deployment.run("doctor", "--json")
        assert found.status == 1

        [lineage] = [item for item in found.json["findings"] if item["check"] == "lineage"]
        assert (lineage["severity"], "doctor --repair" in lineage["remedy"]) == ("error", True)

        asked = deployment.run("doctor", "--repair")
        assert asked.status == 1
        assert "This would be done" in asked.out
        assert "--yes" in asked.err
        assert nothing_leaves(deployment)

        repaired = deployment.run("doctor", "--repair", "--yes", "--json")
        done = repaired.json["repair"]
        assert done["carried_out"]

        lost = done["jobs"]["lose"]
        assert set(lost) <= set(late)

        wait_for("pacing goes on", lambda: stopped(deployment) == "")
        # The repair's own look came when nothing had got on for a while.
        wait_for("doctor finds nothing", lambda: deployment.run("doctor").status == 0)
        # What was lost, and only that, is taken in again under the same keys.
        again = deployment.send(campaign(25, campaign="latest"))
        assert len(set(again) - set(late)) == len(set(lost) & set(late[-25:])) > 0

        new = [job for job in again if job not in late]
        jobs = early + late + new
        states = deployment.wait_recorded(jobs, ENDED, seconds=90)
        assert {job for job in jobs if states[job] == "failed"} == set(lost)

        accounted_for(deployment, jobs)
        unsure = {job for job in jobs if states[job] == "uncertain"}
        assert unsure < set(late), "those that could have left since the record's last news"
        assert deployment.run("doctor", "--json").status == 0


@pytest.mark.timeout(300)
def test_a_lost_redis_is_made_anew_from_the_record(tmp_path: Path) -> None:
    with (
        server(tmp_path / "redis") as valkey,
        new_deployment(tmp_path / "data", **QUICK, CERTMAIL_REDIS_URL=valkey.url) as deployment,
    ):
        deployment.control("PUT", "/limits", {"units_per_minute": 60_000})
        deployment.link(units=60_000)
        deployment.worker()
        jobs = deployment.send(campaign(8, campaign="gone"))
        deployment.wait_recorded(jobs, {"accepted"})
        valkey.kill()
        valkey.put_back(None)
        valkey.start()

        wait_for("pacing stops", lambda: stopped(deployment) == "replaced")
        assert deployment.run("doctor", "--json").status == 1
        assert deployment.run("doctor", "--repair", "--yes").status == 0

        again = deployment.send(campaign(8, campaign="gone"))
        assert again == jobs, "each is known, and a duplicate"

        new = deployment.send(campaign(4, campaign="new"))
        deployment.wait_recorded(new, {"accepted"})
        accounted_for(deployment, jobs + new)
