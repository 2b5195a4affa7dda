"""What is read after a storm of campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chaos.campaigns.upstream import Told
from chaos.facts import Read


class PlannedRow(NamedTuple):
    """A planned mail, as the table of moments has it."""

    tenant: str
    campaign: str
    reviewer: str
    rule: str
    ordinal: int
    kind: str
    job: str | None
    state: str
    outcome: str | None

    def __str__(self) -> str:
        return f"{self.rule} {self.ordinal} of {self.reviewer} in {self.campaign}"


class JobRow(NamedTuple):
    """A job, as the record has it."""

    campaign: str
    kind: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class CampaignRead:
    """What was read; `read` is what is read after every storm, with all jobs of campaigns."""

    read: Read
    planned: Sequence[PlannedRow]
    jobs: Mapping[str, JobRow]
    to: Mapping[str, str]
    """The address that each job's mail went to, of those that arrived."""
    told: Sequence[Told] = ()
    wrong: Sequence[str] = ()
    """What upstream found wrong itself."""
