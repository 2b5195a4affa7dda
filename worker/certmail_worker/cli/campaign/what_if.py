"""The same campaign with another end, or another cadence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.cadence import CadenceRule
from certmail_config.campaigns.presets import PRESETS, preset
from certmail_config.campaigns.reading.toml import read_rules, why_wrong
from certmail_worker.cli.campaign.files import Read, read_text


def what_if(read: Read, *, due: datetime | None, cadence: str | None) -> Read | None:
    """The campaign as it would be; None where nothing is to be tried out. Raises WrongUse."""
    if due is None and cadence is None:
        return None
    if len(read.enrolments) > 1:
        raise WrongUse(
            "wrong_use", "--due and --cadence change one campaign.", "Name that one alone."
        )

    [enrolment] = read.enrolments
    campaign = enrolment.campaign
    try:
        if due is not None:
            campaign = campaign.with_due(due)
        if cadence is not None:
            campaign = campaign.with_rules(_rules(cadence))
    except ValidationError as error:
        tried = " and ".join(
            each for each in (f"--due {due}" if due else "", "--cadence" if cadence else "") if each
        )
        raise WrongUse(
            "wrong_use", f"With {tried} it is no campaign: {why_wrong(error)}."
        ) from None

    return replace(read, enrolments=[replace(enrolment, campaign=campaign)])


def _rules(cadence: str) -> tuple[CadenceRule, ...]:
    if cadence in PRESETS:
        return preset(cadence)
    if not Path(cadence).exists():
        raise WrongUse(
            "unknown_preset",
            f"There is no preset {cadence!r}, and no such file.",
            f"Presets: {', '.join(PRESETS)}; `certmail campaign presets` says what they are.",
        )
    return read_rules(read_text(cadence), cadence)
