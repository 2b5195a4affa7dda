"""`certmail vault`: the keys that private keys and tokens are sealed with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.vault_key_usage import OldKey, old_keys
from certmail_config.admin.vault_rotation import Resealed, Unopened, reseal
from certmail_config.ledger import Act
from certmail_config.settings import Settings
from certmail_config.stores.vault_file import (
    key_file,
    new_vault_key,
    put_in_front,
    require_key_file,
)
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json, when


def keygen(*, json: Json = False) -> None:
    """Print a new key for CERTMAIL_VAULT_KEYS; it is shown once and stored nowhere."""
    key = new_vault_key()
    if json:
        return print_json({"key": key})
    out.print(key, markup=False)
    return None


def rotate(
    *,
    new_key: Annotated[
        bool,
        typer.Option(
            "--new-key",
            help="First put a new key in front of those in the data directory; not where CERTMAIL_VAULT_KEYS is set.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Re-encrypt everything under the newest vault key, while workers run.

    Says which keys are no longer needed.

    With CERTMAIL_VAULT_KEYS every process must know the new key first: put it behind the present
    one everywhere and restart; then in front, and restart; then run this. Interrupted, run it
    again: it goes on. What cannot be opened is named, and the exit status is 1.
    """
    settings = Settings.from_env()
    if new_key:
        require_key_file(settings)

    with open_admin(settings, actor=actor()) as admin:
        made = put_in_front(key_file(settings)) if new_key else None
        done = _reseal(admin)
        now = datetime.now(UTC)
        old = old_keys(admin, now)
        newest = admin.vault.key_ids[0]
        admin.record(Act.VAULT_ROTATED, reason=f"to {newest}, {done.values} values")

    if json:
        print_json(
            {
                "key": newest,
                "new": made is not None,
                "reencrypted": done.values,
                "copies": done.copies,
                "unopened": [_as_json(each) for each in done.unopened],
                "old_keys": [
                    {
                        "key": each.key,
                        "needed": each.removable_at is None,
                        "removable_at": when(each.removable_at),
                    }
                    for each in old
                ],
            }
        )
    else:
        _show(newest, done)
        _show_old_keys(
            old, now, "CERTMAIL_VAULT_KEYS" if settings.vault_keys else str(key_file(settings))
        )

    if done.unopened:
        raise typer.Exit(1)


def _reseal(admin: Admin) -> Resealed:
    columns = (
        TextColumn("tenants and connections"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=err.console, transient=True) as bar:
        task = bar.add_task("", total=None)
        return reseal(admin, lambda count, total: bar.update(task, completed=count, total=total))


def _as_json(each: Unopened) -> dict[str, object]:
    return {
        "who": each.who,
        "id": each.id,
        "field": each.field,
        "key": each.key,
        **each.error.as_json(),
    }


def _show(newest: str, done: Resealed) -> None:
    out.print(
        f"Re-encrypted under {newest}: {done.values} values, and {done.copies} entries of the working copy.",
        markup=False,
    )

    if done.unopened:
        out.print(
            f"Could not be opened: {len(done.unopened)}. Run this again when they are put right."
        )

    for each in done.unopened:
        out.print(
            f"  {each.who}, {each.field}: {each.error.message} {each.error.remedy}", markup=False
        )


def _show_old_keys(old: Sequence[OldKey], now: datetime, where: str) -> None:
    for each in old:
        if each.removable_at is None:
            line = f"{each.key} is still needed."
        elif each.removable_at > now:
            until = when(each.removable_at)
            line = f"{each.key} is needed by access tokens or sign-ins under way until {until}: run this again then."
        else:
            line = (
                f"{each.key} is no longer needed: take it out of {where}. Keep it with the backups made until now: "
                "they open with nothing else."
            )

        out.print(line, markup=False)
