"""The upstream application of a storm of campaigns: it tells the gateway until that has answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from certmail.client.campaigns import Campaigns
from certmail_config.base.errors import Refused, StoresUnreachable
from chaos.campaigns.cast import CastCampaign
from chaos.campaigns.story import Act, Deed

AGAIN_SECONDS: Final = 0.2
ASK_SECONDS: Final = 5.0
"""So long its client tries by itself; then it is called again."""


@dataclass(frozen=True, slots=True)
class Told:
    """An act, when it was first asked for, and when it was acknowledged."""

    act: Act
    asked: float
    acknowledged: float


class CampaignUpstream(threading.Thread):
    """A thread that does what the story says, each at its time or as soon as it can after it."""

    def __init__(self, url: str, key: str, story: Sequence[Act]) -> None:
        super().__init__(daemon=True)
        self.told: list[Told] = []
        self.again = 0
        """How often there was no answer, or no store behind it, and the same was told again."""
        self.wrong: list[str] = []
        """What no outage explains."""
        self._campaigns = Campaigns(url, key, seconds=ASK_SECONDS)
        self._story, self._left = story, len(story)
        self._last: Sequence[Act] = ()
        self._calm = threading.Event()
        self._deeds: dict[Deed, Callable[[Act], object]] = {
            Deed.PUT: self._put,
            Deed.MOVE: self._put,
            Deed.COMPLETE: self._complete,
            Deed.READDRESS: self._readdress,
            Deed.REMOVE: self._remove,
            Deed.REMIND: self._remind,
            Deed.PAUSE: lambda act: self._campaigns.pause(act.campaign.tenant, act.campaign.id),
            Deed.RESUME: lambda act: self._campaigns.resume(act.campaign.tenant, act.campaign.id),
            Deed.STOP: lambda act: self._campaigns.stop(act.campaign.tenant, act.campaign.id),
        }
        self._began = datetime.now(UTC).replace(microsecond=0)
        self._versions: dict[tuple[str, str], int] = {}
        self._gone: set[tuple[str, str]] = set()
        self._paused: set[str] = set()
        self._stopped: set[str] = set()

    def run(self) -> None:
        with self._campaigns:
            self._tell_all()

    def _tell_all(self) -> None:
        began = time.monotonic()
        for act in self._story:
            time.sleep(max(0.0, began + act.at - time.monotonic()))
            self._tell(act)
        self._calm.wait()
        for act in self._last:
            self._tell(act)

    def finish(self, acts: Sequence[Act]) -> None:
        """Let it do these, once it is through with the story."""
        self._left += len(acts)
        self._last = acts
        self._calm.set()

    def left(self) -> int:
        """How much of the story is not told yet."""
        return self._left

    def _tell(self, act: Act) -> None:
        self._until_taken(act)
        self._left -= 1

    def _until_taken(self, act: Act) -> None:
        """Tell the gateway until it has taken it; what makes no sense by now is left out."""
        id_ = act.campaign.id
        if id_ in self._stopped and act.deed not in {Deed.STOP, Deed.COMPLETE}:
            return
        if id_ in self._paused and act.deed is Deed.REMIND:
            return
        if act.deed in {Deed.PAUSE, Deed.RESUME}:
            (self._paused.add if act.deed is Deed.PAUSE else self._paused.discard)(id_)
        if act.deed is Deed.STOP:
            self._stopped.add(id_)

        asked = time.time()
        while True:
            try:
                self._deeds[act.deed](act)
            except StoresUnreachable:
                self.again += 1
                time.sleep(AGAIN_SECONDS)
                continue
            except Refused as why:
                self.wrong.append(f"{act.deed} of {act.campaign.id}: {why.code}: {why.message}")
                return
            self.told.append(Told(act, asked, time.time()))
            return

    def _put(self, act: Act) -> None:
        campaign = act.campaign
        self._campaigns.put(campaign.written(self._began, act.due))
        if act.deed is Deed.PUT:
            self._campaigns.reviewers(campaign.tenant, campaign.id, self._rows(campaign))

    def _complete(self, act: Act) -> None:
        # Of one time, however often it is told.
        news = [{"reviewer": each, "pending": 0, "sequence": 1} for each in act.reviewers]
        for each in self._campaigns.progress(act.campaign.tenant, act.campaign.id, news):
            if each["verdict"] not in {"taken", "same"}:
                self.wrong.append(f"progress of {act.reviewers} in {act.campaign.id}: {each}")

    def _readdress(self, act: Act) -> None:
        campaign = act.campaign
        self._versions |= dict.fromkeys(_both(campaign, act.reviewers), act.version)
        rows = [each for each in self._rows(campaign) if each["id"] in act.reviewers]
        self._campaigns.reviewers(campaign.tenant, campaign.id, rows, keep_others=True)

    def _remove(self, act: Act) -> None:
        campaign = act.campaign
        self._gone |= set(_both(campaign, act.reviewers))
        self._campaigns.reviewers(campaign.tenant, campaign.id, self._rows(campaign))

    def _remind(self, act: Act) -> None:
        campaign = act.campaign
        # However often it is asked for, it is one mail to each.
        key = f"{campaign.id} {act.at}"
        self._campaigns.remind(campaign.tenant, campaign.id, act.reviewers, key=key)

    def _rows(self, campaign: CastCampaign) -> list[dict[str, Any]]:
        """Its reviewers as upstream knows them now."""
        return [
            campaign.row(each, self._versions.get((campaign.id, each), 0))
            for each in campaign.names()
            if (campaign.id, each) not in self._gone
        ]


def _both(campaign: CastCampaign, reviewers: Iterable[str]) -> list[tuple[str, str]]:
    return [(campaign.id, each) for each in reviewers]
