"""A campaign and a reviewer as JSON, in one form: what is the same is written the same. Pure."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.reviewer import Reviewer

_BESIDE: Final = frozenset({"id", "pending", "completed"})
"""What is kept of a reviewer beside the sealed record."""
_KNOWN: Final = 1000
"""So many campaigns are not read again; nobody can change one that was."""


def campaign_fields(campaign: Campaign) -> dict[str, Any]:
    """What somebody wrote of a campaign, and no defaults; with a preset, its name alone."""
    found = campaign.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    if "preset" in found:
        del found["rule"]
    for name in ("days", "closed", "open"):
        if name in found.get("calendar", {}):
            found["calendar"][name] = sorted(found["calendar"][name])
    return found


def write_campaign(campaign: Campaign) -> str:
    """The text that SQL keeps."""
    return _text(campaign_fields(campaign))


@lru_cache(_KNOWN)
def read_kept_campaign(text: str) -> Campaign:
    """The campaign of such a text; whoever plans reads the same ones all the time."""
    return Campaign.model_validate(json.loads(text))


def write_reviewer(reviewer: Reviewer) -> bytes:
    """What is sealed of a reviewer."""
    return _text(reviewer.model_dump(mode="json", exclude_none=True, exclude=set(_BESIDE))).encode()


def read_kept_reviewer(
    record: bytes, id_: str, pending: int | None, completed: int | None
) -> Reviewer:
    """The reviewer of such a record."""
    value = json.loads(record)
    return Reviewer.model_validate({**value, "id": id_, "pending": pending, "completed": completed})


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
