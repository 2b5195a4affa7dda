"""How commands show a connection."""

from __future__ import annotations

from dataclasses import asdict

from certmail_config.status.lane_waits import Wait
from certmail_config.tenants.models import Connection
from certmail_config.tenants.state_labels import WORDS
from certmail_worker.cli.connections.limits import in_words
from certmail_worker.cli.support.output import fields, when


def as_json(connection: Connection) -> dict[str, object]:
    """The form that every interface gives a connection; no secret among it."""
    return {
        "id": connection.id,
        "tenant": connection.tenant,
        "name": connection.name,
        "kind": connection.kind,
        "state": connection.state,
        "state_text": WORDS[connection.state],
        "code": connection.code,
        "message": connection.message,
        "remedy": connection.remedy,
        "mailbox": connection.mailbox,
        "service_account": connection.service_account,
        "key_id": connection.key_id,
        "not_after": when(connection.not_after),
        "next_not_after": when(connection.next_not_after),
        "verify": connection.verify,
        "limits": asdict(connection.limits),
    }


def shown_wait(wait: Wait | None) -> dict[str, object] | None:
    """What a connection waits for; nothing where its reminders leave."""
    if wait is None:
        return None
    return {"scope": wait.scope, "why": wait.why, "until": when(wait.until), "ready": wait.ready}


def until(wait: Wait | None) -> str | None:
    """The same in a table's cell."""
    if wait is None:
        return None
    return when(wait.until) or "its day has room again"


def show_connection(connection: Connection) -> None:
    """Print one connection for a person."""
    shown = as_json(connection)
    shown["limits"] = in_words(connection.limits)
    shown["state"] = shown.pop("state_text")
    fields([(name.replace("_", " "), value) for name, value in shown.items() if value is not None])
