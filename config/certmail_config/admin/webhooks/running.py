"""How an endpoint runs: stop it, let it go on, replace its secret, send messages again.

A secret is given once, when it is made.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks.acts import record_act
from certmail_config.admin.webhooks.changing import apply_change
from certmail_config.admin.webhooks.secrets import seal_secret
from certmail_config.base.errors import Refused
from certmail_config.ledger import Act
from certmail_config.sql.webhooks import endpoints, messages
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.webhooks import health
from certmail_config.webhooks.signing import new_secret, read_message_id

OVERLAP_HOURS: Final = 24
MAX_OVERLAP_HOURS: Final = 24 * 30


def pause_webhook(admin: Admin, id_: str) -> Endpoint:
    """Send nothing more to an endpoint; what happens is kept for it. Raises Refused."""
    now = datetime.now(UTC)
    _, paused = apply_change(
        admin, id_, lambda each: replace(each, health=health.pause(each.health, now))
    )
    record_act(admin, Act.WEBHOOK_PAUSED, paused)
    return paused


def resume_webhook(admin: Admin, id_: str) -> Endpoint:
    """Let an endpoint be sent what waits for it, whatever stopped it. Raises Refused."""
    now = datetime.now(UTC)
    before, resumed = apply_change(
        admin,
        id_,
        lambda each: replace(each, health=health.resume(each.health, now), error=None),
    )
    record_act(admin, Act.WEBHOOK_RESUMED, resumed, f"it was {before.health.state}")
    return resumed


def rotate_webhook(admin: Admin, id_: str, *, hours: float = OVERLAP_HOURS) -> tuple[Endpoint, str]:
    """Make another secret; the one before signs too for so long. Gives the new one.

    Of more than two the oldest goes at once. Raises Refused.
    """
    secret, until = new_secret(), datetime.now(UTC) + timedelta(hours=hours)
    _, changed = apply_change(
        admin,
        id_,
        lambda each: replace(
            each,
            secret=seal_secret(admin.vault, id_, each.url, secret),
            previous_secret=each.secret,
            previous_until=until,
        ),
    )
    record_act(admin, Act.WEBHOOK_ROTATED, changed, f"the one before signs for {hours:g} hours")
    return changed, secret


def replay_one(admin: Admin, id_: str, message: str) -> int:
    """Send one message again; raises Refused."""
    key, now = read_message_id(message), datetime.now(UTC)
    with admin.db() as db:
        found = endpoints.get_endpoint(db, id_)
        count = 0 if key is None else messages.replay_message(db, id_, key, now)
    if not count:
        raise Refused(
            "unknown_message",
            f"No message {message!r} is kept for this webhook.",
            f"They are kept for {admin.settings.webhook_days} days; see `certmail webhooks show {id_}`.",
        )
    record_act(admin, Act.WEBHOOK_REPLAYED, found, message)
    return count


def replay_since(admin: Admin, id_: str, since: datetime) -> int:
    """Send all that happened since a time (again); gives how many. Raises Refused."""
    with admin.db() as db:
        found = endpoints.get_endpoint(db, id_)
        count = messages.replay_since(db, id_, since, datetime.now(UTC))
    told = f"{count} messages, all since {since:%Y-%m-%d %H:%M UTC}"
    record_act(admin, Act.WEBHOOK_REPLAYED, found, told)
    return count


def replay_failed(admin: Admin, id_: str) -> int:
    """Send all that failed again; gives how many. Raises Refused."""
    with admin.db() as db:
        found = endpoints.get_endpoint(db, id_)
        count = messages.replay_failed(db, id_, datetime.now(UTC))
    record_act(admin, Act.WEBHOOK_REPLAYED, found, f"{count} messages, all that failed")
    return count
