"""`certmail attention`: what does not go on by itself, and a status that scripts can ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import update

from certmail_config.base import redis_keys
from certmail_config.ledger import run
from certmail_config.ledger.workers import advertise
from certmail_config.sql import tables
from certmail_config.sql.engine import open_database
from certmail_worker.cli import run_command
from certmail_worker.recording.writer import read_cursor, write
from support.campaigns.kept import unplanned
from support.data.events import begun, enqueued, settled

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def running(commands: Run, redis: Redis) -> Run:
    """Commands of a deployment with one tenant, of which a worker runs."""
    assert commands("tenants", "add", "acme")[0] == 0
    run(redis, advertise("w", 1, seconds=1e6))
    return commands


def lose(redis: Redis, tmp_path: Path, *jobs: str) -> None:
    """Have reminders of which nobody knows whether they arrived."""
    engine = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")
    events = []
    for n, job in enumerate(jobs):
        events += [enqueued(10 * n + 1, job, to="ann@people.example"), begun(10 * n + 2, job=job)]
        events += [settled(10 * n + 3, "uncertain", "unknown", job=job)]
        redis.hset(redis_keys.JOB + job, mapping={"state": "uncertain", "held": "1"})
    write(engine, read_cursor(engine), events)
    engine.dispose()


def test_where_all_is_well_it_says_so(running: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = running("attention")
    assert (status, found["calm"], found["stopped"]) == (0, True, [])
    capsys.readouterr()
    assert run_command(["attention"]) == 0
    assert capsys.readouterr().out == "Nothing needs you.\n"


def test_that_no_worker_runs_needs_somebody(commands: Run) -> None:
    assert commands("tenants", "add", "acme")[0] == 0
    status, found = commands("attention")
    assert (status, found["calm"]) == (1, False)
    assert "certmail worker" in found["stopped"][0]["remedy"]


def test_and_that_everything_is_paused(running: Run) -> None:
    assert running("pause")[0] == 0
    status, found = running("attention")
    assert (status, found["stopped"][0]["remedy"]) == (1, "certmail resume")


def test_unknown_outcomes_are_counted_and_name_no_reviewer(
    running: Run, redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lose(redis, tmp_path, "j1", "j2", "j3")
    status, found = running("attention", "--limit", "2")
    shown = found["uncertain"]
    assert (status, shown["total"], [each["job"] for each in shown["reminders"]]) == (
        1, 3, ["j1", "j2"],
    )  # fmt: skip
    assert shown["reminders"][0]["waits_for"] == "a person"

    capsys.readouterr()
    assert run_command(["attention"]) == 1
    said = capsys.readouterr().out
    assert "3 reminders of which nobody knows" in said
    assert "certmail uncertain settle" in said
    assert "people.example" not in said


def test_campaigns_that_cannot_be_planned_are_named(
    running: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")
    unplanned(engine)
    engine.dispose()
    status, found = running("attention")
    assert (status, [each["campaign"] for each in found["campaigns"]]) == (1, ["2026-q4"])
    capsys.readouterr()
    assert run_command(["attention", "--campaign", "2026-q4"]) == 1
    said = capsys.readouterr().out
    assert "1 campaigns that cannot be planned" in said
    assert "acme/2026-q4: unknown_connection: it is gone" in said


def test_of_one_tenant_or_campaign_where_that_is_asked_for(
    running: Run, redis: Redis, tmp_path: Path
) -> None:
    lose(redis, tmp_path, "j1")
    assert running("attention", "--tenant", "globex")[0] == 0
    assert running("attention", "--campaign", "q3")[0] == 0
    assert running("attention", "--tenant", "acme", "--campaign", "q4")[0] == 1


def test_a_certificate_that_ends_soon_comes_with_the_command_that_makes_the_next(
    running: Run, tmp_path: Path
) -> None:
    kind = ("--kind", "customer_owned_app", "--mailbox", "reviews@acme.example")
    account = ("--service-account", "certmail@acme-it.iam.gserviceaccount.com")
    assert running("connections", "add", "acme", *kind, *account)[0] == 0
    engine = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")
    with engine.begin() as db:
        db.execute(update(tables.connections).values(not_after=datetime.now(UTC) + timedelta(6)))
    engine.dispose()

    status, found = running("attention")
    [certificate] = found["certificates"]
    assert (status, certificate["ended"]) == (1, False)
    assert "certmail connections rotate acme/default" in certificate["remedy"]


def test_connections_and_webhooks_that_stand_come_with_why_and_what_to_do(
    running: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert running("connections", "add", "acme", "--kind", "service_provider_app")[0] == 0
    assert running("webhooks", "add", "https://hooks.example/", "--every-tenant")[0] == 0
    assert running("attention")[0] == 0, "what is being set up, and what takes its messages"

    broken = {
        "state": "attention",
        "message": "Google gives no tokens.",
        "remedy": "Link it again.",
    }
    engine = open_database(f"sqlite:///{tmp_path}/certmail.sqlite")
    with engine.begin() as db:
        db.execute(update(tables.connections).values(**broken, refresh_token=b"sealed"))
        db.execute(update(tables.webhook_endpoints).values(state="disabled", code="gone"))
    engine.dispose()

    status, found = running("attention")
    [connection], [webhook] = found["connections"], found["webhooks"]
    assert (status, connection["message"], connection["remedy"]) == (
        1, "Google gives no tokens.", "Link it again.",
    )  # fmt: skip
    assert (webhook["host"], webhook["state"]) == ("hooks.example", "disabled")
    assert f"certmail webhooks resume {webhook['id']}" in webhook["remedy"]

    capsys.readouterr()
    assert run_command(["attention"]) == 1
    said = capsys.readouterr().out
    assert "acme/default: Google gives no tokens." in said
    assert "hooks.example, disabled" in said
