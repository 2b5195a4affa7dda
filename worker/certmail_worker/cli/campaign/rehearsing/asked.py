"""Who is done on the way, as it is typed: `--done r7=2026-11-20`, `--completing 60%`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.moments_of_day import zone
from certmail_config.campaigns.plan import Enrolment
from certmail_worker.cli.support.times import parse_time
from certmail_worker.rehearsal.completions import Completion, drawn, named

_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)%?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def completions(
    enrolments: Sequence[Enrolment],
    done: Sequence[str],
    completing: str | None,
    begins: datetime,
    seed: int,
) -> list[Completion]:
    """What was asked for; who is named is not drawn. Raises WrongUse."""
    found = [each for text in done for each in _named(enrolments, text)]
    if completing is None:
        return found

    known = {each[1:] for each in found}
    share = _share(completing)
    return found + [
        each for each in drawn(enrolments, share, begins, seed) if each[1:] not in known
    ]


def _named(enrolments: Sequence[Enrolment], text: str) -> list[Completion]:
    reviewer, _, at = text.rpartition("=")
    if not reviewer:
        raise WrongUse(
            "wrong_use", f"--done {text!r} says not when.", "Write --done r7=2026-11-20, say."
        )

    # A day begins where the campaign is.
    moment = _day(enrolments, at) if _DAY.fullmatch(at) else parse_time(at, "--done")
    assert moment is not None, "a text was given"
    found = named(enrolments, reviewer, moment)
    if not found:
        raise WrongUse(
            "unknown_reviewer",
            f"The files have no reviewer {reviewer!r}.",
            "Write the id as it stands in the file.",
        )
    return found


def _day(enrolments: Sequence[Enrolment], text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongUse(
            "invalid_day", f"--done {text!r} is not a day.", "Write 2026-11-20, say."
        ) from None
    return datetime.combine(day, time(), zone(enrolments[0].campaign.time_zone))


def _share(text: str) -> float:
    found = _PERCENT.fullmatch(text)
    if found is None or (share := float(found[1])) > 100:
        raise WrongUse(
            "wrong_use",
            f"--completing {text!r} is no share of the reviewers.",
            "Write --completing 60%, say.",
        )
    return share / 100
