"""The files that `certmail campaign plan` reads."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from certmail.files.source import readable
from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.plan import Enrolment
from certmail_config.campaigns.reading.reviewers import read_reviewers
from certmail_config.campaigns.reading.rows import BadRow
from certmail_config.campaigns.reading.sent import read_sent
from certmail_config.campaigns.reading.toml import read_campaign


@dataclass(frozen=True, slots=True)
class Read:
    """Campaigns with their reviewers, and the rows that are none."""

    enrolments: list[Enrolment]
    bad: list[tuple[str, BadRow]] = field(default_factory=list)


def read_files(campaigns: Sequence[str], reviewers: Sequence[str], sent: str | None) -> Read:
    """Read campaigns and reviewers; raises WrongUse."""
    if len(reviewers) != len(campaigns):
        raise WrongUse(
            "wrong_use",
            f"There are {len(campaigns)} campaigns, but {len(reviewers)} files of reviewers.",
            "Give --reviewers once for each campaign, in their order.",
        )
    if sent is not None and len(campaigns) > 1:
        raise WrongUse("wrong_use", "--sent is for one campaign.", "Plan it alone.")

    found = Read([])
    for file, rows in zip(campaigns, reviewers, strict=True):
        campaign = read_campaign(read_text(file), file)
        read = read_reviewers(read_bytes(rows), rows, campaign)
        went = read_sent(read_text(sent), sent) if sent is not None else []
        found.enrolments.append(Enrolment(campaign, read.reviewers, sent=went))
        found.bad.extend((rows, each) for each in read.bad)

    ids = [(each.campaign.tenant, each.campaign.id) for each in found.enrolments]
    if len(set(ids)) < len(ids):
        raise WrongUse("doubled_campaign", "Two files are of one campaign.", "Name each once.")
    return found


def read_text(file: str) -> str:
    """The text of a file; raises WrongUse."""
    data = read_bytes(file)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise WrongUse("other_encoding", f"{file} is not UTF-8 (line {line}).") from None


def read_bytes(file: str) -> bytes:
    """The bytes of a file, or of standard input; raises WrongUse."""
    with readable(file):
        if file != "-":
            return Path(file).read_bytes()
        return b"" if sys.stdin is None else sys.stdin.buffer.read()
