"""What the commands of templates say: findings, and how a tenant's templates stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from certmail_config.admin.templates.publishing import TemplatesState
from certmail_config.templates.documents import Document
from certmail_config.templates.findings import Finding, TemplatesRefused, faults_of
from certmail_worker.cli.support.output import out, print_json


def findings_as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Each with its place, line and severity."""
    return [asdict(each) for each in findings]


def say_findings(findings: Sequence[Finding]) -> None:
    """A line each, the faults first."""
    for each in sorted(findings, key=lambda found: found.severity):
        out.print(f"{each.severity}: {each}", markup=False)


def say_refused(refused: TemplatesRefused, *, json: bool) -> None:
    """Say all that is wrong, and end with status 1."""
    if json:
        print_json({"ok": False, "findings": findings_as_json(refused.findings)})
    else:
        say_findings(refused.findings)
        count = len(faults_of(refused.findings))
        out.print(
            f"\n{count} {'fault' if count == 1 else 'faults'}: nothing was published.", markup=False
        )
    raise typer.Exit(1)


def counted(document: Document) -> str:
    """How much it is, in words."""
    places = [each.place for each in document.overrides()]
    look = "a look of its own" if document.brand.model_dump(exclude_defaults=True) else "no look"
    return f"{len(places)} {'block' if len(places) == 1 else 'blocks'}, {look}"


def state_as_json(state: TemplatesState) -> dict[str, Any]:
    """How they stand, as JSON."""
    published = state.published
    return {
        "tenant": state.tenant,
        "version": state.version or None,
        "published_at": published.at if published else None,
        "published_by": published.by if published else None,
        "templates": state.document.model_dump(mode="json", exclude_defaults=True),
        "suspended": dict(state.off),
    }
