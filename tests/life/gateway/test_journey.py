"""The way back after a loss, as docs/restoring.md has it.

Back up, destroy, restore, repair, settle, enqueue again: the commands are those of the document.
Everybody has the mail in the end, nobody has two, and whoever does not get it by itself is named on
the way. Once with append-only files and SQLite, where a person looks into the mailbox; once with an
RDB snapshot and PostgreSQL, where certmail may look itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from support.deployment.deployment import (
    QUICK,
    Deployment,
    campaign,
    deployment,
    recorded_in,
    wait_for,
)
from support.deployment.restore_checks import nothing_leaves, stopped
from support.processes.documented import commands, run
from support.servers.operated import Operated, operated
from support.servers.postgres import Postgres

DOCUMENT: Final = commands("docs/restoring.md")
REVIEWERS: Final = 300
BEFORE: Final = 220
"""So many are enqueued before Redis is copied."""
UNITS: Final = 180_000
"""A minute: 30 mails a second."""
SETTINGS: Final = QUICK | {"CERTMAIL_VERIFY_SECONDS": "4"}


def do(place: Deployment, redis: Operated, *headings: str, **more: str) -> str:
    """Run the commands below these headings."""
    environment = redis.environment | place.environment | {"PATH": redis.environment["PATH"]} | more
    return "".join(run(DOCUMENT[heading], environment) for heading in headings)


def enqueue(place: Deployment, reviewers: Iterable[int]) -> dict[str, Any]:
    """Give the campaign, or a part of it, to `certmail send`, as its application does."""
    head, *rows = campaign(REVIEWERS).splitlines()
    ran = place.run("send", "-", "--json", stdin="\n".join([head, *(rows[n] for n in reviewers)]))
    assert ran.status == 0, ran
    report: dict[str, Any] = ran.json
    return report


def lose(place: Deployment, redis: Operated, copies: tuple[str, str]) -> None:
    """A campaign, backups in the middle of it, and the end of everything but them."""
    place.control("PUT", "/limits", {"units_per_minute": 2 * UNITS, "in_flight": 100})
    worker = place.worker()
    wait_for("the worker", lambda: place.workers() == 1)
    enqueue(place, range(BEFORE))
    wait_for("mails before Redis is copied", lambda: len(place.messages()) >= 20)
    do(place, redis, copies[0])
    known = enqueue(place, range(BEFORE, REVIEWERS))
    receipts = {receipt["id"] for receipt in known["receipts"]}
    wait_for("the record of all", lambda: receipts <= place.recorded().keys())
    do(place, redis, copies[1])
    before = len(place.messages())
    wait_for("mails since", lambda: len(place.messages()) >= min(before + 20, REVIEWERS - 20))
    redis.kill()
    worker.kill()
    worker.wait(60)
    redis.destroy()
    place.admin.engine.dispose()  # what this process has open of the old database


def come_back(place: Deployment, redis: Operated, restores: tuple[str, str]) -> str:
    """Put both stores back, and repair; gives what the repair says."""
    do(place, redis, *restores)
    place.worker()
    wait_for("pacing stops", lambda: stopped(place) == "rolled_back")
    assert nothing_leaves(place, 1)
    said = do(place, redis, "Repair: see what is lost")
    wait_for("pacing goes on", lambda: stopped(place) == "")
    return said


def everybody_has_one(place: Deployment) -> None:
    """Each reviewer once, by the mailboxes."""
    assert Counter(message["to"] for message in place.messages()) == {
        f"reviewer{n}@people.example": 1 for n in range(REVIEWERS)
    }


@pytest.mark.timeout(300)
def test_back_from_append_only_files_with_a_person_who_looks(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/data/certmail.sqlite"
    with (
        operated(tmp_path, database, None) as redis,
        deployment(tmp_path / "data", **SETTINGS, CERTMAIL_REDIS_URL=redis.url) as place,
    ):
        place.link(units=UNITS, in_flight=20)
        lose(place, redis, ("Back up Redis: its append-only files", "Back up SQLite"))
        said = come_back(place, redis, ("SQLite", "Redis from append-only files"))
        assert "for a person to settle" in said

        held = place.ask("uncertain", "list", "--limit", "1000")["uncertain"]
        arrived = {row["job"] for row in held} & place.copies().keys()
        assert arrived, "mails left after the last event on record"
        told = do(place, redis, "Repair: settle what is held", ARRIVED=" ".join(sorted(arrived)))
        assert f"{len(arrived)} settled." in told
        assert f"{len(held) - len(arrived)} settled" in told
        assert place.ask("uncertain", "list")["uncertain"] == []
        wait_and_enqueue_again(place)
        everybody_has_one(place)


def wait_and_enqueue_again(place: Deployment) -> None:
    """What was lost, and only that, is taken in anew."""
    wait_for("all to end", lambda: set(place.recorded().values()) <= {"accepted", "failed"}, 90)
    named = {job for job, state in place.recorded().items() if state == "failed"}
    again = enqueue(place, range(REVIEWERS))
    assert (again["enqueued"], again["duplicates"]) == (len(named), REVIEWERS - len(named))
    assert named, "something was enqueued after the copy, and had not left"
    new = [receipt["id"] for receipt in again["receipts"] if not receipt["duplicate"]]
    place.wait_recorded(new, {"accepted"}, 60)


@pytest.mark.timeout(300)
def test_back_from_a_snapshot_where_certmail_may_look_itself(
    tmp_path: Path, postgres_database: str, postgres_server: Postgres
) -> None:
    recorded = recorded_in(postgres_database)
    with (
        operated(tmp_path, postgres_database, postgres_server) as redis,
        deployment(
            tmp_path / "data", **SETTINGS, **recorded, CERTMAIL_REDIS_URL=redis.url
        ) as place,
    ):
        place.link(units=UNITS, in_flight=20, verify=True)
        lose(place, redis, ("Back up Redis: an RDB snapshot", "Back up PostgreSQL"))
        said = come_back(place, redis, ("PostgreSQL", "Redis from an RDB snapshot"))
        assert "looked up among the sent mails" in said

        wait_for(
            "nobody to be asked", lambda: place.ask("uncertain", "list")["uncertain"] == [], 90
        )
        wait_and_enqueue_again(place)
        everybody_has_one(place)
