"""`certmail attention`: what does not go on by itself, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.status.attention.attention import LISTED, AttentionScope, read_attention
from certmail_config.status.attention.told import told
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.filters import Campaign, Tenant
from certmail_worker.cli.support.output import Json, out, print_json, table

OUTCOME: Final = ("job", "tenant", "campaign", "mailbox", "waits_for", "updated_at")


def attention(
    *,
    tenant: Tenant = None,
    campaign: Campaign = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="At most so many unknown outcomes.")
    ] = LISTED,
    json: Json = False,
) -> None:
    """Say what does not go on by itself, and what to do about it.

    Ends with status 1 where anything does not. Reviewers' addresses are not shown.
    """
    scope = AttentionScope(frozenset({tenant}) if tenant is not None else None, campaign)
    now = datetime.now(UTC)
    with open_admin(Settings.from_env(), actor=actor()) as admin, admin.db() as db:
        found = read_attention(db, admin.redis, scope, now, limit=limit)

    value = told(found, now)
    for each in value["uncertain"]["reminders"]:
        # See permissions.py: what lists recipients is nothing for a viewer.
        del each["recipient"], each["reason"]

    if json:
        print_json(value)
    else:
        _show(value)
    if not found.calm:
        raise typer.Exit(1)


def _show(value: Mapping[str, Any]) -> None:
    if value["calm"]:
        out.print("Nothing needs you.")
        return

    for each in value["stopped"]:
        out.print(f"{each['message']}\n  {each['remedy']}\n", markup=False)

    _list("connections in trouble", value["connections"], _connection)
    _outcomes(value["uncertain"])
    _list("webhooks that take no messages", value["webhooks"], _webhook)
    _list("certificates that end", value["certificates"], _certificate)
    _list("campaigns that cannot be planned", value["campaigns"], _campaign)


def _list(what: str, found: Sequence[Mapping[str, Any]], said: Any) -> None:
    if not found:
        return

    out.print(f"{len(found)} {what}:", markup=False)
    for each in found:
        out.print(f"  {said(each)}\n    {each['remedy']}", markup=False)
    out.print()


def _outcomes(found: Mapping[str, Any]) -> None:
    if not found["total"]:
        return

    least = "at least " if found["capped"] else ""
    out.print(f"{least}{found['total']:,} reminders of which nobody knows whether they arrived:")
    table(
        [name.replace("_", " ") for name in OUTCOME],
        [[each[name] for name in OUTCOME] for each in found["reminders"]],
    )
    out.print("Look into the mailboxes' sent mail, and say what you found:")
    out.print("  certmail uncertain list, certmail uncertain settle\n", markup=False)


def _connection(each: Mapping[str, Any]) -> str:
    waiting = f" {each['waiting']:,} reminders wait." if each["waiting"] else ""
    return f"{each['tenant']}/{each['name']}: {each['message']}{waiting}"


def _webhook(each: Mapping[str, Any]) -> str:
    return f"{each['host']}, {str(each['state']).replace('_', ' ')}: {each['message']}"


def _certificate(each: Mapping[str, Any]) -> str:
    when = f"{'ended' if each['ended'] else 'ends'} on {each['not_after']:%Y-%m-%d}"
    return f"{each['tenant']}/{each['name']} {when}"


def _campaign(each: Mapping[str, Any]) -> str:
    return f"{each['tenant']}/{each['campaign']}: {each['message']}"
