"""`certmail keys`: what upstream applications show to the HTTP API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.api_keys import create_key, list_keys, revoke_key
from certmail_config.base.errors import WrongUse
from certmail_config.crypto.signing import public_half, write_public
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.tenants.api_keys import EVERY_TENANT, ApiKey, KeyScope
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, err, out, print_json, table, when


def create(
    name: Annotated[str, typer.Argument(help="What it is for, so that you know it again.")],
    *,
    tenant: Annotated[
        list[str] | None,
        typer.Option(help="A tenant that it may touch; may be given several times."),
    ] = None,
    every_tenant: Annotated[
        bool, typer.Option("--every-tenant", help="All tenants, also those that come later.")
    ] = False,
    scope: Annotated[
        list[KeyScope] | None,
        typer.Option(
            help="What it may be used for; may be given several times. Not given: everything."
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="After how many days it ends.")
    ] = None,
    json: Json = False,
) -> None:
    """Make an API key. It is shown once, and kept nowhere."""
    if bool(tenant) == every_tenant:
        raise WrongUse("wrong_use", "Name a --tenant (or several), or say --every-tenant.")

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        key, token = create_key(
            admin,
            name,
            tenants=tenant or [EVERY_TENANT],
            scopes=scope or list(KeyScope),
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        )

    if json:
        return print_json({**_as_json(key), "key": token})

    err.print(
        f"The key {key.id}, for {', '.join(sorted(key.tenants))}: {', '.join(sorted(key.scopes))}.",
        markup=False,
    )
    err.print("It is shown this once:")
    out.print(token, markup=False)

    return None


def list_(*, json: Json = False) -> None:
    """List the keys, those that were revoked too."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        rows = [_as_json(key) for key in list_keys(admin)]
    if json:
        return print_json({"keys": rows})

    shown = ("id", "name", "state", "tenants", "scopes", "expires_at")
    table(
        shown,
        [
            [", ".join(v) if isinstance(v := row[name], list) else v for name in shown]
            for row in rows
        ],
    )
    return None


def revoke(
    key: Annotated[
        str, typer.Argument(metavar="ID", help="Its id, as `certmail keys list` shows it.")
    ],
    *,
    json: Json = False,
) -> None:
    """Let a key be good for nothing, from the next request on."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        revoked = revoke_key(admin, key)
    if json:
        return print_json(_as_json(revoked))

    out.print(f"The key {revoked.id} ({revoked.name}) is revoked.", markup=False)
    return None


def deployment(*, json: Json = False) -> None:
    """Print what producers are given as CERTMAIL_DEPLOYMENT_KEY.

    With it they know a tenant's public key from a forged one.

    It is no secret, but must reach them by another way than Redis.
    """
    with open_admin(Settings.from_env(), actor=actor()) as admin, admin.db() as db:
        public = write_public(public_half(registry.signing_key(db, admin.vault)))
    if json:
        return print_json({"deployment_key": public})
    out.print(public, markup=False)
    return None


def _as_json(key: ApiKey) -> dict[str, object]:
    ended = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
    return {
        "id": key.id,
        "name": key.name,
        "state": "revoked" if key.revoked_at else "expired" if ended else "active",
        "tenants": sorted(key.tenants),
        "scopes": sorted(key.scopes),
        "created_at": when(key.created_at),
        "expires_at": when(key.expires_at),
        "revoked_at": when(key.revoked_at),
    }
