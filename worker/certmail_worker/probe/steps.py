"""The steps of a checklist as values, and how much patience each failure deserves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from certmail_config.checklist import Step
from certmail_config.connections import Connection
from certmail_config.moments import moment
from certmail_config.token_errors import Blame, Denied

MINUTE: Final = timedelta(minutes=1)
PATIENCE: Final = {
    "certificate_not_uploaded": 5 * MINUTE,
    "key_unknown": 10 * MINUTE,
    "api_disabled": 15 * MINUTE,
    "delegation_missing": timedelta(hours=24),
}
"""How long Google may take to know of what was just set up (google.md §1.5 and §4.2), and somewhat more."""


def passed(name: str, code: str, message: str, *, remedy: str = "", value: str = "") -> Step:
    """A step that is as it must be; `remedy` is what there is to do soon."""
    return Step(name, ok=True, code=code, message=message, remedy=remedy, value=value)


def failed(
    name: str, code: str, message: str, remedy: str, blame: Blame = Blame.CUSTOMER, *, waiting: bool = False
) -> Step:
    """A step that is not."""
    return Step(name, ok=False, code=code, message=message, remedy=remedy, blame=blame, waiting=waiting)


def denied(name: str, why: Denied) -> Step:
    """A step that failed because Google gave no token."""
    return failed(name, why.code, why.message, why.remedy, why.blame)


def with_patience(step: Step, since: datetime, now: datetime) -> Step:
    """Say since when a step fails that Google may still be about to let pass, or that it has had its time."""
    grace = PATIENCE.get(step.code)
    if step.ok or step.waiting or grace is None:
        return step
    shown = moment(since)
    if now < since + grace:
        until = moment(since + grace)
        words = f"If you have just done it, Google may need until {until}; certmail tries again by itself. First seen: {shown}."
        return replace(step, message=f"{step.message} {words}", waiting=True)
    words = f"It has been so since {shown}: that is too long for a change that spreads, so it was not made."
    return replace(step, message=f"{step.message} {words}")


def concluded(connection: Connection, steps: Sequence[Step], now: datetime) -> Connection:
    """The connection as it stands after a checklist.

    The first step that failed decides, where the customer can mend it. Trouble of our own or of Google's says nothing of a
    connection, so it stays as it was.
    """
    wrong = next((step for step in steps if not step.ok), None)
    if wrong is None:
        return connection.working(key_id=connection.key_id)
    if wrong.blame is not Blame.CUSTOMER:
        return connection
    return connection.troubled(wrong.code, wrong.message, wrong.remedy, since=connection.refused_since or now)
