"""What a campaign should come to, by another hand: from its file and what upstream told, with another library.

Nothing of it looks at what was done. People who differ in nothing but their names share a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from support.campaigns.oracle import Goes, Oracle
from year.quarters import Quarter

PUNCTUAL: Final = timedelta(minutes=5)


class MailName(NamedTuple):
    """Which mail of its campaign it is."""

    reviewer: str
    rule: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A mail that should go, when and to whom.

    `may_stay`: its reviewer was done within minutes of its moment, and perhaps before its turn came.
    """

    at: datetime
    kind: str
    to: str
    may_stay: bool


def expected_mails(
    quarter: Quarter, done_at: Mapping[str, datetime], moved_at: datetime | None
) -> dict[MailName, Expected]:
    """The mails of a campaign; `done_at` is when it was told of whom that they are done."""
    known: dict[tuple[Any, ...], tuple[dict[str, Any], set[Goes]]] = {}
    found: dict[MailName, Expected] = {}

    for reviewer in quarter.reviewers:
        done = done_at.get(reviewer["id"])
        # Whether somebody is done when dates change matters to what goes afterwards.
        moved = moved_at if moved_at is not None and (done is None or done > moved_at) else None
        alike = _alike(reviewer, moved is not None)
        if alike not in known:
            known[alike] = reviewer, _goes(quarter, reviewer, moved)
        like, goes = known[alike]

        for each in goes:
            at = datetime.fromisoformat(each.at).astimezone(UTC)
            if done is not None and at >= done:
                continue
            may_stay = done is not None and done < at + PUNCTUAL
            name = MailName(reviewer["id"], each.rule, each.ordinal)
            found[name] = Expected(at, each.kind, _to(each.to, like, reviewer), may_stay)
    return found


def _alike(reviewer: dict[str, Any], moved: bool) -> tuple[Any, ...]:
    names = ("time_zone", "country", "subdivision", "deputy", "deputy_from", "deputy_until")
    return (moved, "manager" in reviewer, *(reviewer.get(name) for name in names))


def _goes(quarter: Quarter, reviewer: dict[str, Any], moved_at: datetime | None) -> set[Goes]:
    goes, _ = Oracle(quarter.campaign, reviewer, _text(quarter.put_at), []).plan()
    if moved_at is None or quarter.moved is None:
        return goes

    # What has gone by then stays, and what is to come is planned anew.
    gone = {each for each in goes if datetime.fromisoformat(each.at) < moved_at}
    sent = [
        {"rule": each.rule, "ordinal": each.ordinal, "at": each.at, "kind": each.kind}
        for each in gone
    ]
    campaign = quarter.with_due(quarter.moved[1])
    later, _ = Oracle(campaign, reviewer, _text(moved_at), sent).plan()
    return gone | later


def _to(to: str, like: dict[str, Any], reviewer: dict[str, Any]) -> str:
    """To whom it goes of somebody who is like another."""
    for name in ("to", "manager", "deputy"):
        if to == like.get(name):
            return str(reviewer[name])
    return to


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
