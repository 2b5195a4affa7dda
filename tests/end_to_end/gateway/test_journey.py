"""The way back after a loss, as docs/restoring.md has it.

Back up, destroy, restore, repair, settle, enqueue again: the commands are those of the document.
Everybody has the mail in the end, nobody has two, and whoever does not get it by itself is named on
the way. Once with append-only files and SQLite, where a person looks into the mailbox; once with an
RDB snapshot and PostgreSQL, where certmail may look itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from certmail import Mailer
from certmail_config.base import redis_keys
from support.deployment.deployment import (
    QUICK,
    Deployment,
    campaign,
    new_deployment,
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
UNITS: Final = 24_000
"""A minute: 4 mails a second, so that some are left when both stores have been copied."""
HURRIED: Final = 120_000
"""The same once both stores are back: then nothing has to be left any more."""
SETTINGS: Final = QUICK | {"CERTMAIL_VERIFY_SECONDS": "4"}


def do(deployment: Deployment, redis: Operated, *headings: str, **more: str) -> str:
    """Run the commands below these headings."""
    environment = (
        redis.environment | deployment.environment | {"PATH": redis.environment["PATH"]} | more
    )
    return "".join(run(DOCUMENT[heading], environment) for heading in headings)


def enqueue(deployment: Deployment, reviewers: Iterable[int]) -> dict[str, Any]:
    """Give the campaign, or a part of it, to `certmail send`, as its application does."""
    head, *rows = campaign(REVIEWERS).splitlines()
    ran = deployment.run(
        "send", "-", "--json", stdin="\n".join([head, *(rows[n] for n in reviewers)])
    )
    assert ran.status == 0, ran
    report: dict[str, Any] = ran.json
    return report


def lose(deployment: Deployment, redis: Operated, copies: tuple[str, str]) -> None:
    """A campaign, backups in the middle of it, and the end of everything but them."""
    deployment.control("PUT", "/limits", {"units_per_minute": 2 * HURRIED, "in_flight": 100})
    worker = deployment.worker()
    wait_for("the worker", lambda: deployment.workers() == 1)

    enqueue(deployment, range(BEFORE))
    wait_for("mails before Redis is copied", lambda: len(deployment.messages()) >= 20)
    do(deployment, redis, copies[0])

    known = enqueue(deployment, range(BEFORE, REVIEWERS))
    receipts = {receipt["id"] for receipt in known["receipts"]}
    wait_for("the record of all", lambda: receipts <= deployment.recorded().keys())
    do(deployment, redis, copies[1])

    before = len(deployment.messages())
    wait_for("mails since", lambda: len(deployment.messages()) >= min(before + 20, REVIEWERS - 20))

    redis.kill()
    worker.kill()
    worker.wait(60)
    redis.destroy()
    deployment.admin.engine.dispose()  # what this process has open of the old database


def come_back(deployment: Deployment, redis: Operated, restores: tuple[str, str]) -> str:
    """Put both stores back, and repair; gives what the repair says."""
    do(deployment, redis, *restores)
    deployment.worker()
    wait_for("pacing stops", lambda: stopped(deployment) == "rolled_back")
    assert nothing_leaves(deployment, 1)
    said = do(deployment, redis, "Repair: see what is lost")
    wait_for("pacing goes on", lambda: stopped(deployment) == "")
    deployment.admin.change_limits("acme/default", {"units_per_minute": HURRIED})
    return said


def everybody_has_one(deployment: Deployment) -> None:
    """Each reviewer once, by the mailboxes."""
    assert Counter(message["to"] for message in deployment.messages()) == {
        f"reviewer{n}@people.example": 1 for n in range(REVIEWERS)
    }


def held_on_record(deployment: Deployment, count: int) -> list[dict[str, Any]]:
    """What a person is to settle, once the record has all of it."""
    wait_for(f"{count} held reminders on record", lambda: in_doubt(deployment) == count)
    found: list[dict[str, Any]] = deployment.ask("uncertain", "list", "--limit", "1000")[
        "uncertain"
    ]
    assert len(found) == count
    return found


def is_level(deployment: Deployment) -> bool:
    """Whether the record says of every job what the ledger says."""
    recorded = deployment.recorded()
    with Mailer(deployment.admin.redis) as mailer:
        views = mailer.status_many(recorded)
    return all(view and view.state == recorded[view.id] for view in views)


def in_doubt(deployment: Deployment) -> int:
    return list(deployment.recorded().values()).count("uncertain")


@pytest.mark.timeout(300)
def test_back_from_append_only_files_with_a_person_who_looks(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/data/certmail.sqlite"
    with (
        operated(tmp_path, database, None) as redis,
        new_deployment(tmp_path / "data", **SETTINGS, CERTMAIL_REDIS_URL=redis.url) as deployment,
    ):
        deployment.link(units=UNITS, in_flight=20)
        lose(deployment, redis, ("Back up Redis: its append-only files", "Back up SQLite"))
        said = come_back(deployment, redis, ("SQLite", "Redis from append-only files"))
        assert "for a person to settle" in said

        [count] = re.findall(r"(\d+) are held as uncertain", said)
        held = held_on_record(deployment, int(count))
        arrived = {row["job"] for row in held} & deployment.copies().keys()
        assert arrived, "mails left after the last event on record"

        told = do(
            deployment, redis, "Repair: settle what is held", ARRIVED=" ".join(sorted(arrived))
        )
        assert f"{len(arrived)} settled." in told
        assert f"{len(held) - len(arrived)} settled" in told
        assert deployment.ask("uncertain", "list")["uncertain"] == []

        wait_and_enqueue_again(deployment)
        everybody_has_one(deployment)


def wait_and_enqueue_again(deployment: Deployment) -> None:
    """What was lost, and only that, is taken in anew."""
    wait_for("all to end", lambda: set(deployment.recorded().values()) <= {"accepted", "failed"})
    named = {job for job, state in deployment.recorded().items() if state == "failed"}
    again = enqueue(deployment, range(REVIEWERS))
    assert (again["enqueued"], again["duplicates"]) == (len(named), REVIEWERS - len(named))
    assert named, "something was enqueued after the copy, and had not left"
    new = [receipt["id"] for receipt in again["receipts"] if not receipt["duplicate"]]
    deployment.wait_recorded(new, {"accepted"})


@pytest.mark.timeout(300)
def test_back_from_a_snapshot_where_certmail_may_look_itself(
    tmp_path: Path, postgres_database: str, postgres_server: Postgres
) -> None:
    recorded = recorded_in(postgres_database)
    with (
        operated(tmp_path, postgres_database, postgres_server) as redis,
        new_deployment(
            tmp_path / "data", **SETTINGS, **recorded, CERTMAIL_REDIS_URL=redis.url
        ) as deployment,
    ):
        deployment.link(units=UNITS, in_flight=20, verify=True)
        lose(deployment, redis, ("Back up Redis: an RDB snapshot", "Back up PostgreSQL"))
        said = come_back(deployment, redis, ("PostgreSQL", "Redis from an RDB snapshot"))
        assert "looked up among the sent mails" in said

        wait_for(
            "all to be looked up", lambda: not deployment.admin.redis.exists(redis_keys.UNSURE)
        )
        wait_for("the record of it", lambda: is_level(deployment))
        assert deployment.ask("uncertain", "list")["uncertain"] == [], "nobody is to be asked"
        wait_and_enqueue_again(deployment)
        everybody_has_one(deployment)
