"""`certmail status`: where a reminder is, from the ledger, and its whole story, from the record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import CertmailError, Refused, SealBroken
from certmail_config.base.ids import ConnectionId, job_id
from certmail_config.crypto.vault import Vault
from certmail_config.forecast.forecaster import Forecaster
from certmail_config.ledger.view import JobView
from certmail_config.settings import Settings
from certmail_config.sql.delivery_story import Story, read_story
from certmail_config.sql.engine import check_version, open_database, reachable
from certmail_config.status.job_lookup import look_up
from certmail_config.stores.connect import connect, database_url, redis_server, vault_keys
from certmail_config.tenants.working_copy import read_connection
from certmail_worker.cli.support.output import Json, err, out, print_json, table
from certmail_worker.cli.support.output import fields as show_fields

OF_THE_RECORD: Final = ("kind", "campaign", "recipient", "decided_by", "enqueued_at", "updated_at")
"""What only the record knows, or keeps when Redis has forgotten."""
ATTEMPTS: Final = (
    "n",
    "begun_at",
    "ended_at",
    "outcome",
    "http_status",
    "google_reason",
    "latency_ms",
    "gmail_id",
    "key_id",
)
CONTENT: Final = (
    "n",
    "template_version",
    "locale",
    "message_sha256",
    "subject_sha256",
    "composed_at",
    "release",
)
"""What proves which words an attempt sent; workers of older versions recorded none."""
LONGEST_REASON: Final = 160


def status(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The id from the receipt.")],
    *,
    json: Json = False,
) -> None:
    """Show where a reminder is, why, what was tried, and all that happened to it.

    Without the database: what Redis knows.
    """
    settings, job = Settings.from_env(), job_id(job)
    with redis_server(settings, proven=False) as url, connect(url) as redis:
        [view] = look_up(redis, Forecaster(redis), [job], time.time())
        mailbox = _mailbox(redis, view, settings) if view else None

    story, away = _story(settings, job)
    if view is None and story is None:
        days = f"or it was forgotten {settings.dedupe_days} days after it ended"
        raise Refused("unknown_job", f"There is no job {job}, {days}.{_also(away)}")

    value = _value(view, story, mailbox)

    if json:
        print_json(value)
    else:
        _show(value)

    if away is not None:
        err.print(f"\nWithout the record: {away.message}", markup=False)


def _story(settings: Settings, job: str) -> tuple[Story | None, CertmailError | None]:
    """The delivery's story from the record, or why there is none.

    An application that only enqueues has no database.
    """
    if settings.database_url is None and not (settings.data_dir / "certmail.sqlite").exists():
        return None, None

    engine = open_database(database_url(settings))

    try:
        check_version(engine)
        with reachable(engine), engine.connect() as db:
            return read_story(db, job), None
    except CertmailError as error:
        return None, error
    finally:
        engine.dispose()


def _value(view: JobView | None, story: Story | None, mailbox: str | None) -> dict[str, Any]:
    """Redis knows best where a reminder is now; what it has forgotten the record still has."""
    known = dict(story.delivery) if story else {}

    if view is not None:
        value = asdict(view) | {"mailbox": mailbox or known.get("mailbox")}
    else:
        of_sql = {name: item for name, item in known.items() if name not in {"job", *OF_THE_RECORD}}
        value = {"id": known["job"], **of_sql, "forecast_at": None, "attempts": []}

    told = {row["n"]: row for row in story.attempts} if story else {}
    asked = {each["n"]: each for each in value["attempts"]}
    value["attempts"] = [
        _attempt(told.get(n, {}), asked.get(n, {})) for n in sorted(told.keys() | asked.keys())
    ]

    return value | {
        **{name: known.get(name) for name in OF_THE_RECORD},
        "history": [dict(event) for event in story.events] if story else None,
    }


def _attempt(told: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """One attempt, as far as either store knows it."""
    names = [*ATTEMPTS, *(name for name in told if name not in ATTEMPTS)]
    return {name: told.get(name) if asked.get(name) is None else asked[name] for name in names}


def _show(value: dict[str, Any]) -> None:
    attempts, history = value.pop("attempts"), value.pop("history")
    show_fields(
        [
            (name.replace("_", " "), item)
            for name, item in value.items()
            if item not in {None, False}
        ]
    )

    if attempts:
        out.print("\n[bold]Attempts[/bold]")
        table(
            [name.replace("_", " ") for name in ATTEMPTS],
            [[each[name] for name in ATTEMPTS] for each in attempts],
        )

    proven = [each for each in attempts if each.get("message_sha256")]
    if proven:
        out.print("\n[bold]What was sent[/bold]")
        table(
            [name.replace("_", " ") for name in CONTENT],
            [[each.get(name) for name in CONTENT] for each in proven],
        )

    if history:
        out.print("\n[bold]What happened[/bold]")
        shown = ("at", "type", "state", "reason", "worker")
        table(shown, [[event.get(name) for name in shown] for event in told_once(history)])


def told_once(history: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Events as a line each: a long reason is cut, and one that was told before is only its code.

    JSON has them whole.
    """
    told: set[str] = set()

    for event in history:
        reason = str(event.get("reason") or "")
        code = reason.partition(":")[0]
        again = reason in told and code != reason
        told.add(reason)
        cut = f"{reason[:LONGEST_REASON]}…" if len(reason) > LONGEST_REASON else reason
        yield {**event, "reason": f"{code}: as above" if again else cut}


def _also(away: CertmailError | None) -> str:
    return f" The record could not be asked: {away.message}" if away else ""


def _mailbox(redis: Redis, view: JobView, settings: Settings) -> str | None:
    """The address, where this process has the vault's keys; a producer has not."""
    configured = vault_keys(settings)
    if not configured:
        return None

    connection = ConnectionId(view.connection)

    try:
        fields: Any = redis.hgetall(redis_keys.CONNECTION + connection)
        found = read_connection(fields, connection, Vault(configured))
    except SealBroken:
        return None

    return found.mailbox if found else None
