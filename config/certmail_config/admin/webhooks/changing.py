"""Changing an endpoint: where it leads, what it is told of, what it is called."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks.acts import record_act, types_told
from certmail_config.admin.webhooks.endpoints import MAX_NAME, check_types
from certmail_config.admin.webhooks.secrets import at_address
from certmail_config.ledger import Act
from certmail_config.sql.webhooks import endpoints
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.webhooks import health
from certmail_config.webhooks.targets import host_of, read_target


def change_webhook(
    admin: Admin,
    id_: str,
    *,
    url: str | None = None,
    types: Collection[str] | None = None,
    name: str | None = None,
) -> Endpoint:
    """Change what is given of an endpoint; no type means every type.

    What waits goes to the new address, signed with the same secret; types count for what happens
    from now on. Raises Refused, WrongUse, SealBroken.
    """
    target = None if url is None else read_target(url, admin.settings.webhooks_allowed)
    wanted = None if types is None else check_types(types)
    now = datetime.now(UTC)

    def change(before: Endpoint) -> Endpoint:
        after = before
        if target is not None and target != before.url:
            moved = at_address(admin.vault, before, target, now)
            after = replace(moved, health=health.move(before.health, now), error=None)
        if wanted is not None:
            after = replace(after, types=wanted)
        return after if name is None else replace(after, name=name.strip()[:MAX_NAME])

    before, after = apply_change(admin, id_, change)
    if told := _differences(before, after):
        record_act(admin, Act.WEBHOOK_CHANGED, after, told)
    return after


def apply_change(
    admin: Admin, id_: str, change: Callable[[Endpoint], Endpoint]
) -> tuple[Endpoint, Endpoint]:
    """Write a change of an endpoint, made anew where somebody else was quicker.

    Gives it as it was and as it is, which may be the same. Raises Refused.
    """
    while True:
        with admin.db() as db:
            before = endpoints.get_endpoint(db, id_)
            after = change(before)
            if after == before:
                return before, before
            if endpoints.change_endpoint(db, after):
                return before, replace(after, version=after.version + 1)


def _differences(before: Endpoint, after: Endpoint) -> str:
    """What was changed, for the record: of addresses the host, of names that there is another."""
    told = []
    if after.url != before.url:
        told.append(f"address, before at {host_of(before.url)}")
    if after.types != before.types:
        told.append(f"told of {types_told(after)}")
    if after.name != before.name:
        told.append("name")
    return "; ".join(told)
