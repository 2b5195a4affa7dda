"""Copies of either database, and of both stores, put back as docs/operating.md says.

Nothing leaves unasked, and nothing twice.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, campaign, new_deployment, recorded_in, wait_for
from support.deployment.restore_checks import ENDED, accounted_for, nothing_leaves, stopped
from support.servers.backups import back_up, put_back
from support.servers.postgres import Postgres
from support.servers.restorable import server


def test_an_older_database_stops_pacing_until_its_gap_is_accepted(tmp_path: Path) -> None:
    """On SQLite, as which is older does not depend on the database; the next test has the other."""
    database = f"sqlite:///{tmp_path}/data/certmail.sqlite"
    with new_deployment(tmp_path / "data", **QUICK) as deployment:
        deployment.link()
        worker = deployment.worker()
        before = deployment.send(campaign(2, campaign="before"))
        deployment.wait_recorded(before, {"accepted"})
        back_up(database, tmp_path / "copy", None)
        since = deployment.send(campaign(2, campaign="since"))
        deployment.wait_recorded(since, {"accepted"})
        worker.terminate()
        worker.wait(60)
        put_back(database, tmp_path / "copy", None)
        deployment.admin.redis.xtrim(
            redis_keys.EVENTS, maxlen=1, approximate=False
        )  # as the recorder would by and by
        deployment.admin.redis.delete(redis_keys.CHECKED_RUN)  # as after a restart of the server

        deployment.worker()
        wait_for("pacing stops", lambda: stopped(deployment) == "record_behind")
        shown = deployment.run("doctor", "--repair")
        assert (shown.status, "missing for good" in shown.out) == (1, True)
        assert deployment.run("doctor", "--repair", "--yes").status == 0

        after = deployment.send(campaign(2, campaign="after"))
        deployment.wait_recorded(after, {"accepted"})
        assert not set(deployment.recorded()) & set(since)
        assert deployment.copies() == dict.fromkeys([*before, *since, *after], 1)


@pytest.mark.timeout(300)
def test_both_are_restored_redis_from_the_older_copy_and_nothing_leaves_twice(
    tmp_path: Path, postgres_database: str, postgres_server: Postgres
) -> None:
    """In the order that docs/operating.md gives: SQL knows what Redis's copy lacks.

    On PostgreSQL: a repair reads and writes all of it.
    """
    with (
        server(tmp_path / "redis") as valkey,
        new_deployment(
            tmp_path / "data",
            **QUICK,
            **recorded_in(postgres_database),
            CERTMAIL_REDIS_URL=valkey.url,
        ) as deployment,
    ):
        deployment.link()
        worker = deployment.worker()
        jobs = deployment.send(campaign(30, campaign="early"))
        wait_for("some mails before the first backup", lambda: len(deployment.messages()) >= 3)
        valkey.back_up(tmp_path / "redis-copy")
        between = deployment.send(campaign(4, campaign="between"))
        wait_for("mails before the second", lambda: len(deployment.messages()) >= 9)
        wait_for("the record of them", lambda: set(between) <= deployment.recorded().keys())
        back_up(postgres_database, tmp_path / "sql-copy", postgres_server)
        wait_for("mails after it", lambda: len(deployment.messages()) >= 14)
        valkey.kill()
        worker.kill()
        worker.wait(60)

        put_back(postgres_database, tmp_path / "sql-copy", postgres_server)
        valkey.put_back(tmp_path / "redis-copy")
        valkey.start()
        deployment.worker()
        wait_for("pacing stops", lambda: stopped(deployment) == "rolled_back")

        assert nothing_leaves(deployment)
        assert deployment.run("doctor", "--repair", "--yes").status == 0

        wait_for("pacing goes on", lambda: stopped(deployment) == "")
        new = deployment.send(campaign(3, campaign="new"))
        deployment.wait_recorded(jobs + between + new, ENDED, seconds=90)
        accounted_for(deployment, jobs + between + new)

        assert {deployment.recorded()[job] for job in new} == {"accepted"}
