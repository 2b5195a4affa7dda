"""`certmail webhooks pause` and `resume`."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.admin.webhooks.endpoints import view_webhook
from certmail_config.admin.webhooks.running import pause_webhook, resume_webhook
from certmail_config.settings import Settings
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, out, print_json
from certmail_worker.cli.webhooks.shown import Id, webhook_json


def pause(webhook: Id, *, json: Json = False) -> None:
    """Send nothing more to a webhook; what happens is kept for it. See `certmail webhooks resume`."""
    settings = Settings.from_env()
    with open_admin(settings, actor=actor()) as admin:
        paused = pause_webhook(admin, webhook)
    if json:
        return print_json(webhook_json(paused))

    kept = f"What happens is kept for it for {settings.webhook_days} days."
    out.print(f"The webhook {paused.id} is paused. {kept}", markup=False)
    return None


def resume(webhook: Id, *, json: Json = False) -> None:
    """Let a paused or disabled webhook be sent what waits for it, the oldest first."""
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        resumed = resume_webhook(admin, webhook)
        kept = view_webhook(admin, webhook, 0).kept
    if json:
        return print_json(webhook_json(resumed))

    out.print(
        f"The webhook {resumed.id} is active; {kept.waiting} messages wait for it.", markup=False
    )
    if kept.failed:
        again = f"certmail webhooks replay {resumed.id} --failed"
        out.print(f"{kept.failed} were given up before; to send them: {again}", markup=False)
    return None
