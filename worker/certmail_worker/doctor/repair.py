"""What `certmail doctor --repair` can do: restore an old ledger, or mend broken indexes.

A ledger is old when its record is newer. One thing at a time, the graver first. What would be done
is shown before; the operator's words for it are in `lines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import Refused
from certmail_config.settings import Settings
from certmail_config.sql.engine import reachable
from certmail_worker.doctor import invariants, restore
from certmail_worker.doctor.restore_plan import (
    RestorePlan,
    StepKind,
    done_lines,
    jobs_by_result,
    plan_lines,
)
from certmail_worker.doctor.unused_copy import loss_warning
from certmail_worker.recording.consistency import LINEAGE_ERRORS, Lineage, assess, read_traces
from certmail_worker.recording.writer import read_position


@dataclass(frozen=True, slots=True)
class RepairDone:
    """What a repair did in fact: in words, and the jobs by what was done about them."""

    lines: Sequence[str]
    jobs: dict[str, list[str]]


@runtime_checkable
class Repair(Protocol):
    """Something that can be put right."""

    @property
    def lines(self) -> Sequence[str]:
        """What it would do, in words."""

    @property
    def jobs(self) -> dict[str, list[str]]:
        """The jobs that it concerns, by what is done."""

    @property
    def loss_warning(self) -> str:
        """What must be ruled out before, since it cannot be undone; empty where it can."""

    def carry_out(self, settings: Settings) -> RepairDone:
        """Do it; raises StoresUnreachable."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """Redis is older than the record.

    `copy` asks about a copy of Redis that nobody has put back, if Redis is empty.
    """

    plan: RestorePlan
    copy: str = ""

    @property
    def lines(self) -> Sequence[str]:
        """See Repair."""
        return [*plan_lines(self.plan), *_lost(self.plan.of(StepKind.LOSE))]

    @property
    def jobs(self) -> dict[str, list[str]]:
        """See Repair."""
        return {kind: [*self.plan.of(kind)] for kind in StepKind}

    @property
    def loss_warning(self) -> str:
        """See Repair."""
        final = any(
            step.known and step.kind in {StepKind.LOSE, StepKind.HOLD} for step in self.plan.steps
        )
        return self.copy if final else ""

    def carry_out(self, settings: Settings) -> RepairDone:
        """See Repair."""
        with open_admin(settings) as admin, reachable(admin.engine):
            done = jobs_by_result(self.plan, restore.carry_out(admin, self.plan))
        return RepairDone(
            [*done_lines(done, self.plan), *_lost(done[StepKind.LOSE])],
            {kind: [*done[kind]] for kind in StepKind},
        )


def _lost(jobs: Sequence[str]) -> list[str]:
    return [f"Lost: {', '.join(jobs)}"] if jobs else []


@dataclass(frozen=True, slots=True)
class Gap:
    """The record is older than Redis, and nobody has a newer one.

    What it lacks it will never have.
    """

    since: datetime | None

    @property
    def lines(self) -> Sequence[str]:
        """See Repair."""
        since = self.since.isoformat(timespec="seconds") if self.since else "the beginning"
        return [
            f"The record goes on with what is still in Redis's stream; of what happened since {since} the rest is missing for good"
        ]

    @property
    def jobs(self) -> dict[str, list[str]]:
        """See Repair."""
        return {}

    @property
    def loss_warning(self) -> str:
        """See Repair."""
        return ""

    def carry_out(self, settings: Settings) -> RepairDone:
        """See Repair."""
        with open_admin(settings) as admin, reachable(admin.engine):
            restore.accept_gap(admin)
        return RepairDone(self.lines, self.jobs)


@dataclass(frozen=True, slots=True)
class Mending:
    """Indexes do not agree with the jobs."""

    report: invariants.Report

    @property
    def lines(self) -> Sequence[str]:
        """See Repair."""
        return [
            f"{invariants.describe(code, subjects)}: {invariants.CODES[code][2]}"
            for code, subjects in self.report.found.items()
        ]

    @property
    def jobs(self) -> dict[str, list[str]]:
        """See Repair."""
        return dict(self.report.found)

    @property
    def loss_warning(self) -> str:
        """See Repair."""
        return ""

    def carry_out(self, settings: Settings) -> RepairDone:
        """See Repair."""
        with open_admin(settings) as admin:
            admin.projector.publish_missing()
            invariants.mend_all(admin.redis, self.report)
        return RepairDone(self.lines, self.jobs)


def find_repair(settings: Settings, *, stopped_at: datetime | None = None) -> Repair | None:
    """What can be put right, or None; changes nothing.

    Raises Refused where only the operator can, StoresUnreachable.
    """
    with open_admin(settings) as admin, reachable(admin.engine):
        lineage = assess(read_traces(admin.redis, admin.engine))

        if lineage in {Lineage.ROLLED_BACK, Lineage.REPLACED}:
            copy = loss_warning(admin.redis, settings) if lineage is Lineage.REPLACED else ""
            return Restoration(restore.make_plan(admin, stopped_at=stopped_at), copy)
        if lineage is Lineage.RECORD_BEHIND:
            return Gap(read_position(admin.engine).seen_at)
        if lineage in LINEAGE_ERRORS:
            message, remedy = LINEAGE_ERRORS[lineage]
            raise Refused(lineage, message, remedy)

        return _mending(admin)


def _mending(admin: Admin) -> Mending | None:
    report = invariants.find_violations(admin.redis)
    return Mending(report) if report.found else None
