"""`certmail campaign pause`, `resume`, `stop` and `remove`."""

from __future__ import annotations

from collections.abc import Callable

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.campaigns import running
from certmail_config.admin.campaigns.documents import campaign_document
from certmail_config.settings import Settings
from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_worker.cli.campaign.named import Named, find
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.for_good import Yes, ask
from certmail_worker.cli.support.output import Json, out, print_json


def pause(campaign: Named, *, json: Json = False) -> None:
    """Let nothing of a campaign leave until it is resumed. Its reviewers and their progress are still taken."""
    _do(campaign, running.pause_campaign, "is paused: nothing of it leaves.", json=json)


def resume(campaign: Named, *, json: Json = False) -> None:
    """Let a paused campaign go on; what it missed is caught up on once."""
    _do(campaign, running.resume_campaign, "runs again.", json=json)


def stop(campaign: Named, *, json: Json = False) -> None:
    """Stop a campaign for good: nothing of it leaves any more. What went stays on record."""
    _do(campaign, running.stop_campaign, "is stopped: nothing of it leaves any more.", json=json)


def remove(
    campaign: Named,
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove a stopped campaign with its reviewers. What went to them stays on record."""
    ask(f"Remove the campaign {campaign} with its reviewers?", yes=yes)
    _do(campaign, running.remove_campaign, "is removed, with its reviewers.", json=json)


def _do(
    name: str, act: Callable[[Admin, str, str], KeptCampaign], became: str, *, json: bool
) -> None:
    with open_admin(Settings.from_env(), actor=actor()) as admin:
        kept = act(admin, *find(admin, name))
    if json:
        print_json(campaign_document(kept))
    else:
        out.print(f"The campaign {'/'.join(kept.key)} {became}", markup=False)
